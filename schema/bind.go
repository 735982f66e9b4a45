package schema

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"tombolo/doc/value"
)

// BindError says why a Go type is no view of a version.
type BindError struct {
	Type    reflect.Type
	Version int
	Path    string // of the field, a JSON Pointer; * is any record or element
	Reason  string
}

func (e *BindError) Error() string {
	return fmt.Sprintf("schema: %s is no view of version %d: %s: %s", e.Type, e.Version, e.Path, e.Reason)
}

// boundObject is an object as a Go type shows it.
type boundObject struct {
	obj    *object
	fields map[string]*boundField
	whole  bool          // a Go map: it has all fields
	order  []*boundField // ascending by name
}

// boundField is a field that a Go type has.
type boundField struct {
	n       *node
	typ     reflect.Type // of the Go field; of a list, of its elements
	nilable bool         // it can say that there is no value
	narrow  bool         // it cannot hold all values of its kind
	zero    any          // what its zero value is in Go form
	list    bool         // a set as a slice

	plain bool         // a register, or a list of such, that shows what is stored, where that is of its kind
	shows value.Source // what it shows where nothing is stored; nil for nothing

	inside *boundObject // of a nested field
	row    *boundObject // of a table
	elem   *boundObject // of a list of objects
}

// binder binds a Go type to a version.
type binder struct {
	version *compiled
	bound   map[boundKey]*boundObject // rows may hold tables of their own kind
}

type boundKey struct {
	obj *object
	typ reflect.Type
}

var (
	anyType  = reflect.TypeFor[any]()
	treeType = reflect.TypeFor[map[string]any]()
	timeType = reflect.TypeFor[time.Time]()
)

func (b *binder) object(o *object, t reflect.Type) (*boundObject, *BindError) {
	t = base(t)
	key := boundKey{o, t}
	if known := b.bound[key]; known != nil {
		return known, nil
	}
	out := &boundObject{obj: o, fields: map[string]*boundField{}}
	b.bound[key] = out
	switch {
	case t == treeType || t == anyType:
		out.whole = true
		for name, n := range o.fields {
			f, err := b.field(n, anyType)
			if err != nil {
				return nil, err.below(name)
			}
			out.fields[name] = f
		}
	case t.Kind() == reflect.Struct && t != timeType:
		fields, err := value.StructFields(t)
		if err != nil {
			return nil, &BindError{Reason: err.Error()}
		}
		for _, sf := range fields {
			n := o.fields[sf.Name]
			switch {
			case n == nil:
				return nil, (&BindError{Reason: fmt.Sprintf("this version has no such field; it has %s", strings.Join(o.names(), ", "))}).below(sf.Name)
			case sf.OmitEmpty:
				return nil, (&BindError{Reason: "take omitempty out of the tag: what is not stored shows the default already"}).below(sf.Name)
			}
			f, err := b.field(n, sf.Type)
			if err != nil {
				return nil, err.below(sf.Name)
			}
			out.fields[sf.Name] = f
		}
	default:
		return nil, &BindError{Reason: fmt.Sprintf("%s cannot hold an object; use a struct, or map[string]any", t)}
	}
	for _, f := range out.fields {
		out.order = append(out.order, f)
	}
	slices.SortFunc(out.order, func(a, b *boundField) int { return strings.Compare(a.n.name, b.n.name) })
	return out, nil
}

func (e *BindError) below(name string) *BindError {
	e.Path = pointer(name) + e.Path
	return e
}

