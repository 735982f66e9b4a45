package tombolo_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"tombolo"
	"tombolo/persist"
)

// smallDisk refuses to write while it is short, as a store on a nearly full disk does.
type smallDisk struct {
	*disk
	short atomic.Bool
}

func (d *smallDisk) Room() error {
	if d.short.Load() {
		return &persist.NoSpaceError{Free: 60 << 20, Need: 64 << 20}
	}
	return nil
}

func (d *smallDisk) Apply(ctx context.Context, b *persist.Batch) error {
	if err := d.Room(); err != nil {
		return err
	}
	return d.disk.Apply(ctx, b)
}

// A nearly full disk makes the device read-only, says so, and nothing that was acknowledged suffers; with room again edits are taken.
func TestReadOnlyWhileTheDiskIsFull(t *testing.T) {
	t.Parallel()
	d := &smallDisk{disk: newDisk()}
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{Store: d, Offline: true})
	state := func() (tombolo.StoreStatus, string) {
		t.Helper()
		s, err := e.Status(t.Context())
		must(t, err)
		return s.Store, s.Documents[0].State
	}
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 0})
	must(t, err)
	if s, of := state(); s.State != tombolo.StateReady || of != tombolo.StateReady {
		t.Fatalf("with room the store is %+v, the document %s", s, of)
	}
	for round := range 3 {
		set(t, h, "/n", round)
		d.short.Store(true)
		if s, of := state(); round > 0 && (s.State != tombolo.StateReadOnly || of != tombolo.StateReadOnly) { // before anybody tries to write
			t.Fatalf("without room the store is %+v, the document %s", s, of)
		}
		for range 2 {
			if err := h.Change(t.Context(), "", put("/lost", 1)); !errors.Is(err, persist.ErrNoSpace) {
				t.Fatalf("an edit without room: %v", err)
			}
			if s, of := state(); s.State != tombolo.StateReadOnly || s.Free != 60<<20 || s.Need != 64<<20 || of != tombolo.StateReadOnly {
				t.Fatalf("without room the store is %+v, the document %s", s, of)
			}
			if v, err := h.Get("/n"); err != nil || v != int64(round) {
				t.Fatalf("reading without room: %v, %v", v, err)
			}
		}
		if _, err := e.Home().Create(t.Context(), nil); !errors.Is(err, persist.ErrNoSpace) {
			t.Fatalf("a new document without room: %v", err)
		}
		news := e.News()
		d.short.Store(false)
		if s, of := state(); s.State != tombolo.StateReady || of != tombolo.StateReady {
			t.Fatalf("with room again the store is %+v, the document %s", s, of)
		}
		awaits(t, "news of it", news)
	}
	set(t, h, "/after", true)
	must(t, h.Close())
	must(t, e.Close())
	e = open(t, dir, tombolo.Options{Store: d, Offline: true})
	h, err = e.Document(t.Context(), h.URL())
	must(t, err)
	if got := text(t, h); got != `{"after":true,"n":2}` {
		t.Errorf("after a restart the document is %s", got)
	}
	must(t, h.Close())
}
