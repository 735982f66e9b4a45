package doc

import (
	"crypto/sha256"
	"fmt"
	"runtime"

	"github.com/automerge/automerge-go"
)

// Get reads the value at a path: a JSON Pointer, a plain key, or "" for the whole document. It gives the Go form; a path that leads
// nowhere is a [PathError].
func (d *Doc) Get(path string) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.core == nil {
		return nil, ErrClosed
	}
	p, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	r, err := d.reader()
	if err != nil {
		return nil, err
	}
	return r.get(p)
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

func (r reader) get(p Pointer) (any, error) {
	pl, err := r.place(p)
	if err != nil {
		return nil, err
	}
	v, shown, err := r.value(pl.now, p, pl.fixed)
	if err != nil {
		return nil, err
	}
	if !shown {
		return nil, badPath(p, "there is nothing")
	}
	return v, nil
}

// reader turns the core's values into the Go form.
type reader struct {
	core *automerge.Doc
	gone map[string]bool
}

func (d *Doc) reader() (reader, error) {
	gone, err := d.gone()
	return reader{d.core, gone}, err
}

// isGone says whether the container at p is marked as removed.
func (r reader) isGone(p Pointer) bool { return len(r.gone) > 0 && r.gone[p.String()] }

// value reads v, which stands at p; fixed says that only map keys lead there. shown is false for nothing, and for a container that
// was removed and has stayed empty.
func (r reader) value(v *automerge.Value, p Pointer, fixed bool) (out any, shown bool, err error) {
	size := 1
	switch v.Kind() {
	case automerge.KindVoid:
		return nil, false, nil
	case automerge.KindMap:
		m, err := r.mapValue(v.Map(), p, fixed)
		if err != nil {
			return nil, false, err
		}
		out, size = m, len(m)
	case automerge.KindList:
		l, err := r.listValue(v.List(), p)
		if err != nil {
			return nil, false, err
		}
		out, size = l, len(l)
	case automerge.KindText:
		s, err := textOf(v)
		if err != nil {
			return nil, false, err
		}
		out, size = Text(s), len(s)
	default:
		out, err = scalar(v)
	}
	return out, size > 0 || !fixed || !r.isGone(p), err
}

func (r reader) mapValue(m *automerge.Map, p Pointer, fixed bool) (map[string]any, error) {
	values, err := m.Values()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", p, err)
	}
	out := make(map[string]any, len(values))
	for k, v := range values {
		if len(p) == 0 && k == marksKey {
			continue
		}
		e, shown, err := r.value(v, p.child(k), fixed)
		if err != nil {
			return nil, err
		}
		if shown {
			out[k] = e
		}
	}
	return out, nil
}

func (r reader) listValue(l *automerge.List, p Pointer) ([]any, error) {
	values, err := l.Values()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", p, err)
	}
	out := make([]any, len(values))
	for i, v := range values {
		if out[i], _, err = r.value(v, p.child(fmt.Sprint(i)), false); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func textOf(v *automerge.Value) (string, error) {
	t := v.Text()
	s, err := t.Get()
	runtime.KeepAlive(t) // the binding does not keep a text's object alive during its calls
	return s, err
}

func scalar(v *automerge.Value) (any, error) {
	switch v.Kind() {
	case automerge.KindNull:
		return nil, nil
	case automerge.KindBool:
		return v.Bool(), nil
	case automerge.KindInt64:
		return v.Int64(), nil
	case automerge.KindUint64:
		return v.Uint64(), nil
	case automerge.KindFloat64:
		return v.Float64(), nil
	case automerge.KindStr:
		return v.Str(), nil
	case automerge.KindBytes:
		return v.Bytes(), nil
	case automerge.KindTime:
		return v.Time().UTC(), nil
	case automerge.KindCounter:
		n, err := v.Counter().Get()
		return Counter(n), err
	}
	return Unknown{}, nil
}

// place is where a path leads: a key of a map or an index of a list, and what stands there now.
type place struct {
	path  Pointer
	fixed bool // only map keys lead here
	m     *automerge.Map
	key   string
	l     *automerge.List
	idx   int
	now   *automerge.Value // KindVoid when the key is not there

	hidden bool // a container that was removed stands there: for a reader there is nothing
}

// place walks to p. The last token may be a map key that does not exist yet; everything before must exist.
func (r reader) place(p Pointer) (place, error) {
	at := place{fixed: true, now: r.core.Root()}
	for i, token := range p {
		if i == 0 && token == marksKey {
			return place{}, badPath(p, "the key %s belongs to the engine", marksKey)
		}
		if at.hidden {
			return place{}, badPath(p[:i], "there is nothing; create it first")
		}
		next := place{path: p[:i+1], fixed: at.fixed}
		var err error
		switch at.now.Kind() {
		case automerge.KindMap:
			next.m, next.key = at.now.Map(), token
			if next.now, err = next.m.Get(token); err != nil {
				return place{}, badPath(p[:i+1], "%v", err)
			}
		case automerge.KindList:
			next.l, next.fixed = at.now.List(), false
			if next.idx, err = index(token, next.l.Len()); err != nil {
				return place{}, badPath(p[:i+1], "%v", err)
			}
			if next.now, err = next.l.Get(next.idx); err != nil {
				return place{}, badPath(p[:i+1], "%v", err)
			}
		case automerge.KindVoid:
			return place{}, badPath(p[:i], "there is nothing; create it first")
		default:
			return place{}, badPath(p[:i], "it is %s, which has nothing inside", kindWord(at.now))
		}
		if next.hidden, err = r.hides(next); err != nil {
			return place{}, err
		}
		at = next
	}
	return at, nil
}

// hides says whether a removed container stands at a place, still empty.
func (r reader) hides(pl place) (bool, error) {
	if !pl.fixed || kindOf(pl.now) == kindNone || !r.isGone(pl.path) {
		return false, nil
	}
	_, shown, err := r.value(pl.now, pl.path, true)
	return !shown, err
}

func kindOf(v *automerge.Value) kind {
	switch v.Kind() {
	case automerge.KindMap:
		return kindMap
	case automerge.KindList:
		return kindList
	case automerge.KindText:
		return kindText
	}
	return kindNone
}

func kindWord(v *automerge.Value) string {
	if v.Kind() == automerge.KindText {
		return "a text"
	}
	s, err := scalar(v)
	if err != nil || kindOf(v) != kindNone {
		return "a container"
	}
	return kindName(s)
}
