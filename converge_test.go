package tombolo_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	gosync "sync"
	"testing"

	"tombolo"
	"tombolo/doc"
)

// A device that joins gets everything there is.
func TestFirstSyncOfManyDocuments(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{})
	desk := inMemory(t, tombolo.Options{})
	want := map[string]bool{}
	for i := range 300 {
		h, err := laptop.Home().Create(t.Context(), map[string]any{"n": i})
		must(t, err)
		want[h.URL().String()] = true
		must(t, h.Close())
	}
	j := pair(t, laptop, desk, false)
	ctx := patience(t)
	for {
		news := laptop.News()
		s, err := laptop.Status(ctx)
		must(t, err)
		there := 0
		for _, d := range s.Documents {
			if d.Devices[1].Durable {
				there++
			}
		}
		if there == len(want) {
			break
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatalf("%d documents of %d came over", there, len(want))
		}
	}
	infos, err := j.Space.List(ctx)
	must(t, err)
	for _, i := range infos {
		if !want[i.URL.String()] {
			t.Errorf("%s came from nowhere", i.URL)
		}
	}
	if len(infos) != len(want) {
		t.Errorf("%d documents came over, want %d", len(infos), len(want))
	}
}

// One value of several megabytes travels in parts, and back as an edit of it.
func TestLargeValue(t *testing.T) {
	dir := t.TempDir()
	laptop := open(t, dir, tombolo.Options{})
	desk := inMemory(t, tombolo.Options{})
	random := rand.New(rand.NewPCG(1, 2))
	raw := make([]byte, 3<<20) // random, so that no packing makes it small
	for i := range raw {
		raw[i] = byte(random.Uint32())
	}
	h, err := laptop.Home().Create(t.Context(), nil)
	must(t, err)
	set(t, h, "/before", raw)
	pair(t, laptop, desk, false)
	there := arrives(t, desk, h.URL())
	same(t, h, there)
	set(t, h, "/after", raw[1:]) // to a device that is connected
	same(t, h, there)
	set(t, there, "/back", raw[2:])
	same(t, there, h)
	must(t, there.Wait(patience(t), tombolo.OnDevices(2)))
	want, err := h.Hash()
	must(t, err)
	u := h.URL()
	must(t, laptop.Close())
	laptop = open(t, dir, tombolo.Options{})
	h, err = laptop.Document(t.Context(), u)
	must(t, err)
	defer h.Close()
	if got, err := h.Hash(); err != nil || got != want {
		t.Errorf("on disk is another document (%v)", err)
	}
}

// Two devices edit one document from many goroutines at once, and end with the same.
func TestEveryoneEdits(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{})
	desk := inMemory(t, tombolo.Options{})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), map[string]any{"title": doc.Text(""), "last": map[string]any{}})
	must(t, err)
	defer h.Close()
	there := arrives(t, desk, h.URL())
	const each, rounds = 4, 25
	var users gosync.WaitGroup
	for i, at := range []*tombolo.Handle{h, there} {
		for j := range each {
			users.Go(func() {
				for k := range rounds {
					err := at.Change(t.Context(), "", func(tx *doc.Tx) error {
						if err := tx.List("items").Append(fmt.Sprintf("%d-%d-%d", i, j, k)); err != nil {
							return err
						}
						if err := tx.Text("title").Splice(0, 0, "x"); err != nil {
							return err
						}
						return tx.Set(fmt.Sprintf("/last/%d", k%3), i)
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	users.Wait()
	for _, at := range []*tombolo.Handle{h, there} {
		until(t, at, func() bool {
			var v struct {
				Items []string `doc:"items"`
				Title string   `doc:"title"`
			}
			must(t, at.Read(&v))
			return len(v.Items) == 2*each*rounds && len(v.Title) == 2*each*rounds
		})
	}
	same(t, h, there)
	if a, b := text(t, h), text(t, there); a != b {
		t.Errorf("one shows\n%s\nthe other\n%s", a, b)
	}
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
}

// island is one device of the random test: its store outlives its engine.
type island struct {
	dir    string
	disk   *disk
	listen []string // where the others know it to be: without discovery nobody would find another port
	e      *tombolo.Engine
	h      *tombolo.Handle
}

func (i *island) open(t *testing.T, u doc.URL) {
	i.e = open(t, i.dir, tombolo.Options{Store: i.disk, Listen: i.listen})
	at, _, _ := strings.Cut(i.e.Addrs()[0], "/p2p/")
	i.listen = []string{at}
	if u != (doc.URL{}) {
		i.h = arrives(t, i.e, u)
	}
}

// Three devices edit, pause and restart as chance has it; in the end all have all that was acknowledged anywhere.
func TestRandomLives(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			randomLives(t, rand.New(rand.NewPCG(seed, 7)))
		})
	}
}

func randomLives(t *testing.T, random *rand.Rand) {
	all := make([]*island, 3)
	for i := range all {
		all[i] = &island{dir: t.TempDir(), disk: newDisk()}
		all[i].open(t, doc.URL{})
	}
	hub := all[0] // the others reach each other through it
	for _, other := range all[1:] {
		pair(t, hub.e, other.e, true)
	}
	h, err := hub.e.Home().Create(t.Context(), nil)
	must(t, err)
	u := h.URL()
	for _, i := range all {
		i.h = arrives(t, i.e, u)
	}
	acked := 0
	for range 60 {
		i := all[random.IntN(len(all))]
		switch n := random.IntN(10); {
		case n < 6:
			must(t, i.h.Change(t.Context(), "", put(fmt.Sprintf("/k%d", acked), acked)))
			acked++
		case n < 7:
			must(t, i.e.Pause(t.Context()))
		case n < 9:
			must(t, i.e.Resume(t.Context()))
		default:
			must(t, i.e.Close())
			i.open(t, u)
		}
	}
	for _, i := range all {
		must(t, i.e.Resume(t.Context()))
	}
	for _, i := range all {
		until(t, i.h, func() bool {
			var v map[string]int
			must(t, i.h.Read(&v))
			return len(v) == acked
		})
	}
	want := text(t, hub.h)
	if n := strings.Count(want, `"k`); n != acked {
		t.Errorf("%d edits of %d are there", n, acked)
	}
	for _, i := range all {
		if got := text(t, i.h); got != want {
			t.Errorf("one shows\n%s\nanother\n%s", want, got)
		}
	}
}
