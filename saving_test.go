package tombolo_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"tombolo"
	"tombolo/doc"
)

// Flush ends when what was changed before is on the disk, and says when it could not be written.
func TestFlush(t *testing.T) {
	d := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Store: d, Offline: true})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 0})
	must(t, err)
	if must(t, h.Flush(t.Context())); h.HasUnsaved() {
		t.Error("something is unsaved after creating")
	}
	waiting, release := d.hold()
	p, err := h.ChangeAsync(t.Context(), "", func(tx *doc.Tx) error { return tx.Set("n", 1) })
	must(t, err)
	<-waiting
	if !h.HasUnsaved() {
		t.Error("a change on its way counts as saved")
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Flush(over); !errors.Is(err, context.Canceled) {
		t.Errorf("flush with a context that is over: %v", err)
	}
	release()
	must(t, h.Flush(t.Context()))
	must(t, p.Wait(t.Context()))
	if h.HasUnsaved() {
		t.Error("something is unsaved after the flush")
	}

	waiting, release = d.hold()
	d.breaks(every)
	_, err = h.ChangeAsync(t.Context(), "", func(tx *doc.Tx) error { return tx.Set("n", 2) })
	must(t, err)
	<-waiting
	flushed, waits := make(chan error), make(chan struct{})
	go func() { flushed <- h.Flush(told{t.Context(), sync.OnceFunc(func() { close(waits) })}) }()
	<-waits
	release()
	if err := <-flushed; !errors.Is(err, errDisk) {
		t.Errorf("flush on a broken disk: %v", err)
	}
	d.repaired()
	must(t, h.Flush(t.Context()))
	if got := text(t, h); got != `{"n":1}` {
		t.Errorf("the document is %s", got)
	}
	must(t, h.Close())
	if err := h.Flush(t.Context()); !errors.Is(err, tombolo.ErrClosed) || h.HasUnsaved() {
		t.Errorf("flush of a closed handle: %v", err)
	}
}

// told is a context that tells when someone waits for its end.
type told struct {
	context.Context
	tell func()
}

func (c told) Done() <-chan struct{} {
	c.tell()
	return c.Context.Done()
}
