package schema

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"tombolo/doc"
	"tombolo/doc/value"
)

// reading is one pass over a document's content.
type reading struct {
	version *compiled
	report  Report
	failed  []FieldError     // those with FailRead
	invalid map[finding]bool // what is in the report
	before  *reading         // what the program saw; nil where it did not look
}

// finding is a value that does not fit: its path in the view, where it is stored, and the step that makes it. An old field of a step, which the view
// does not have, may have the path of another one.
type finding struct{ path, at, group string }

func findingOf(n *node, path string) finding {
	f := finding{path: path, at: doc.Pointer(n.at).String()}
	if n.group != nil {
		f.group = n.group.id
	}
	return f
}

// had says whether the reading before found that the value of a field at a path does not fit.
func (r *reading) had(n *node, path *trail, names ...string) bool {
	return len(r.before.invalid) > 0 && r.before.invalid[findingOf(n, path.below(names...))]
}

// unit is a document, a row or an element, being read: the map that everything of it lies in.
type unit struct {
	in    *reading
	src   value.Source // its map; nil where nothing is stored yet
	path  *trail       // in the view
	evals []evaluated
	fresh []freshness
	first [4]freshness // memory for the first of them

	children *children
}

type evaluated struct {
	g *group
	e *eval
}

// at is what is stored at a path of map keys; nil for nothing.
func (u *unit) at(path []string) (value.Source, error) {
	src := u.src
	for i, key := range path {
		if src == nil || i > 0 && src.Kind() != value.Map { // a unit is a map
			return nil, nil
		}
		next, ok, err := src.Field(key)
		if err != nil || !ok {
			return nil, err
		}
		src = next
	}
	return src, nil
}

// keyed is what is stored under one key of the map at a path.
func (u *unit) keyed(holder []string, key string) (value.Source, error) {
	src, err := u.at(holder)
	if err != nil || src == nil || len(holder) > 0 && src.Kind() != value.Map {
		return nil, err
	}
	next, ok, err := src.Field(key)
	if !ok {
		return nil, err
	}
	return next, err
}

// note notes a value that does not fit its field.
func (in *reading) note(n *node, path string, r register) {
	at := findingOf(n, path)
	if in.invalid[at] {
		return // a lens reads what was read before
	}
	if in.invalid == nil {
		in.invalid = map[finding]bool{}
	}
	in.invalid[at] = true
	f := FieldError{Path: path, Raw: r.raw, Err: r.err}
	in.report.Invalid = append(in.report.Invalid, f)
	if n.opts.policy == FailRead {
		in.failed = append(in.failed, f)
	}
}

func pointer(key string) string { return doc.Pointer{key}.String() }

// register is a register at a version: what is stored, and what a view shows, both nil for nothing.
type register struct {
	raw, shown any
	absent     bool  // nothing is stored, so it shows the default
	err        error // why what is stored does not fit, or what a lens said
}

func (u *unit) register(n *node) (r register, err error) {
	if n.group != nil {
		e, err := u.eval(n.group)
		if err != nil {
			return r, err
		}
		if e.err != nil {
			return register{shown: n.opts.def, err: e.err}, nil
		}
		r.raw = e.values[n.out]
	} else {
		src, err := u.at(n.at)
		if err != nil {
			return r, err
		}
		if src == nil {
			return register{shown: n.opts.def, absent: true}, nil
		}
		r.raw = scalar(src)
	}
	if r.shown, r.err = n.accept(r.raw); r.err != nil {
		r.shown = n.opts.def
		if _, none := r.raw.(unreadable); n.opts.policy == KeepRaw && !none {
			r.shown = r.raw
		}
	}
	return r, nil
}

var errKind = errors.New("it is of another kind")

// accept is a value as the node's kind has it, or why it does not fit. Null fits every register.
func (n *node) accept(raw any) (any, error) {
	if raw == nil {
		return nil, nil
	}
	v, ok := convert(n.kind, raw)
	if !ok {
		return nil, fmt.Errorf("%w: %s is expected", errKind, a(n.kind))
	}
	if len(n.opts.enum) > 0 {
		if s, _ := v.(string); !slices.Contains(n.opts.enum, s) {
			return nil, fmt.Errorf("%q is none of %q", s, n.opts.enum)
		}
	}
	for _, c := range n.opts.checks {
		if err := c.call(v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// convert is a value in Go form as a register's kind has it, if nothing is lost.
func convert(k Kind, raw any) (any, bool) {
	switch v := raw.(type) {
	case string:
		return v, k == KindString
	case doc.Text:
		return string(v), k == KindString
	case doc.Counter: // which a whole number does not replace: it is counted to that
		return int64(v), k == KindInt
	case bool:
		return v, k == KindBool
	case int64:
		if k == KindFloat {
			return float64(v), int64(float64(v)) == v && v != math.MaxInt64
		}
		return v, k == KindInt
	case uint64:
		if v > math.MaxInt64 {
			return nil, false
		}
		return convert(k, int64(v))
	case float64:
		if k == KindInt {
			return int64(v), v == math.Trunc(v) && math.Abs(v) < 1<<53
		}
		return v, k == KindFloat
	case time.Time:
		return v, k == KindTime
	case []byte:
		return v, k == KindBytes
	}
	return nil, false
}

// unreadable stands for what is stored where a register is expected.
type unreadable struct{ kind value.Kind }

func (u unreadable) String() string { return u.kind.String() }

// scalar is a stored value in Go form.
func scalar(src value.Source) any {
	switch k := src.Kind(); k {
	case value.Null:
		return nil
	case value.Bool:
		return src.Bool()
	case value.Int:
		return src.Int()
	case value.Uint:
		return src.Uint()
	case value.Float:
		return src.Float()
	case value.String:
		return src.Str()
	case value.TextKind:
		return doc.Text(src.Str())
	case value.Bytes:
		return slices.Clone(src.Bytes())
	case value.Time:
		return src.Time()
	case value.CounterKind:
		return doc.Counter(src.Int())
	default:
		return unreadable{k}
	}
}
