package tombolo

import (
	"context"
	"iter"

	"tombolo/doc"
)

// Event is news about a document: it changed, and the change is durable on this device.
type Event struct {
	Heads   []doc.Hash `json:"heads"`   // the version now
	Changes int        `json:"changes"` // how many changes came together
	Remote  bool       `json:"remote"`  // at least one of them came from another device
}

// watcher is one [Handle.Watch]; news that are not fetched yet are joined.
type watcher struct {
	next  *Event
	ready chan struct{}
}

// Watch yields an Event for each change of the document from now on, local and remote alike, until ctx ends or the handle or the engine
// closes. A slow loop misses none: what comes meanwhile is joined into one Event. The sequence is for one loop.
func (h *Handle) Watch(ctx context.Context) iter.Seq[Event] {
	w := &watcher{ready: make(chan struct{}, 1)}
	d := h.lock()
	d.watchers[w] = struct{}{}
	d.mu.Unlock()
	return func(yield func(Event) bool) {
		defer func() {
			d := h.lock()
			defer d.mu.Unlock()
			delete(d.watchers, w)
		}()
		for {
			select {
			case <-ctx.Done():
				return
			case <-h.closed:
				return
			case <-h.e.closed:
				return
			case <-w.ready:
			}
			d := h.lock()
			ev := *w.next
			w.next = nil
			d.mu.Unlock()
			if !yield(ev) {
				return
			}
		}
	}
}

// tell gives news to everyone who watches. Called with mu held.
func (d *document) tell(ev Event) {
	for w := range d.watchers {
		if w.next != nil {
			w.next = &Event{Heads: ev.Heads, Changes: w.next.Changes + ev.Changes, Remote: w.next.Remote || ev.Remote}
			continue
		}
		next := ev
		w.next = &next
		w.ready <- struct{}{}
	}
}
