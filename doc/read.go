package doc

import (
	"crypto/sha256"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// Get reads the value at a path: a JSON Pointer, a plain key, or "" for the whole document. It gives the Go form; a path that leads
// nowhere is a [PathError].
func (d *Doc) Get(path string) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.reader()
	if err != nil {
		return nil, err
	}
	return r.get(path)
}

// Read decodes the value at a path into a Go variable, by the rules of package value: into is a pointer to a struct, slice, map or scalar. What
// does not fit is a [ValueError] that names the place.
func (d *Doc) Read(path string, into any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.reader()
	if err != nil {
		return err
	}
	return r.read(path, into)
}

// JSON is the canonical JSON of the value at a path.
func (d *Doc) JSON(path string) ([]byte, error) {
	v, err := d.Get(path)
	if err != nil {
		return nil, err
	}
	return EncodeJSON(v)
}

// Hash is SHA-256 of the document's canonical JSON: equal on all devices that have the same changes.
func (d *Doc) Hash() ([32]byte, error) {
	b, err := d.JSON("")
	return sha256.Sum256(b), err
}

// reader shows a document at one version to people: without the marks, and without containers that were removed and are still empty.
type reader struct {
	s    *opset.Set
	v    opset.View
	gone opset.Object // where those are marked; the root for nowhere
}

// reader reads the document as it is now. Called with mu held.
func (d *Doc) reader() (reader, error) {
	s, err := d.open()
	if err != nil {
		return reader{}, err
	}
	return readerOf(s, s.Now()), nil
}

func readerOf(s *opset.Set, v opset.View) reader {
	in, _ := goneMap(v) // the root, when there is none
	return reader{s: s, v: v, gone: in}
}

func (r reader) get(path string) (any, error) {
	p, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	pl, err := r.find(p)
	if err != nil {
		return nil, err
	}
	v, _ := r.value(pl)
	return v, nil
}

func (r reader) read(path string, into any) error {
	p, err := parsePath(path)
	if err != nil {
		return err
	}
	pl, err := r.find(p)
	if err != nil {
		return err
	}
	return r.decode(pl, into)
}

// decode is read for a place where something stands.
func (r reader) decode(pl place, into any) error {
	if r.hiding() && pl.fixed {
		v, _ := r.value(pl) // what is hidden inside must not show
		return value.Unmarshal(v, into)
	}
	return value.Decode(r.source(pl), into)
}

// isGone says whether the container at p is marked as removed.
func (r reader) isGone(p Pointer) bool {
	if !r.hiding() {
		return false
	}
	_, gone := r.v.Get(r.gone, p.String())
	return gone
}

// hiding says whether anything may be marked as removed.
func (r reader) hiding() bool { return r.gone != opset.Root }

// value reads what stands at a place. shown is false for nothing, and for a container that was removed and has stayed empty.
func (r reader) value(pl place) (out any, shown bool) {
	if !pl.has {
		return nil, false
	}
	if !r.hiding() || !pl.fixed || pl.kind(r.s) == kindNone {
		if pl.root() {
			return r.tree(pl), true
		}
		return r.v.Value(pl.item), true
	}
	size := r.v.Len(pl.object(r.s))
	if pl.kind(r.s) == kindMap {
		m := r.tree(pl)
		out, size = m, len(m)
	} else {
		out = r.v.Value(pl.item)
	}
	return out, size > 0 || !r.isGone(pl.path)
}

// tree reads a map at a fixed path.
func (r reader) tree(pl place) map[string]any {
	obj := pl.object(r.s)
	out := make(map[string]any, r.v.Len(obj))
	for sl, item := range r.v.Keys(obj) {
		k := r.s.KeyOf(sl)
		if pl.root() && k == marksKey {
			continue
		}
		if v, shown := r.value(place{path: pl.path.child(k), fixed: true, parent: obj, key: k, item: item, has: true}); shown {
			out[k] = v
		}
	}
	return out
}

