package tombolo_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	gosync "sync"
	"testing"

	"tombolo"
	"tombolo/doc"
)

// then is the value of a document at a version, which is asked for again when the document had to be read again meanwhile.
func then(t *testing.T, h *tombolo.Handle, heads []doc.Hash) any {
	t.Helper()
	for {
		v, err := h.At(heads)
		must(t, err)
		value, err := v.Get("")
		if errors.Is(err, doc.ErrClosed) {
			continue
		}
		must(t, err)
		return value
	}
}

// mirror keeps a copy of a document's value by patches alone, until the copy has every key given.
func mirror(t *testing.T, h *tombolo.Handle, events iter.Seq[tombolo.Event], until ...string) {
	var value any
	var at []doc.Hash
	n := 0
	for ev := range events {
		must(t, ev.Err)
		if n++; n == 1 {
			value, at = then(t, h, ev.From), ev.From
		}
		if !slices.Equal(ev.From, at) {
			t.Errorf("event %d begins at %v, the one before ended at %v", n, ev.From, at)
		}
		var err error
		value, err = doc.ApplyPatches(value, ev.Patches)
		must(t, err)
		if at = ev.Heads; !doc.Equal(value, then(t, h, at)) {
			t.Fatalf("event %d: patches lead to %v, the document is %v", n, value, then(t, h, at))
		}
		if n%3 == 0 { // slow now and then
			for range 20 {
				_, err := h.JSON("")
				must(t, err)
			}
		}
		m := value.(map[string]any)
		if !slices.ContainsFunc(until, func(k string) bool { return m[k] == nil }) {
			return
		}
	}
	t.Errorf("after %d events the copy is %v", n, value)
}

func anyEdit(random *rand.Rand, i int) func(*doc.Tx) error {
	return func(tx *doc.Tx) error {
		switch random.IntN(5) {
		case 0:
			return tx.Set(fmt.Sprintf("/k%d", random.IntN(4)), i)
		case 1:
			return tx.List("items").Append(fmt.Sprint(i), map[string]any{"n": i})
		case 2:
			return tx.Text("title").Splice(0, 0, fmt.Sprint(i))
		case 3:
			return tx.Set("/deep", map[string]any{"in": map[string]any{"n": doc.Counter(i)}})
		}
		if _, err := tx.Get("/items"); err != nil {
			return nil
		}
		return tx.Remove("/items")
	}
}

// Patches lead from each version to the next, for edits from here and from elsewhere, in a slow loop, and over a disk that fails.
func TestPatchesFollow(t *testing.T) {
	d := newDisk()
	laptop := open(t, t.TempDir(), tombolo.Options{Store: d})
	desk := inMemory(t, tombolo.Options{})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), map[string]any{"title": doc.Text("")})
	must(t, err)
	defer h.Close()
	there := arrives(t, desk, h.URL())
	ctx := patience(t)
	var loops gosync.WaitGroup
	for _, at := range []*tombolo.Handle{h, there} {
		events := at.Watch(ctx)
		loops.Go(func() { mirror(t, at, events, "fromLaptop", "fromDesk") })
	}
	d.breaks(func(n int) bool { return n%5 == 0 })
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 120 {
		at := []*tombolo.Handle{h, there}[random.IntN(2)]
		if err := at.Change(t.Context(), "", anyEdit(random, i)); err != nil && !errors.Is(err, errDisk) {
			t.Fatal(err)
		}
	}
	d.repaired()
	must(t, desk.Pause(t.Context())) // what was refused comes again at once on a new connection
	must(t, desk.Resume(t.Context()))
	set(t, h, "/fromLaptop", 1)
	set(t, there, "/fromDesk", 1)
	loops.Wait()
	same(t, h, there)
}

// A copy by patches survives that its document becomes part of another one, whose changes stand in another order.
func TestPatchesFollowIntoAnotherSpace(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{App: "notes"})
	desk := inMemory(t, tombolo.Options{App: "notes"})
	theirs, err := laptop.Home().Open(t.Context(), "list")
	must(t, err)
	defer theirs.Close()
	set(t, theirs, "/laptop", 1)
	pair(t, laptop, desk, false)
	arrives(t, desk, theirs.URL())
	must(t, theirs.Wait(patience(t), tombolo.OnDevices(2)))
	mine, err := desk.Home().Open(t.Context(), "list")
	must(t, err)
	defer mine.Close()
	set(t, mine, "/desk", 2)
	events := mine.Watch(patience(t))
	var loop gosync.WaitGroup
	loop.Go(func() { mirror(t, mine, events, "laptop", "desk", "last") })
	pair(t, laptop, desk, true)
	set(t, mine, "/last", 3)
	loop.Wait()
}

