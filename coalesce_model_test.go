package tombolo_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tombolo"
)

// Whatever handles that save at once and handles that wait do on a disk that fails now and then: what was acknowledged is there, what was refused or
// lost is not, and the disk has what memory has.
func TestCoalesceModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := newDisk()
		dir := t.TempDir()
		begin := func() *tombolo.Engine {
			e, err := tombolo.Open(t.Context(), dir, &tombolo.Options{Store: s, Offline: true, Save: tombolo.Coalesce{Quiet: time.Hour}})
			must(t, err)
			return e
		}
		e := begin()
		defer func() { // also where rapid gives a run up
			s.repaired()
			must(t, e.Close())
		}()
		first, err := e.Home().Open(t.Context(), "list")
		must(t, err)
		u := first.URL()
		must(t, first.Close())
		handle := func(options ...tombolo.OpenOption) *tombolo.Handle {
			h, err := e.Document(t.Context(), u, options...)
			must(t, err)
			return h
		}
		handles := []*tombolo.Handle{handle(), handle(), handle(tombolo.Durable)}
		open := func(i int) {
			if i < 2 {
				handles[i] = handle()
			} else {
				handles[i] = handle(tombolo.Durable)
			}
		}
		sure, maybe := map[string]bool{}, map[string]bool{} // keys that are on disk, and keys that wait, since the last loss
		lost := func() { clear(maybe) }
		settled := func() {
			for k := range maybe {
				sure[k] = true
			}
			clear(maybe)
		}
		isLost := func(err error) bool {
			_, ok := errors.AsType[*tombolo.LostError](err)
			return ok
		}
		n := 0
		r.Repeat(map[string]func(*rapid.T){
			"change": func(r *rapid.T) {
				i := rapid.IntRange(0, 2).Draw(r, "handle")
				n++
				key := fmt.Sprintf("k%d", n)
				switch err := handles[i].Change(t.Context(), "", put("/"+key, n)); {
				case err == nil && i == 2:
					maybe[key] = true
					settled()
				case err == nil:
					maybe[key] = true
				case errors.Is(err, errDisk) && i == 2:
					lost()
				case !isLost(err):
					r.Fatal(err)
				}
			},
			"flush": func(r *rapid.T) {
				i := rapid.IntRange(0, 2).Draw(r, "handle")
				waiting := handles[i].HasUnsaved()
				switch err := handles[i].Flush(t.Context()); {
				case err == nil:
					settled()
				case waiting && !handles[i].HasUnsaved() && errors.Is(err, errDisk):
					if !isLost(err) || present(t, handles[i], maybe) == 0 {
						lost()
					} else {
						settled() // the loss was an earlier one
					}
				case !isLost(err):
					r.Fatal(err)
				}
			},
			"reopen a handle": func(r *rapid.T) {
				i := rapid.IntRange(0, 2).Draw(r, "handle")
				if err := handles[i].Close(); err != nil && !isLost(err) {
					r.Fatal(err)
				}
				other := handles[(i+1)%3]
				switch {
				case other.HasUnsaved():
				case present(t, other, maybe) == 0:
					lost()
				default:
					settled()
				}
				open(i)
			},
			"fail": func(r *rapid.T) {
				every := rapid.IntRange(1, 4).Draw(r, "every")
				s.breaks(func(n int) bool { return n%every == 0 })
			},
			"repair": func(*rapid.T) { s.repaired() },
			"restart": func(*rapid.T) {
				s.repaired()
				want := text(t, handles[0])
				must(t, e.Close())
				settled()
				e = begin()
				for i := range handles {
					open(i)
				}
				if got := text(t, handles[0]); got != want {
					r.Fatalf("on disk is %s, in memory was %s", got, want)
				}
			},
			"": func(r *rapid.T) {
				var got map[string]any
				must(t, handles[1].Read(&got))
				for k := range sure {
					if _, ok := got[k]; !ok {
						r.Fatalf("%s was acknowledged and is gone", k)
					}
				}
				for k := range got {
					if !sure[k] && !maybe[k] {
						r.Fatalf("%s was refused and is there", k)
					}
				}
			},
		})
	})
}

// present is how many of the keys the document has.
func present(t *testing.T, h *tombolo.Handle, keys map[string]bool) (n int) {
	t.Helper()
	for k := range keys {
		if _, err := h.Get("/" + k); err == nil {
			n++
		}
	}
	return n
}
