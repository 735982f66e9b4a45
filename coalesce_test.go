package tombolo_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tombolo"
	"tombolo/doc"
)

// sleep lets the time of a bubble pass, and everything that then happens.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// coalescing is an engine without a network whose edits wait, on a disk, with a document.
func coalescing(t *testing.T) (*disk, *tombolo.Engine, *tombolo.Handle) {
	t.Helper()
	d := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Store: d, Offline: true, Save: tombolo.Coalesce{}})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 0})
	must(t, err)
	d.breaks(nil) // counts from here
	return d, e, h
}

// writes is how many writes of documents the disk has taken since it was last told to break or work.
func (d *disk) writes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// Edits wait for half a minute of quiet, and two minutes at most; peers, watchers and Heads know nothing of them until then.
func TestCoalesce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _, h := coalescing(t)
		heads := h.Heads()
		events := make(chan tombolo.Event, 10)
		go func() {
			for ev := range h.Watch(t.Context()) {
				events <- ev
			}
			close(events)
		}()
		synctest.Wait()
		for i := range 3 {
			set(t, h, "/n", i+1)
			sleep(29 * time.Second)
		}
		if d.writes() != 0 || !h.HasUnsaved() || !slices.Equal(h.Heads(), heads) || len(events) != 0 {
			t.Fatalf("before half a minute of quiet: %d writes, unsaved %t, %d events", d.writes(), h.HasUnsaved(), len(events))
		}
		if got := text(t, h); got != `{"n":3}` {
			t.Errorf("the document is %s", got)
		}
		sleep(time.Second)
		if d.writes() != 1 || h.HasUnsaved() || slices.Equal(h.Heads(), heads) {
			t.Fatalf("after half a minute of quiet: %d writes, unsaved %t", d.writes(), h.HasUnsaved())
		}
		if ev := <-events; ev.Changes != 3 || ev.Remote {
			t.Errorf("the event: %+v", ev)
		}

		begun := time.Now()
		for d.writes() == 1 {
			set(t, h, "/n", int(time.Since(begun)/time.Second))
			sleep(10 * time.Second)
		}
		if waited := time.Since(begun); waited != 2*time.Minute || h.HasUnsaved() {
			t.Errorf("without quiet it was saved after %v", waited)
		}
		must(t, h.Close())
	})
}

// Whoever asks for the disk gets it: by Flush, Wait, Close of the handle or the engine, and a handle that saves at once.
func TestCoalesceAsked(t *testing.T) {
	for name, ask := range map[string]func(*testing.T, *tombolo.Engine, *tombolo.Handle){
		"Flush": func(t *testing.T, _ *tombolo.Engine, h *tombolo.Handle) { must(t, h.Flush(t.Context())) },
		"Wait": func(t *testing.T, _ *tombolo.Engine, h *tombolo.Handle) {
			p, err := h.ChangeAsync(t.Context(), "", put("/m", 1))
			must(t, err)
			must(t, p.Wait(t.Context()))
		},
		"Handle.Close": func(t *testing.T, _ *tombolo.Engine, h *tombolo.Handle) { must(t, h.Close()) },
		"Engine.Close": func(t *testing.T, e *tombolo.Engine, _ *tombolo.Handle) { must(t, e.Close()) },
		"a durable handle": func(t *testing.T, e *tombolo.Engine, h *tombolo.Handle) {
			at, err := e.Document(t.Context(), h.URL(), tombolo.Durable)
			must(t, err)
			set(t, at, "/m", 1)
			must(t, at.Close())
		},
		"a megabyte": func(t *testing.T, _ *tombolo.Engine, h *tombolo.Handle) {
			large := make([]byte, 1<<20)
			for i := range large {
				large[i] = byte(i * i >> 3)
			}
			set(t, h, "/m", large)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, e, h := coalescing(t)
				set(t, h, "/n", 1)
				if d.writes() != 0 {
					t.Fatal("it was saved at once")
				}
				ask(t, e, h)
				synctest.Wait()
				if h.HasUnsaved() {
					t.Error("something is unsaved")
				}
				if d.writes() == 0 {
					t.Error("nothing was saved")
				}
			})
		})
	}
}

// One save is under way at a time, and what comes meanwhile goes together behind it.
func TestCoalesceOneSaveAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _, h := coalescing(t)
		_, release := d.hold()
		for i := range 5 {
			set(t, h, fmt.Sprintf("/k%d", i), i)
			sleep(time.Minute)
		}
		release()
		synctest.Wait()
		if d.writes() != 2 || h.HasUnsaved() {
			t.Errorf("%d writes, unsaved %t", d.writes(), h.HasUnsaved())
		}
		must(t, h.Close())
	})
}

