package schema

import (
	"fmt"
	"slices"

	"tombolo/doc"
	"tombolo/doc/value"
)

// plan is what an update is going to write. It is made as a whole before the first of it is written.
type plan struct {
	maps  []string        // that have to be there, from the outside in
	known map[string]bool // those
	seeds []put           // what devices begin alike
	puts  []put           // in this order
}

// put is one write.
type put struct {
	path string
	how  how
	v    any
}

type how uint8

const (
	assign how = iota
	remove
	drop   // a record
	splice // v is an edit of a text
)

// edit is what is spliced into a text.
type edit struct {
	path    doc.Pointer // in the view
	at, del int
	s       string
}

func (p *plan) empty() bool { return len(p.maps)+len(p.seeds)+len(p.puts) == 0 }

// apply carries the plan out.
func (p *plan) apply(tx *doc.Tx) error {
	for _, path := range p.maps {
		if err := tx.Set(path, map[string]any{}); err != nil {
			return err
		}
	}
	for _, s := range p.seeds {
		if err := tx.Seed(s.path, s.v); err != nil {
			return err
		}
	}
	for _, w := range p.puts {
		if err := w.apply(tx); err != nil {
			return err
		}
	}
	return nil
}

func (w put) apply(tx *doc.Tx) error {
	switch w.how {
	case remove:
		return tx.Remove(w.path)
	case drop:
		return tx.DeleteRecord(w.path)
	case splice:
		e := w.v.(edit)
		if err := tx.Text(w.path).Splice(e.at, e.del, e.s); err != nil {
			return refuse(e.path, e.s, "%w", err)
		}
		return nil
	}
	return tx.Set(w.path, w.v)
}

// target is a unit being written.
type target struct {
	*plan
	u       *unit
	at      *trail    // where the unit's map is stored
	pending []pending // fields of groups that are to change
	stale   []*group  // groups whose old fields are to be looked after
}

// pending is a new value of a field that a group makes, and its echo where that field is an old one of another group.
type pending struct {
	n    *node
	v    any
	echo []put
}

// place is where something below the unit is stored.
func (t *target) place(path ...string) string { return t.at.below(path...) }

// has plans for the map at a path below the unit to be there.
func (t *target) has(path []string) error {
	for i := range len(path) + 1 {
		if t.at == nil && i == 0 {
			continue // the document itself
		}
		src, err := t.u.at(path[:i])
		if err != nil {
			return err
		}
		switch {
		case src == nil || src.Kind() == value.Null:
		case src.Kind() == value.Map:
			continue
		default:
			return refuse(t.u.path.pointer(path[:i]...), scalar(src), "something else is stored at %s, and is not overwritten; take it away there first (doc.Tx.Remove)",
				t.place(path[:i]...))
		}
		p := t.place(path[:i]...)
		if t.known[p] {
			continue
		}
		if t.known == nil {
			t.known = map[string]bool{}
		}
		t.known[p] = true
		t.maps = append(t.maps, p)
	}
	return nil
}

// store plans a value at a path below the unit, where nil means null.
func (t *target) store(path []string, v any) error {
	if err := t.has(path[:len(path)-1]); err != nil {
		return err
	}
	t.puts = append(t.puts, put{t.place(path...), assign, v})
	return nil
}

// write plans a register, and right behind it its echo.
func (t *target) write(n *node, v any, echo ...put) error {
	if n.group == nil {
		if err := t.store(n.at, v); err != nil {
			return err
		}
		t.puts = append(t.puts, echo...)
		return nil
	}
	t.pending = slices.DeleteFunc(t.pending, func(p pending) bool { return p.n.group == n.group && p.n.out == n.out })
	t.pending = append(t.pending, pending{n, v, echo})
	return nil
}

// ValueError says that a value cannot be written. Nothing was.
type ValueError struct {
	Path  string // in the view, a JSON Pointer
	Value any    // nil where it is of another kind
	Err   error
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("schema: %s cannot be written: %v; nothing was written", e.Path, e.Err)
}

// Unwrap gives why.
func (e *ValueError) Unwrap() error { return e.Err }

// refuse says what is wrong with a value that this program wants to write.
func refuse(path doc.Pointer, v any, format string, args ...any) error {
	return &ValueError{Path: path.String(), Value: v, Err: fmt.Errorf(format, args...)}
}