func (o *object) names() []string {
	var out []string
	for name := range o.fields {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func base(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func (b *binder) field(n *node, t reflect.Type) (*boundField, *BindError) {
	f := &boundField{n: n, typ: t, nilable: t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface}
	t = base(t)
	free := t == anyType
	if n.opts.def != nil {
		f.shows = value.FromTree(n.opts.def)
	}
	var err *BindError
	ok := free
	switch n.kind {
	case KindNested:
		f.inside, err = b.object(n.inside, t)
		ok = true
	case KindTable:
		elem := anyType
		if ok = free || t.Kind() == reflect.Map && t.Key().Kind() == reflect.String; ok && !free {
			elem = t.Elem()
		}
		if ok {
			if f.row, err = b.object(b.version.objects[n.row], elem); err != nil {
				err = err.below("*")
			}
		}
	case KindSet:
		f.list = t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String
		isSet := t.Kind() == reflect.Map && t.Key().Kind() == reflect.String && (t.Elem() == reflect.TypeFor[struct{}]() || t.Elem().Kind() == reflect.Bool)
		ok = free || f.list || isSet
	case KindList:
		elem := anyType
		if ok = free || t.Kind() == reflect.Slice; ok && !free {
			elem = t.Elem()
		}
		switch {
		case !ok:
		case n.elem.kind == KindNested:
			f.elem, err = b.object(n.elem.inside, elem)
			if err == nil && len(f.elem.fields) < len(n.elem.inside.fields) {
				err = &BindError{Reason: fmt.Sprintf("elements of a list are written as a whole, so the type needs all fields: %s",
					strings.Join(n.elem.inside.names(), ", "))}
			}
			if err != nil {
				err = err.below("*")
			}
		default:
			ok = holds(n.elem.kind, base(elem))
			f.typ, f.narrow = elem, narrow(base(elem))
		}
	default:
		ok = holds(n.kind, t)
		f.nilable = f.nilable || t.Kind() == reflect.Slice && n.kind == KindBytes
		f.narrow = narrow(t)
		if zero, err := value.Of(reflect.Zero(t).Interface()); err == nil && !free {
			f.zero, _ = goForm(zero) // what a hook of the application says of it
		}
		if bad := f.holds(n.opts.def); ok && bad != nil {
			return nil, &BindError{Reason: fmt.Sprintf("its default does not go into the Go type: %v", bad)}
		}
	}
	f.plain = !f.narrow && (n.simple() || n.elem != nil && n.elem.simple())
	if err == nil && !ok {
		err = &BindError{Reason: fmt.Sprintf("a %s does not go into a Go %s; use %s", n.kind, t, goTypes[n.kind])}
	}
	return f, err
}

// narrow says whether a Go type does not hold all values of a kind that it is for.
func narrow(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Int64, reflect.Float64, reflect.Slice, reflect.Interface:
		return value.HasHooks(t)
	case reflect.Int:
		return strconv.IntSize < 64 || value.HasHooks(t)
	}
	return t != timeType
}

// holds says why the Go field cannot hold a value; nil where it can.
func (f *boundField) holds(v any) error {
	if v == nil {
		return nil
	}
	return value.Decode(value.FromTree(v), reflect.New(f.typ).Interface())
}

// clip makes a register show its default where the Go field cannot hold what is stored.
func (f *boundField) clip(r *register) {
	if !f.narrow && r.err == nil {
		return
	}
	if err := f.holds(r.shown); err != nil {
		r.err, r.shown = cmp.Or(r.err, err), f.n.opts.def
	}
}

// simple says whether a register shows what is stored.
func (n *node) simple() bool {
	return n.kind.register() && n.group == nil && len(n.opts.enum) == 0 && len(n.opts.checks) == 0
}

// goTypes names what may hold a kind.
var goTypes = map[Kind]string{
	KindText: "string", KindString: "string", KindInt: "int64 or another whole number", KindFloat: "float64", KindBool: "bool", KindTime: "time.Time",
	KindBytes: "[]byte", KindCounter: "int64 or doc.Counter", KindSet: "doc.Set[string] or []string", KindList: "a slice", KindTable: "a map of structs by ID",
}

// holds says whether a Go type can hold a register, text or counter.
func holds(k Kind, t reflect.Type) bool {
	if t == anyType || value.HasHooks(t) {
		return true
	}
	switch k {
	case KindText, KindString:
		return t.Kind() == reflect.String
	case KindInt, KindCounter:
		return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64
	case KindFloat:
		return t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64
	case KindBool:
		return t.Kind() == reflect.Bool
	case KindTime:
		return t == timeType
	case KindBytes:
		return (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem().Kind() == reflect.Uint8
	}
	return false
}