// place is where a path leads: the root, a key of a map or an element of a list, and what stands there.
type place struct {
	path   Pointer
	fixed  bool // only map keys lead here
	parent opset.Object
	key    string     // in a map
	elem   opset.Slot // in a list
	idx    int        // in a list
	item   opset.Item
	has    bool // something stands there; always at the root

	hidden bool // a container that was removed stands there: for a reader there is nothing
}

func (pl *place) root() bool { return len(pl.path) == 0 }

// kind says what container stands there, kindNone where a scalar or nothing does.
func (pl *place) kind(s *opset.Set) kind {
	switch {
	case pl.root():
		return kindMap
	case !pl.has:
		return kindNone
	}
	obj, ok := s.Object(pl.item)
	if !ok {
		return kindNone
	}
	return kindOf(s.Kind(obj))
}

// object is the container that stands there; only where kind is one.
func (pl *place) object(s *opset.Set) opset.Object {
	if pl.root() {
		return opset.Root
	}
	obj, _ := s.Object(pl.item)
	return obj
}

// slot is the place in the operation index, for writing.
func (pl *place) slot(s *opset.Set) opset.Slot {
	if pl.elem.Seq {
		return pl.elem
	}
	return s.NewKey(pl.parent, pl.key)
}

func kindOf(a gate.Action) kind {
	switch a {
	case gate.ActMakeMap:
		return kindMap
	case gate.ActMakeList:
		return kindList
	case gate.ActMakeText:
		return kindText
	}
	return kindNone
}

// place walks to p. The last token may be a map key that does not exist yet; everything before must exist.
func (r reader) place(p Pointer) (place, error) {
	at := place{fixed: true, has: true}
	for i, token := range p {
		if i == 0 && token == marksKey {
			return place{}, badPath(p, "the key %s belongs to the engine", marksKey)
		}
		if at.hidden || !at.has {
			return place{}, badPath(p[:i], "there is nothing; create it first")
		}
		next := place{path: p[: i+1 : i+1], fixed: at.fixed, parent: at.object(r.s)}
		switch at.kind(r.s) {
		case kindMap:
			next.key = token
			next.item, next.has = r.v.Get(next.parent, token)
		case kindList:
			var err error
			if next.idx, err = index(token, r.v.Len(next.parent)); err != nil {
				return place{}, badPath(p[:i+1], "%v", err)
			}
			next.fixed, next.has = false, true
			next.elem, next.item = r.element(next.parent, next.idx)
		default:
			return place{}, badPath(p[:i], "it is %s, which has nothing inside", r.word(at))
		}
		next.hidden = r.hides(next)
		at = next
	}
	return at, nil
}

// find is the place of a value that must be there.
func (r reader) find(p Pointer) (place, error) {
	pl, err := r.place(p)
	if err == nil && (!pl.has || pl.hidden) {
		err = badPath(p, "there is nothing")
	}
	return pl, err
}

// element is the visible element at an index of a list, which must be there.
func (r reader) element(obj opset.Object, i int) (opset.Slot, opset.Item) {
	sl, _ := r.v.Index(obj, i)
	item, _ := r.v.Item(sl)
	return sl, item
}

// hides says whether a removed container stands at a place, still empty.
func (r reader) hides(pl place) bool { return pl.has && !r.shows(pl) }

// shows says whether a reader sees anything at a place: reader.value without reading more than it takes.
func (r reader) shows(pl place) bool {
	switch {
	case !pl.has:
		return false
	case !pl.fixed || !r.hiding() || pl.kind(r.s) == kindNone || !r.isGone(pl.path):
		return true
	}
	obj := pl.object(r.s)
	if pl.kind(r.s) != kindMap {
		for range r.v.Elements(obj) {
			return true
		}
		return false
	}
	for sl, item := range r.v.Keys(obj) {
		if r.shows(place{path: pl.path.child(r.s.KeyOf(sl)), fixed: true, item: item, has: true}) {
			return true
		}
	}
	return false
}

// word is what stands at a place, for messages.
func (r reader) word(pl place) string {
	switch pl.kind(r.s) {
	case kindText:
		return "a text"
	case kindNone:
		return kindName(r.v.Value(pl.item))
	}
	return "a container"
}
