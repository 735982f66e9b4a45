package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/mirror"
)

// shared is a file that an editor opens, too. The editor has the care of one that warns when the file changed on disk: while it reads and writes,
// the mirror does not write.
type shared struct {
	mirror.Place
	mu    sync.Mutex
	wrote chan struct{}
}

func (p *shared) Write(ctx context.Context, data []byte, tag string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	newTag, err := p.Place.Write(ctx, data, tag)
	if err == nil {
		select {
		case p.wrote <- struct{}{}:
		default:
		}
	}
	return newTag, err
}

// fetches waits until the mirror has written what is wanted.
func (p *shared) fetches(t *testing.T, ok func(string) bool) {
	t.Helper()
	ctx := patience(t)
	for !ok(content(t, p)) {
		select {
		case <-p.wrote:
		case <-ctx.Done():
			t.Fatalf("it did not come to that; the file has %s", content(t, p))
		}
	}
}

// notes is the value that both sides edit: every edit leaves a name of its own.
type notes struct {
	Items []string
	Keys  map[string]any
	Body  doc.Text
	Count doc.Counter
}

// edit makes a random edit that leaves name, and says which name it took away.
func (n *notes) edit(random *rand.Rand, name string) (removed string) {
	switch random.IntN(4) {
	case 0:
		at := random.IntN(len(n.Items) + 1)
		n.Items = slices.Insert(n.Items, at, name)
	case 1:
		n.Keys[name] = map[string]any{"by": name}
	case 2: // between the words
		words := strings.SplitAfter(string(n.Body), ">")
		n.Body = doc.Text(strings.Join(slices.Insert(words, random.IntN(len(words)), "<"+name+">"), ""))
	case 3:
		n.Keys[name] = nil
		if len(n.Items) > 0 {
			at := random.IntN(len(n.Items))
			removed = n.Items[at]
			n.Items = slices.Delete(n.Items, at, at+1)
		}
	}
	n.Count++
	return removed
}

func (n *notes) value() map[string]any {
	items := []any{}
	for _, s := range n.Items {
		items = append(items, s)
	}
	return map[string]any{"items": items, "keys": n.Keys, "body": n.Body, "count": n.Count}
}

func notesOf(t *testing.T, v any, err error) *notes {
	t.Helper()
	must(t, err)
	m := v.(map[string]any)
	n := &notes{Keys: maps.Clone(m["keys"].(map[string]any)), Body: m["body"].(doc.Text), Count: m["count"].(doc.Counter)}
	for _, s := range m["items"].([]any) {
		n.Items = append(n.Items, s.(string))
	}
	return n
}

// save writes the file as editors do, some in place, after half of it was seen by the mirror, and some by renaming.
func save(t *testing.T, random *rand.Rand, path string, n *notes, tick func()) {
	t.Helper()
	data, err := doc.EncodeJSON(n.value())
	must(t, err)
	switch random.IntN(3) {
	case 0:
		must(t, os.WriteFile(path, data, 0o600))
	case 1:
		must(t, os.WriteFile(path, data[:random.IntN(len(data))], 0o600))
		tick()
		must(t, os.WriteFile(path, data, 0o600))
	case 2:
		must(t, os.WriteFile(path+"~", data, 0o600))
		must(t, os.Rename(path+"~", path))
	}
}

// An editor changes the file while another device edits the document: after each round both edits are on both sides.
func TestRounds(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	laptop, desk := openIn(t, t.TempDir(), tombolo.Options{}), openIn(t, t.TempDir(), tombolo.Options{})
	invitation, err := laptop.Invite(t.Context(), tombolo.Invite{})
	must(t, err)
	_, err = desk.Join(patience(t), invitation.Link, tombolo.JoinOptions{})
	must(t, err)
	h, err := laptop.Home().Create(t.Context(), (&notes{Keys: map[string]any{}}).value())
	must(t, err)
	var there *tombolo.Handle
	for ctx := patience(t); there == nil; {
		news := desk.News()
		if there, err = desk.Document(ctx, h.URL()); err != nil {
			select {
			case <-news:
			case <-ctx.Done():
				t.Fatal(err)
			}
		}
	}

	path := filepath.Join(t.TempDir(), "notes.json")
	p := &shared{Place: mirror.File(path), wrote: make(chan struct{}, 1)}
	poll := make(chan struct{})
	tick := func() { poll <- struct{}{} }
	opts := &mirror.Options{State: mirror.StateFile(path + ".state"), Poll: func(ctx context.Context) error {
		select {
		case <-poll:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	start := func() *mirror.Mirror {
		m, err := mirror.New(h, p, opts)
		must(t, err)
		must(t, errors.Join(m.StartAutoLoad(t.Context(), nil), m.StartAutoSave(t.Context())))
		return m
	}
	m := start()
	gone := map[string]bool{}
	for round := range rounds {
		random := rand.New(rand.NewPCG(seed, uint64(round)))
		off := random.IntN(10) == 0
		if off { // the edits of this round are made while no mirror is there
			must(t, m.Close())
			tick = func() {}
		}
		edited := make(chan string)
		go func() { // the other device
			removed := ""
			random := rand.New(rand.NewPCG(seed, uint64(round)|1<<32))
			err := there.Change(t.Context(), "peer", func(tx *doc.Tx) error {
				v, err := tx.Get("")
				n := notesOf(t, v, err)
				removed = n.edit(random, fmt.Sprintf("peer%d", round))
				return tx.Put(n.value())
			})
			if err != nil {
				t.Error(err)
			}
			edited <- removed
		}()
		p.mu.Lock()
		data, err := os.ReadFile(path)
		must(t, err)
		v, err := doc.DecodeJSON(data)
		n := notesOf(t, v, err)
		gone[n.edit(random, fmt.Sprintf("file%d", round))] = true
		save(t, random, path, n, tick)
		p.mu.Unlock()
		gone[<-edited] = true
		if off {
			tick = func() { poll <- struct{}{} }
			m = start()
		}
		tick()
		both := func(s string) bool {
			return (gone[fmt.Sprint("file", round)] || strings.Contains(s, fmt.Sprint("file", round))) &&
				(gone[fmt.Sprint("peer", round)] || strings.Contains(s, fmt.Sprint("peer", round)))
		}
		reads(t, there, both)
		p.fetches(t, both)
	}
	must(t, m.Close())

	v, err := h.Get("")
	end := notesOf(t, v, err)
	if end.Count != 2*doc.Counter(rounds) {
		t.Errorf("%d edits were counted", end.Count)
	}
	for round := range rounds {
		for _, name := range []string{fmt.Sprint("file", round), fmt.Sprint("peer", round)} {
			_, key := end.Keys[name]
			found := 0
			for _, in := range []bool{key, slices.Contains(end.Items, name), strings.Contains(string(end.Body), "<"+name+">")} {
				if in {
					found++
				}
			}
			if found != 1 && !gone[name] || found != 0 && gone[name] {
				t.Errorf("%s is there %d times (removed: %t)", name, found, gone[name])
			}
		}
	}
	whole, err := h.JSON("")
	must(t, err)
	reads(t, there, is(string(whole)))
	shows(t, p, string(whole))
	must(t, errors.Join(there.Close(), h.Close()))
}
