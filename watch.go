package tombolo

import (
	"context"
	"iter"
	"slices"
	"time"

	"tombolo/doc"
)

// Event is news about a document: it changed, and the change is durable on this device.
type Event struct {
	From    []doc.Hash `json:"from"`    // the version before: that of the event before, or of the moment Watch was called
	Heads   []doc.Hash `json:"heads"`   // the version now
	Changes int        `json:"changes"` // how many changes came together
	Remote  bool       `json:"remote"`  // at least one of them came from another device

	// Patches lead from the value at From to the value at Heads, see [doc.ApplyPatches]: what a user interface has to redraw.
	Patches []doc.Patch `json:"patches,omitempty"`
	// Actions are the runs of a [doc.Action] among the changes, in the order in which they came.
	Actions []Action `json:"-"`
	// Err says why there are no Patches and Actions: the document cannot be read from the disk now. The next event then goes on
	// from this one's From, so nothing is skipped.
	Err error `json:"-"`
}

// Action is a run of a [doc.Action]: everything in it is what the writer's program claims.
type Action struct {
	Name    string
	Payload map[string]any // in Go form; [doc.Action.Payload] reads Message as a struct
	Message string
	Author  string    // the device's name
	Time    time.Time // to the second
	Change  doc.Hash
}

// watcher is one [Handle.Watch]; news that are not fetched yet are joined.
type watcher struct {
	next  *Event
	seen  []doc.Hash // the version its loop knows
	ready chan struct{}
}

// Watch yields an Event for each change of the document from now on, local and remote alike, until ctx ends or the handle or the engine
// closes. A slow loop misses none: what comes meanwhile is joined into one Event. The sequence is for one loop.
func (h *Handle) Watch(ctx context.Context) iter.Seq[Event] {
	w := h.watch()
	return func(yield func(Event) bool) {
		h.follow(ctx, w, func() bool {
			if h.use() != nil {
				return false
			}
			ev := h.fetch(ctx, w)
			h.e.work.Done()
			return ctx.Err() == nil && yield(ev)
		})
	}
}

// watch is a new watcher, which misses nothing from here on.
func (h *Handle) watch() *watcher {
	w := &watcher{ready: make(chan struct{}, 1)}
	d := h.lock()
	defer d.mu.Unlock()
	w.seen = d.heads
	d.watchers[w] = struct{}{}
	return w
}

// follow calls next whenever there is news for w, until it is false, or ctx ends, or the handle or the engine closes. Then w watches no more.
func (h *Handle) follow(ctx context.Context, w *watcher, next func() bool) {
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
		if !next() {
			return
		}
	}
}

// fetch takes the news of a watcher, and looks what they did to the value. Versions are compared by their heads: when the document was
// adopted by another space that had it already, its changes stand in another order than before.
func (h *Handle) fetch(ctx context.Context, w *watcher) Event {
	d, err := h.load(ctx)
	if err != nil {
		d = h.lock()
	}
	defer d.mu.Unlock()
	ev := *w.next
	w.next = nil
	now := d.heads
	ev.From, ev.Heads = slices.Clone(w.seen), slices.Clone(now) // they are the loop's to change
	if err == nil {
		ev.Patches, err = d.full.Diff(ev.From, ev.Heads)
	}
	if err == nil {
		ev.Actions, err = d.actions(ev.From)
	}
	if ev.Err = err; err == nil {
		w.seen = now
	}
	return ev
}

// actions are those among the durable changes since a version. Called with mu held.
func (d *document) actions(since []doc.Hash) ([]Action, error) {
	var out []Action
	for _, pos := range d.graph.Since(since) {
		if pos >= d.durable {
			break
		}
		e, err := d.full.Entry(d.graph.At(pos))
		if err != nil {
			return nil, err
		}
		if name, payload, ok := doc.ParseAction(e.Message); ok {
			out = append(out, Action{Name: name, Payload: payload, Message: e.Message, Author: e.Author, Time: e.Time, Change: e.Hash})
		}
	}
	return out, nil
}

// tell gives news to everyone who watches. Called with mu held.
func (d *document) tell(ev Event) {
	for w := range d.watchers {
		if w.next != nil {
			w.next = &Event{Changes: w.next.Changes + ev.Changes, Remote: w.next.Remote || ev.Remote}
			continue
		}
		next := ev
		w.next = &next
		w.ready <- struct{}{}
	}
}
