package tombolo

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"sync/atomic"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// Handle is a document that a program has open. The document stays in memory until every Handle of it is closed.
type Handle struct {
	e      *Engine
	d      *document
	closed atomic.Bool
}

// open makes a handle; the document is read when it is first needed.
func (e *Engine) open(ctx context.Context, key sync.Key) (*Handle, error) {
	d := e.document(key)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.handles++
	if err := d.read(ctx, true); err != nil {
		d.handles--
		e.idle(d)
		return nil, err
	}
	return &Handle{e: e, d: d}, nil
}

// Close gives the document up; what was changed stays. A second Close does nothing.
func (h *Handle) Close() error {
	if h.closed.Swap(true) {
		return nil
	}
	d := h.d
	d.mu.Lock()
	defer d.mu.Unlock()
	d.handles--
	h.e.idle(d)
	return nil
}

// URL names the document, on this and on every other device.
func (h *Handle) URL() doc.URL {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	return doc.URL{Space: h.d.key.Space, Doc: h.d.key.Doc}
}

// usable is nil as long as handle and engine are open.
func (h *Handle) usable() error {
	if h.closed.Load() {
		return ErrClosed
	}
	return h.e.isClosed()
}

// full is the document itself, read again if it had to be given up.
func (h *Handle) full(ctx context.Context) (*doc.Doc, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.d.read(ctx, true); err != nil {
		return nil, err
	}
	return h.d.full, nil
}

// Change runs fn on the document and returns when what it wrote is on this device's disk; other devices hear of it then. message says
// why, in the history. If fn fails, or the disk does, the document stays as it was.
func (h *Handle) Change(ctx context.Context, message string, fn func(*doc.Tx) error) error {
	p, err := h.ChangeAsync(ctx, message, fn)
	if err != nil {
		return err
	}
	return p.Wait(ctx)
}

// Pending is a change on its way to the disk.
type Pending struct{ s *save }

// Wait returns when the change is on this device's disk, or could not be written: then it is undone. When ctx ends first, the change
// may still be written.
func (p *Pending) Wait(ctx context.Context) error {
	if p.s == nil {
		return nil // fn changed nothing
	}
	select {
	case <-p.s.done:
		return p.s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ChangeAsync is Change without waiting for the disk: the document has the change when it returns, the disk when Wait does. Changes
// under way together become durable together.
func (h *Handle) ChangeAsync(ctx context.Context, message string, fn func(*doc.Tx) error) (*Pending, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	d := h.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := h.e.mayWrite(d.key.Space); err != nil {
		return nil, err
	}
	if err := d.read(ctx, true); err != nil {
		return nil, err
	}
	return d.edit(message, fn)
}

// edit changes the full document and submits what that made. Called with mu held.
func (d *document) edit(message string, fn func(*doc.Tx) error) (*Pending, error) {
	before := d.graph.Heads()
	edited, err := d.full.Edit(doc.Note{Message: message, Time: d.e.now()}, fn)
	if err != nil {
		return nil, err
	}
	if len(edited.Changes) == 0 {
		return &Pending{}, nil
	}
	s := &save{before: before}
	for _, c := range edited.Changes {
		s.changes = append(s.changes, c.Raw)
	}
	return &Pending{d.submit(s, nil)}, nil
}

// Get reads the value at a path in Go form, as [doc.Doc.Get] does.
func (h *Handle) Get(path string) (any, error) {
	full, err := h.full(h.e.run)
	if err != nil {
		return nil, err
	}
	return full.Get(path)
}

// JSON is the canonical JSON of the value at a path, as [doc.EncodeJSON] writes it.
func (h *Handle) JSON(path string) ([]byte, error) {
	full, err := h.full(h.e.run)
	if err != nil {
		return nil, err
	}
	return full.JSON(path)
}

// Hash is SHA-256 of the document's canonical JSON: equal on all devices that have the same changes.
func (h *Handle) Hash() ([32]byte, error) {
	full, err := h.full(h.e.run)
	if err != nil {
		return [32]byte{}, err
	}
	return full.Hash()
}

// Read decodes the document into a Go value as encoding/json does, with texts as strings, counters as numbers, times in RFC 3339 and
// bytes in base64.
func (h *Handle) Read(into any) error {
	v, err := h.Get("")
	if err != nil {
		return err
	}
	b, err := json.Marshal(doc.Plain(v))
	if err != nil {
		return fmt.Errorf("read %s: %w", h.URL(), err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read %s: %w", h.URL(), err)
	}
	return nil
}

// Heads are the version of the document on this device, as far as it is durable.
func (h *Handle) Heads() []doc.Hash {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	return h.d.heads
}

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

// Watch yields an Event for each change of the document from now on, local and remote alike, until ctx ends or the engine closes. A
// slow loop misses none: what comes meanwhile is joined into one Event.
func (h *Handle) Watch(ctx context.Context) iter.Seq[Event] {
	d := h.d
	w := &watcher{ready: make(chan struct{}, 1)}
	d.mu.Lock()
	d.watchers[w] = struct{}{}
	d.mu.Unlock()
	return func(yield func(Event) bool) {
		defer func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			delete(d.watchers, w)
		}()
		for {
			select {
			case <-ctx.Done():
				return
			case <-h.e.closed:
				return
			case <-w.ready:
			}
			d.mu.Lock()
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

// Condition is what [Handle.Wait] waits for.
type Condition func(DocumentStatus) bool

// OnDevices is met when at least n devices, this one included, have the document's version of this moment on their disks.
func OnDevices(n int) Condition {
	return func(s DocumentStatus) bool {
		have := 0
		for _, d := range s.Devices {
			if d.Durable {
				have++
			}
		}
		return have >= n
	}
}

// Wait returns when every condition is met at one moment, or with ctx's error.
func (h *Handle) Wait(ctx context.Context, conditions ...Condition) error {
	for {
		news := h.e.News()
		s, err := h.Status(ctx)
		if err != nil {
			return err
		}
		met := true
		for _, c := range conditions {
			met = met && c(s)
		}
		if met {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		case <-h.e.closed:
			return ErrClosed
		}
	}
}

// Status says which device has which version of the document on its disk.
func (h *Handle) Status(ctx context.Context) (DocumentStatus, error) {
	if err := h.usable(); err != nil {
		return DocumentStatus{}, err
	}
	u := h.URL()
	return h.e.documentStatus(ctx, persist.Name{Space: u.Space, Doc: u.Doc})
}