// What is on its way to the disk is no news yet, and what the disk refuses never is.
func TestNewsAreDurable(t *testing.T) {
	d := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Offline: true, Store: d})
	h, err := e.Home().Create(t.Context(), nil)
	must(t, err)
	defer h.Close()
	next, stop := iter.Pull(h.Watch(patience(t)))
	defer stop()
	start := h.Heads()
	set(t, h, "/first", 1)
	waiting, release := d.hold()
	d.breaks(every)
	p, err := h.ChangeAsync(t.Context(), "", put("/refused", 1))
	must(t, err)
	awaits(t, "a write", waiting)
	news(t, next, start, h.Heads(), "add /first")
	release()
	if err := p.Wait(patience(t)); !errors.Is(err, errDisk) {
		t.Fatalf("a refused change: %v", err)
	}
	d.repaired()
	between := h.Heads()
	set(t, h, "/second", 1)
	news(t, next, between, h.Heads(), "add /second")
}

// news checks the next event.
func news(t *testing.T, next func() (tombolo.Event, bool), from, heads []doc.Hash, want ...string) {
	t.Helper()
	ev, ok := next()
	var got []string
	for _, p := range ev.Patches {
		got = append(got, fmt.Sprint(p.Kind, " ", p.Path))
	}
	if !ok || ev.Err != nil || !slices.Equal(ev.From, from) || !slices.Equal(ev.Heads, heads) || !slices.Equal(got, want) {
		t.Fatalf("news: %+v, want %v from %v to %v", ev, want, from, heads)
	}
}

// A document that cannot be read makes an event that says so; the one after it has everything.
func TestNewsOfAnUnreadableDocument(t *testing.T) {
	d := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Offline: true, Store: d})
	h, err := e.Home().Create(t.Context(), nil)
	must(t, err)
	defer h.Close()
	next, stop := iter.Pull(h.Watch(patience(t)))
	defer stop()
	start := h.Heads()
	set(t, h, "/first", 1)
	d.breaks(every)
	if err := h.Change(t.Context(), "", put("/refused", 1)); !errors.Is(err, errDisk) {
		t.Fatalf("a refused change: %v", err)
	}
	d.blind(true)
	if ev, ok := next(); !ok || !errors.Is(ev.Err, errDisk) || ev.Patches != nil || ev.Changes != 1 {
		t.Errorf("news of what cannot be read: %+v", ev)
	}
	d.blind(false)
	d.repaired()
	set(t, h, "/second", 1)
	news(t, next, start, h.Heads(), "add /first", "add /second")
}

// Watchers hear which actions were run, by whom and with what.
func TestActionsAreNews(t *testing.T) {
	type payload struct {
		Path string `doc:"path"`
	}
	done := doc.MustAction("done", func(tx *doc.Tx, p payload) error { return tx.Set(p.Path, true) })
	laptop := inMemory(t, tombolo.Options{Name: "laptop"})
	desk := inMemory(t, tombolo.Options{Name: "desk"})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), nil)
	must(t, err)
	defer h.Close()
	there := arrives(t, desk, h.URL())
	ctx, cancel := context.WithCancel(patience(t))
	defer cancel()
	events := there.Watch(ctx)
	set(t, h, "/n", 1)
	p := payload{"/milk"}
	message, err := done.Message(p)
	must(t, err)
	must(t, h.Change(t.Context(), message, done.Do(p)))
	for ev := range events {
		if len(ev.Actions) == 0 {
			continue
		}
		a := ev.Actions[0]
		read, ok := done.Payload(a.Message)
		if len(ev.Actions) != 1 || a.Name != "done" || a.Payload["path"] != "/milk" || a.Author != "laptop" || a.Time.IsZero() || !ok || read != p {
			t.Errorf("actions: %+v", ev.Actions)
		}
		return
	}
	t.Error("the action is no news")
}

// What Versions and Watch yield is the loop's to change.
func TestVersionsAreCopies(t *testing.T) {
	e := open(t, t.TempDir(), tombolo.Options{Offline: true})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	defer h.Close()
	seen, events := h.Versions(patience(t)), h.Watch(patience(t))
	set(t, h, "/n", 2)
	now := h.Heads()
	for heads := range seen {
		clear(heads)
		break
	}
	for ev := range events {
		clear(ev.From)
		clear(ev.Heads)
		break
	}
	if !slices.Equal(h.Heads(), now) {
		t.Error("the loop changed the document's version")
	}
}