// Edits that could not be saved are undone, and each handle that made some is told, once.
func TestCoalesceFails(t *testing.T) {
	isLost := func(t *testing.T, err error, edits int) {
		t.Helper()
		lost, ok := errors.AsType[*tombolo.LostError](err)
		if !ok || lost.Edits != edits || !errors.Is(err, errDisk) {
			t.Errorf("the error is %v, want one about %d edits", err, edits)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		d, e, h := coalescing(t)
		other, err := e.Document(t.Context(), h.URL())
		must(t, err)
		d.breaks(every)
		set(t, h, "/n", 1)
		set(t, h, "/n", 2)
		set(t, other, "/m", 1)
		sleep(time.Minute)
		if got := text(t, h); got != `{"n":0}` || h.HasUnsaved() {
			t.Errorf("after a refused save the document is %s, unsaved %t", got, h.HasUnsaved())
		}
		d.repaired()
		isLost(t, h.Change(t.Context(), "", put("/n", 3)), 2)
		set(t, h, "/n", 4)
		must(t, h.Flush(t.Context()))
		isLost(t, other.Close(), 1)

		d.breaks(every)
		set(t, h, "/n", 5)
		isLost(t, h.Flush(t.Context()), 1)
		p, err := h.ChangeAsync(t.Context(), "", put("/n", 6))
		must(t, err)
		if err := p.Wait(t.Context()); !errors.Is(err, errDisk) {
			t.Errorf("waiting for a refused change: %v", err)
		}
		isLost(t, h.Flush(t.Context()), 1)
		set(t, h, "/n", 7)
		isLost(t, h.Close(), 1)
		d.repaired()
		h, err = e.Document(t.Context(), h.URL())
		must(t, err)
		if got := text(t, h); got != `{"n":4}` {
			t.Errorf("the document is %s", got)
		}
		must(t, h.Close())
	})
}

// Closing the engine says what it could not save.
func TestCoalesceFailsAtTheEnd(t *testing.T) {
	d := newDisk()
	e, err := tombolo.Open(t.Context(), t.TempDir(), &tombolo.Options{Store: d, Offline: true, Save: tombolo.Coalesce{}})
	must(t, err)
	h, err := e.Home().Create(t.Context(), nil)
	must(t, err)
	set(t, h, "/n", 1)
	d.breaks(every)
	if err := e.Close(); !errors.Is(err, errDisk) {
		t.Errorf("closing the engine: %v", err)
	}
	if err := h.Close(); err == nil {
		t.Error("closing the handle says nothing of what was lost")
	}
}

// Changes of another device come behind the edits that wait, in memory and on disk, and both devices get both.
func TestCoalesceAndPeer(t *testing.T) {
	t.Parallel()
	d := newDisk()
	dir := t.TempDir()
	laptop := open(t, dir, tombolo.Options{Store: d, Save: tombolo.Coalesce{Quiet: time.Hour}})
	desk := inMemory(t, tombolo.Options{})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), nil)
	must(t, err)
	there := arrives(t, desk, h.URL())
	for i := range 20 {
		set(t, h, fmt.Sprintf("/laptop%d", i), i)
		if _, err := there.Get(fmt.Sprintf("/laptop%d", i)); err == nil {
			t.Fatal("the other device has what is not saved here")
		}
		set(t, there, fmt.Sprintf("/desk%d", i), i)
		until(t, h, func() bool {
			_, err := h.Get(fmt.Sprintf("/desk%d", i))
			return err == nil && !h.HasUnsaved() // what waited is saved with what came behind it
		})
	}
	must(t, h.Flush(t.Context()))
	same(t, h, there)
	want := text(t, h)
	u := h.URL()
	must(t, laptop.Close())
	laptop = open(t, dir, tombolo.Options{Store: d, Offline: true})
	h, err = laptop.Document(t.Context(), u)
	must(t, err)
	defer h.Close()
	if got := text(t, h); got != want {
		t.Errorf("on disk is %s, want %s", got, want)
	}
}

// Undo, and changes of older versions, wait like others, and reading sees them.
func TestCoalesceEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _, h := coalescing(t)
		heads := h.Heads()
		set(t, h, "/n", 1)
		_, err := h.ChangeAt(t.Context(), heads, "", put("/m", 1))
		must(t, err)
		must(t, h.Undo(t.Context()))
		must(t, h.Redo(t.Context()))
		if got := text(t, h); got != `{"m":1,"n":1}` || d.writes() != 0 {
			t.Errorf("the document is %s after %d writes", got, d.writes())
		}
		must(t, h.Change(t.Context(), "", func(tx *doc.Tx) error { return tx.Remove("/m") }))
		must(t, h.Close())
		if d.writes() != 1 {
			t.Errorf("%d writes", d.writes())
		}
	})
}

// OnDevices counts what is on disks: edits that wait in memory are saved first.
func TestWaitSavesWhatWaits(t *testing.T) {
	t.Parallel()
	laptop := inMemory(t, tombolo.Options{Save: tombolo.Coalesce{Quiet: time.Hour}})
	desk := inMemory(t, tombolo.Options{})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), nil)
	must(t, err)
	defer h.Close()
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	there := arrives(t, desk, h.URL())
	for i := range 3 {
		set(t, h, "/n", i)
		must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
		if n, err := there.Get("/n"); err != nil || n != int64(i) || h.HasUnsaved() {
			t.Fatalf("the other device has %v, %v, want %d; unsaved %t", n, err, i, h.HasUnsaved())
		}
	}
}

// What an export has is on disk.
func TestExportSavesWhatWaits(t *testing.T) {
	t.Parallel()
	d := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Store: d, Offline: true, Save: tombolo.Coalesce{Quiet: time.Hour}})
	h, err := e.Home().Create(t.Context(), nil)
	must(t, err)
	defer h.Close()
	set(t, h, "/n", 1)
	_, err = h.Export(t.Context())
	must(t, err)
	if h.HasUnsaved() {
		t.Error("the file has changes that are not on disk")
	}
}
