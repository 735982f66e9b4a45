package tombolo

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	Problem   string // what a quarantined document has, or what makes one read-only by itself

	Deleted time.Time // when it was deleted; zero for a document that is not

	Schema    []SchemaVersion // as in [DocumentStatus]
	MinWriter int             // likewise
}

// Open opens the document that the engine's App knows under a name, and creates it if this device does not have it. Created on two
// devices that have never met, it is the same document, and merges. With an [Init] it begins with something.
func (s *Space) Open(ctx context.Context, name string, options ...OpenOption) (*Handle, error) {
	return s.OpenNamed(ctx, s.e.opts.App, name, options...)
}

// OpenNamed is Open for a document of another application.
func (s *Space) OpenNamed(ctx context.Context, app, name string, options ...OpenOption) (*Handle, error) {
	if name == "" {
		return nil, errors.New("a named document needs a name; use Create for one without")
	}
	n := newDocument{
		id: doc.NamedID(app, name), app: app, name: name, first: func(tx *doc.Tx) error { return tx.SetName(name) }, opening: s.e.opening(options),
	}
	if err := s.refuseDeleted(ctx, n.id); err != nil {
		return nil, err
	}
	h, err := s.create(ctx, n)
	if err != nil {
		return nil, err
	}
	if err := s.refuseDeleted(ctx, n.id); err != nil { // another device brought it meanwhile
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// Create makes a document with a random ID. value is what it begins with: a map in the Go form of package doc, a func(*doc.Tx) error that writes
// it, or nil for nothing.
func (s *Space) Create(ctx context.Context, value any, options ...OpenOption) (*Handle, error) {
	o := s.e.opening(options)
	if o.init != nil {
		return nil, errNoInit
	}
	id, err := doc.NewID(s.e.opts.Rand)
	if err != nil {
		return nil, err
	}
	first := func(tx *doc.Tx) error {
		switch value := value.(type) {
		case nil:
			return nil
		case func(*doc.Tx) error:
			return value(tx)
		}
		return tx.Put(value)
	}
	return s.create(ctx, newDocument{id: id, app: s.e.opts.App, first: first, opening: o})
}

// newDocument is what there is to know of a document that may have to be made.
type newDocument struct {
	id        doc.ID
	app, name string
	first     func(*doc.Tx) error // writes its first change
	then      func(*doc.Tx) error // writes the change behind what init writes; nil for none
	opening
}

// create opens a document, after making it with genesis and a first change if it is not on this device.
func (s *Space) create(ctx context.Context, n newDocument) (*Handle, error) {
	begun := time.Now()
	if err := s.e.use(); err != nil {
		return nil, err
	}
	defer s.e.work.Done()
	h, err := s.e.openAs(ctx, sync.Key{Space: s.id, Doc: n.id}, n.opening)
	if err != nil {
		return nil, err
	}
	existed := h.exists()
	history, first := [][]byte{doc.Genesis(n.id, n.app)}, n.first
	if n.init != nil && !existed {
		var changes [][]byte
		if changes, err = h.initial(ctx, n); len(changes) > 0 {
			history, first = changes, n.then
		}
	}
	var p *Pending
	made := false
	if err == nil {
		p, made, err = h.begin(ctx, history, "create", first)
	}
	if err == nil {
		err = p.Wait(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	h.reported(begun, existed, made)
	return h, nil
}

// exists reports whether the document has changes, on disk or in memory.
func (h *Handle) exists() bool {
	d := h.lock()
	defer d.mu.Unlock()
	return d.durable > 0 || d.graph != nil && d.graph.Len() > 0
}

// begin writes what a document without changes begins with, the genesis first, and one change more unless first is nil. It reports false where the
// document has changes already: then it only waits for those under way.
func (h *Handle) begin(ctx context.Context, history [][]byte, message string, first func(*doc.Tx) error) (*Pending, bool, error) {
	if h.isShown() {
		return &Pending{}, false, nil
	}
	d, err := h.load(ctx)
	if err != nil {
		return nil, false, err
	}
	defer d.mu.Unlock()
	if d.graph.Len() > 0 {
		return d.underWay(), false, nil // someone else is making it: it is there when it is on disk
	}
	if err := d.mayWrite(); err != nil {
		return nil, false, err
	}
	applied, err := d.full.Apply(history...)
	if err != nil {
		return nil, false, err
	}
	var edited doc.Edited
	if first != nil {
		edited, err = d.full.Edit(h.e.note(message), first)
	}
	if err != nil {
		d.discard()
		return nil, false, err
	}
	s := &save{}
	for _, c := range append(applied.New, edited.Changes...) {
		s.changes = append(s.changes, c.Raw)
	}
	return &Pending{s: d.submit(s, d.marks())}, true, nil
}

// underWay is what is on its way to the disk. Called with mu held.
func (d *document) underWay() *Pending {
	if n := len(d.unsaved); n > 0 {
		return &Pending{s: d.unsaved[n-1]}
	}
	return &Pending{}
}

// Find opens a named document that this device has. Its errors are those of [Engine.Document] where it has none of that name.
func (s *Space) Find(ctx context.Context, app, name string, options ...OpenOption) (*Handle, error) {
	u := doc.URL{Space: s.id, Doc: doc.NamedID(app, name)}
	return s.e.Document(ctx, u, options...)
}

// List is all documents of the space on this device that are not deleted, in the order of their IDs.
func (s *Space) List(ctx context.Context) ([]Info, error) {
	return s.list(ctx, func(i Info) bool { return i.Deleted.IsZero() })
}

func (s *Space) list(ctx context.Context, wanted func(Info) bool) ([]Info, error) {
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
		if wanted(info) {
			out = append(out, info)
		}
	}
	return out, nil
}

// mayWrite says why this device may not write to the document. One that no other device gets is its own.
func (d *document) mayWrite() error {
	if d.ephemeral {
		return nil
	}
	return d.e.mayWrite(d.key.Space)
}

// mayEdit says why this program may not change the document's value. Called with mu held, when the document is read.
func (d *document) mayEdit() error {
	if err := d.mayWrite(); err != nil {
		return err
	}
	return d.standing.why
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
	e.core.forget(key)
}

// forget drops what is known of a document that is not here any more.
func (c *coreState) forget(key sync.Key) {
	delete(c.versions, key)
	for peer := range c.acks[key] {
		c.unkept[ackKey{key, peer}] = true
	}
	delete(c.acks, key)
}
