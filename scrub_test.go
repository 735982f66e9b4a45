package tombolo_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist"
)

// Who finds the damage may lose patience while it is set aside: the document is quarantined all the same, and nobody takes it for one that is not there.
func TestSettingAsideOutlivesItsFinder(t *testing.T) {
	t.Parallel()
	d, dir, _, urls := shared(t, 1)
	d.flip(t, d.entries(t, "r")[2])
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	waiting, release := d.hold()
	ctx, cancel := context.WithCancel(t.Context())
	found := make(chan error)
	go func() {
		_, err := laptop.Document(ctx, urls[0])
		found <- err
	}()
	<-waiting
	cancel()
	release()
	if err := <-found; err == nil {
		t.Fatal("opened")
	}
	if _, err := laptop.Document(t.Context(), urls[0]); !isDamaged(err) {
		t.Errorf("opening it again: %v", err)
	}
}

// A header that goes bad while the engine runs takes nothing else along: the records are known by their number.
func TestHeaderGoesBadWhileOpen(t *testing.T) {
	t.Parallel()
	d, dir, _, urls := shared(t, 2)
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	inUse, err := laptop.Document(t.Context(), urls[1])
	must(t, err)
	d.flip(t, d.header(t, urls[0]))
	d.flip(t, d.header(t, urls[1]))
	if _, err := laptop.Document(t.Context(), urls[0]); !isDamaged(err) {
		t.Fatalf("opening it: %v", err)
	}
	must(t, laptop.Accept(t.Context(), urls[0]))
	h, err := laptop.Document(t.Context(), urls[0])
	must(t, err)
	if !has(h, "/k0") || !has(h, "/k3") {
		t.Error("its changes are not all there")
	}
	must(t, h.Close())

	before := text(t, inUse)
	laptop.Scrub(urls[1])
	must(t, inUse.Flush(t.Context()))
	ctx := patience(t)
	for {
		news := laptop.News()
		s, err := inUse.Status(t.Context())
		must(t, err)
		if s.State == tombolo.StateReady {
			break
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatalf("a document that is whole in memory is %s", s.State)
		}
	}
	if text(t, inUse) != before {
		t.Error("it is another document now")
	}
	must(t, inUse.Close())
}

// A list has all documents, also when one of them is found damaged only while the list is made.
func TestListFindsDamage(t *testing.T) {
	t.Parallel()
	d, dir, _, urls := shared(t, 2)
	log, err := persist.OpenLog(t.Context(), d, nil)
	must(t, err)
	name := persist.Name{Space: urls[0].Space, Doc: urls[0].Doc}
	hd, err := log.Header(t.Context(), name)
	must(t, err)
	stale := []byte{1, 0xa1, 3, 0xf5} // as earlier versions wrote it
	_, err = log.Append(t.Context(), name, persist.Append{After: hd.Last, Heads: hd.Heads, HeadsHash: hd.HeadsHash, Meta: stale})
	must(t, err)
	must(t, log.Close())
	for _, e := range d.entries(t, "r") {
		if len(e.Value) > 1000 && e.Key[8] == 1 {
			d.flip(t, e)
		}
	}
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	list, err := laptop.Home().List(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("the list has %d documents: %v", len(list), err)
	}
	quarantinedAs(t, laptop, urls[0], "record")
}

// A full disk puts checking off: what is whole in memory is written when there is room.
func TestScrubWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, dir, u := &smallDisk{disk: newDisk()}, t.TempDir(), doc.URL{}
		for range 2 {
			e := open(t, dir, tombolo.Options{Store: d, Offline: true})
			h, err := e.Home().Open(t.Context(), "list")
			must(t, err)
			if u = h.URL(); h.Report().Source == tombolo.FromStore {
				d.flip(t, d.entries(t, "r")[0])
				d.short.Store(true)
				sleep(time.Minute)
				if s, err := e.Status(t.Context()); err != nil || s.Store.State != tombolo.StateReadOnly {
					t.Errorf("the store is %s, %v", s.Store.State, err)
				}
				d.short.Store(false)
				sleep(time.Minute)
			} else {
				set(t, h, "/n", 1)
				set(t, h, "/m", 1)
			}
			must(t, h.Close())
			must(t, e.Close())
		}
		e := open(t, dir, tombolo.Options{Store: d, Offline: true})
		h, err := e.Document(t.Context(), u)
		must(t, err)
		if got := text(t, h); got != `{"m":1,"n":1}` {
			t.Errorf("it is %s", got)
		}
		must(t, h.Close())
		must(t, e.Close())
	})
}

// Packing finds damage, too, when the document is whole in memory: it is written once more.
func TestPackFindsDamage(t *testing.T) {
	t.Parallel()
	d, dir := newDisk(), t.TempDir()
	e := open(t, dir, tombolo.Options{Store: d, Offline: true})
	h, err := e.Home().Open(t.Context(), "list")
	must(t, err)
	set(t, h, "/n", 1)
	set(t, h, "/m", 1)
	u := h.URL()
	d.flip(t, d.entries(t, "r")[1])
	must(t, h.Close())
	must(t, e.Close())
	e = open(t, dir, tombolo.Options{Store: d, Offline: true})
	h = arrives(t, e, u)
	if got := text(t, h); got != `{"m":1,"n":1}` {
		t.Errorf("it is %s", got)
	}
}
