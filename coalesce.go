package tombolo

import (
	"fmt"
	"time"

	"tombolo/doc"
)

// A handle that coalesces gives its edits to the document at once, and to the disk together with others: when nobody has edited for a while, when the
// first of them has waited long enough, or when somebody asks. Until then they stand in the document's waiting, behind all that is on its way, so the
// log gets them in the order in which memory got them.

// maxWaiting is how many bytes of edits wait at most: they are in memory twice until they are saved.
const maxWaiting = 1 << 20

// pause is how a save waits.
type pause struct {
	since time.Time // the first of its edits
	timer *time.Timer
	bytes int
	over  bool // its time has come, and it waits only for the save before it
}

// put gives an edit to the disk: now, or later with others where when says so. Called with mu held.
func (d *document) put(s *save, when saving) *save {
	later := when.coalesces() && !d.ephemeral && d.e.isClosed() == nil // what comes once Close has begun would wait for nobody
	if d.waiting == nil && !later {
		return d.submit(s, nil)
	}
	w := d.waiting
	if w == nil {
		w = s
		w.wait.since = time.Now()
		d.waiting = w
		d.e.holdToo(d)
	} else {
		w.changes = append(w.changes, s.changes...)
		for h, edits := range s.by {
			w.by[h] += edits
		}
	}
	w.begin(d)
	for _, raw := range s.changes {
		w.wait.bytes += len(raw)
	}
	if !later || w.wait.bytes >= maxWaiting {
		d.send()
		return w
	}
	left := min(when.quiet, when.most-time.Since(w.wait.since))
	if w.wait.timer == nil {
		w.wait.timer = time.AfterFunc(left, func() { d.overdue(w) })
	} else {
		w.wait.timer.Reset(left)
	}
	return w
}

// overdue sends what has waited long enough, or has the save before it do so: one is under way at a time.
func (d *document) overdue(w *save) {
	if d.e.use() != nil {
		return // Close sends it
	}
	defer d.e.work.Done()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting != w {
		return
	}
	w.wait.over = true
	if len(d.unsaved) == 0 {
		d.send()
	}
}

// isBusy reports whether edits wait or are on their way to the disk.
func (d *document) isBusy() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting != nil || len(d.unsaved) > 0
}

// send gives what waits to the log. Called with mu held, by who holds d.
func (d *document) send() {
	if w := d.unwait(); w != nil {
		d.append(w, nil)
	}
}

// unwait is what waits, which it does no more. Called with mu held, by who holds d.
func (d *document) unwait() *save {
	w := d.waiting
	if w == nil {
		return nil
	}
	d.waiting = nil
	if w.wait.timer != nil {
		w.wait.timer.Stop()
	}
	d.e.release(d)
	return w
}

// LostError reports changes that a handle made, that waited for the disk, and that the disk refused. They are undone: neither this device nor
// another has them.
type LostError struct {
	Edits int   // how many, in all
	Err   error // what the disk said
}

func (e *LostError) Error() string {
	return fmt.Sprintf("%d changes made before could not be saved and are undone; look at the document and make them again: %v", e.Edits, e.Err)
}

// Unwrap gives what the disk said.
func (e *LostError) Unwrap() error { return e.Err }

// lose takes note that edits of the handle could not be saved. Called with the document's mu held.
func (h *Handle) lose(edits int, err error) {
	h.undo = doc.NewUndo(0) // some of its steps never were
	if !h.saving.coalesces() {
		return // who made them waits for them
	}
	if h.lost == nil {
		h.lost = &LostError{}
	}
	h.lost.Edits += edits
	h.lost.Err = err
}

// tellLost is the error about edits that were lost, once. Called with the document's mu held.
func (h *Handle) tellLost() error {
	lost := h.lost
	h.lost = nil
	if lost == nil {
		return nil
	}
	return lost
}
