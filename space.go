package tombolo

import (
	"context"
	"errors"
	"fmt"

	"tombolo/doc"
	"tombolo/space"
	"tombolo/sync"
)

// Space is a set of documents that its members share. Every device has a home space of its own from the start.
type Space struct {
	e  *Engine
	id doc.SpaceID
}

// ID names the space on every device.
func (s *Space) ID() doc.SpaceID { return s.id }

// Name is what people call the space.
func (s *Space) Name() string {
	s.e.mem.mu.Lock()
	defer s.e.mem.mu.Unlock()
	if m := s.e.mem.spaces[s.id]; m != nil {
		return m.Title()
	}
	return ""
}

// Role is what this device may do in the space: "owner", "writer" or "reader"; "removed" if it is no longer a member.
func (s *Space) Role() string { return s.e.role(s.id, s.e.Self().Peer).String() }

// Home is this device's own space, or the one it has adopted.
func (e *Engine) Home() *Space {
	e.mem.mu.Lock()
	defer e.mem.mu.Unlock()
	return &Space{e, e.mem.home}
}

// Spaces are all spaces this device is a member of, its home first.
func (e *Engine) Spaces() []*Space {
	e.mem.mu.Lock()
	defer e.mem.mu.Unlock()
	out := []*Space{{e, e.mem.home}}
	for _, id := range e.mem.ids() {
		if id != e.mem.home {
			out = append(out, &Space{e, id})
		}
	}
	return out
}

// Info is one document of a list.
type Info struct {
	URL       doc.URL
	App, Name string // from the document's marks; empty where it has none
	Changes   uint64
	Heads     []doc.Hash
	State     string // as in [DocumentStatus]
	Problem   string // what a quarantined document has
}

// Open opens the document that the engine's App knows under a name, and creates it if this device does not have it. Created on two
// devices that have never met, it is the same document, and merges.
func (s *Space) Open(ctx context.Context, name string) (*Handle, error) {
	return s.OpenNamed(ctx, s.e.opts.App, name)
}

// OpenNamed is Open for a document of another application.
func (s *Space) OpenNamed(ctx context.Context, app, name string) (*Handle, error) {
	if name == "" {
		return nil, errors.New("a named document needs a name; use Create for one without")
	}
	return s.create(ctx, doc.NamedID(app, name), app, func(tx *doc.Tx) error { return tx.SetName(name) })
}

// Create makes a document with a random ID. value is what it begins with: a map in the Go form of package doc, or nil for nothing.
func (s *Space) Create(ctx context.Context, value any) (*Handle, error) {
	id, err := doc.NewID(s.e.opts.Rand)
	if err != nil {
		return nil, err
	}
	return s.create(ctx, id, s.e.opts.App, func(tx *doc.Tx) error {
		if value == nil {
			return nil
		}
		return tx.Put(value)
	})
}

// create opens a document, after making it with genesis and first if it is not on this device.
func (s *Space) create(ctx context.Context, id doc.ID, app string, first func(*doc.Tx) error) (*Handle, error) {
	if err := s.e.use(); err != nil {
		return nil, err
	}
	defer s.e.work.Done()
	h, err := s.e.open(ctx, sync.Key{Space: s.id, Doc: id})
	if err != nil {
		return nil, err
	}
	p, _, err := h.begin(ctx, [][]byte{doc.Genesis(id, app)}, "create", first)
	if err == nil {
		err = p.Wait(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// begin writes what a document without changes begins with, the genesis first, and one change more. It reports false where the document
// has changes already: then it only waits for those under way.
func (h *Handle) begin(ctx context.Context, history [][]byte, message string, first func(*doc.Tx) error) (*Pending, bool, error) {
	d, err := h.load(ctx)
	if err != nil {
		return nil, false, err
	}
	defer d.mu.Unlock()
	if d.graph.Len() > 0 {
		return d.underWay(), false, nil // someone else is making it: it is there when it is on disk
	}
	if err := h.e.mayWrite(d.key.Space); err != nil {
		return nil, false, err
	}
	applied, err := d.full.Apply(history...)
	if err != nil {
		return nil, false, err
	}
	edited, err := d.full.Edit(h.e.note(message), first)
	if err != nil {
		d.discard()
		return nil, false, err
	}
	s := &save{}
	for _, c := range append(applied.New, edited.Changes...) {
		s.changes = append(s.changes, c.Raw)
	}
	return &Pending{d.submit(s, d.marks())}, true, nil
}

// underWay is what is on its way to the disk. Called with mu held.
func (d *document) underWay() *Pending {
	if n := len(d.unsaved); n > 0 {
		return &Pending{d.unsaved[n-1]}
	}
	return &Pending{}
}

// Find opens a named document that this device has; [ErrNotFound] if it has none of that name.
func (s *Space) Find(ctx context.Context, app, name string) (*Handle, error) {
	u := doc.URL{Space: s.id, Doc: doc.NamedID(app, name)}
	return s.e.Document(ctx, u)
}

// List is all documents of the space on this device, in the order of their IDs.
func (s *Space) List(ctx context.Context) ([]Info, error) {
	if err := s.e.use(); err != nil {
		return nil, err
	}
	defer s.e.work.Done()
	var out []Info
	for name := range s.e.names() {
		if name.Space != s.id {
			continue
		}
		info, err := s.e.info(ctx, name)
		if errors.Is(err, ErrNotFound) {
			continue // it moved or went while we looked
		}
		if err != nil {
			return nil, err
		}
		out = append(out, info)
	}
	return out, nil
}

// mayWrite says why this device may not write in a space.
func (e *Engine) mayWrite(id doc.SpaceID) error {
	switch e.role(id, e.Self().Peer) {
	case space.Owner, space.Writer:
		return e.room()
	case space.Reader:
		return ErrReadOnly
	}
	return fmt.Errorf("this device is not a member of the space %s: ask a member for an invitation", id)
}

// forget takes a document that has left a space out of the core.
func (e *Engine) forget(key sync.Key) {
	e.core.mu.Lock()
	defer e.core.mu.Unlock()
	e.core.core.Forget(key)
	delete(e.core.versions, key)
	for peer := range e.core.acks[key] {
		e.core.unkept[ackKey{key, peer}] = true
	}
	delete(e.core.acks, key)
}
