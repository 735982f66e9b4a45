package schema

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tombolo/doc"
	"tombolo/doc/value"
)

// nothing is what the sources of this file have of the kinds that they are not.
type nothing struct{}

func (nothing) Bool() bool                      { return false }
func (nothing) Int() int64                      { return 0 }
func (nothing) Uint() uint64                    { return 0 }
func (nothing) Float() float64                  { return 0 }
func (nothing) Str() string                     { return "" }
func (nothing) Bytes() []byte                   { return nil }
func (nothing) Time() time.Time                 { return time.Time{} }
func (nothing) Len() int                        { return 0 }
func (nothing) Index(int) (value.Source, error) { return nil, errors.New("it is no list") }

func (nothing) Field(string) (value.Source, bool, error) { return nil, false, nil }

func (nothing) Each(func(string, value.Source) error) error { return nil }

// objectSource shows an object as a Go type has it.
type objectSource struct {
	nothing
	u    *unit
	b    *boundObject
	path *trail // of the object in the view
	next int    // the field that is asked for next, if they are asked for in order
}

func (*objectSource) Kind() value.Kind { return value.Map }

func (x *objectSource) Field(name string) (value.Source, bool, error) {
	var f *boundField
	if x.next < len(x.b.order) && x.b.order[x.next].n.name == name {
		f = x.b.order[x.next]
		x.next++
	} else if f = x.b.fields[name]; f == nil {
		return nil, false, nil
	}
	src, err := x.u.show(f, x.path)
	return src, src != nil, err
}

func (x *objectSource) Each(yield func(key string, s value.Source) error) error {
	for _, f := range x.b.order {
		src, err := x.u.show(f, x.path)
		if err != nil {
			return err
		}
		if src == nil {
			src = null
		}
		if err := yield(f.n.name, src); err != nil {
			return err
		}
	}
	return nil
}

var null, noText = value.FromTree(nil), value.FromTree(doc.Text(""))

// children are the sources that a unit gives again and again: who reads has done with one before it asks for the next.
type children struct {
	set   setSource
	list  listSource
	table tableSource
}

func (u *unit) reused() *children {
	if u.children == nil {
		u.children = &children{}
	}
	return u.children
}

// show is what a field of the object at a path shows; nil for nothing, which is the zero value.
func (u *unit) show(f *boundField, path *trail) (value.Source, error) {
	n := f.n
	switch n.kind {
	case KindNested:
		_, err := u.container(n, value.Map, path)
		return &objectSource{u: u, b: f.inside, path: &trail{path, n.name}}, err
	case KindTable:
		src, err := u.container(n, value.Map, path)
		x := &u.reused().table
		x.in, x.f, x.src, x.path = u.in, f, src, trail{path, n.name}
		return x, err
	case KindSet:
		elems, err := u.elements(n, path)
		x := &u.reused().set
		x.elems, x.list = elems, f.list
		return x, err
	case KindList:
		src, err := u.container(n, value.List, path)
		x := &u.reused().list
		x.u, x.f, x.src, x.path = u, f, src, trail{path, n.name}
		return x, err
	case KindText:
		return u.text(n, path)
	case KindCounter:
		src, err := u.at(n.at)
		if err != nil || src != nil && src.Kind() == value.CounterKind && !f.narrow {
			return src, err
		}
		count, err := u.counter(f, path)
		return value.FromTree(count), err
	}
	if n.group != nil && len(n.opts.checks) == 0 && !f.narrow {
		src, err := u.stored(n)
		if err != nil || src != nil && src.Kind() == kinds[n.kind] && n.allows(src) {
			return src, err
		}
	}
	if f.plain {
		src, err := u.at(n.at)
		switch {
		case err != nil:
			return nil, err
		case src == nil:
			return f.shows, nil
		case src.Kind() == kinds[n.kind] || src.Kind() == value.Null:
			return src, nil // as it is: the usual case
		}
	}
	r, err := u.register(n)
	if err != nil {
		return nil, err
	}
	if f.clip(&r); r.err != nil {
		u.in.note(n, path.below(n.name), r)
	}
	if r.shown == nil && (r.raw != nil || r.absent) {
		return nil, nil
	}
	return value.FromTree(r.shown), nil
}

// allows says whether a string is one of the enum.
func (n *node) allows(src value.Source) bool {
	if len(n.opts.enum) == 0 {
		return true
	}
	text := textOf(src)
	for _, s := range n.opts.enum {
		if s == string(text) {
			return true
		}
	}
	return false
}

// kinds are the kinds that fields are stored as.
var kinds = [...]value.Kind{
	KindString: value.String, KindInt: value.Int, KindFloat: value.Float, KindBool: value.Bool, KindTime: value.Time, KindBytes: value.Bytes,
}

// container is what is stored for a field of a kind that is no register; nil for nothing, or for something else, which is reported.
func (u *unit) container(n *node, want value.Kind, path *trail) (value.Source, error) {
	src, err := u.at(n.at)
	if err != nil || src == nil || src.Kind() == want {
		return src, err
	}
	what := a(n.kind)
	if n.kind == KindNested {
		what = "an object"
	}
	u.in.note(n, path.below(n.name), register{raw: scalar(src), err: fmt.Errorf("%w: %s is expected", errKind, what)})
	return nil, nil
}

// text is what a text shows.
func (u *unit) text(n *node, path *trail) (value.Source, error) {
	if n.group != nil {
		if src, err := u.stored(n); err != nil || src != nil && src.Kind() == value.TextKind {
			return src, err
		}
		e, err := u.eval(n.group)
		if err != nil {
			return nil, err
		}
		if e.err != nil {
			u.in.note(n, path.below(n.name), register{err: e.err})
			return noText, nil
		}
		s, _ := e.values[0].(string)
		return value.FromTree(doc.Text(s)), nil
	}
	src, err := u.at(n.at)
	switch {
	case err != nil:
		return nil, err
	case src == nil || src.Kind() == value.Null:
		return noText, nil
	case src.Kind() == value.TextKind:
		return src, nil
	case src.Kind() == value.String:
		return value.FromTree(doc.Text(src.Str())), nil
	}
	u.in.note(n, path.below(n.name), register{raw: scalar(src), err: fmt.Errorf("%w: a text is expected", errKind)})
	return noText, nil
}

// counter is what a counter shows.
func (u *unit) counter(f *boundField, path *trail) (doc.Counter, error) {
	n := f.n
	src, err := u.at(n.at)
	if err != nil || src == nil {
		return 0, err
	}
	wrong := fmt.Errorf("%w: a counter is expected", errKind)
	switch src.Kind() {
	case value.CounterKind, value.Int:
		count := doc.Counter(src.Int())
		if !f.narrow {
			return count, nil
		}
		if wrong = f.holds(count); wrong == nil {
			return count, nil
		}
	}
	u.in.note(n, path.below(n.name), register{raw: scalar(src), err: wrong})
	return 0, nil
}

// elements are those of a set in ascending order: the keys of its map, and where it was one string once, that.
func (u *unit) elements(n *node, path *trail) ([]string, error) {
	src, err := u.container(n, value.Map, path)
	if err != nil {
		return nil, err
	}
	var out []string
	if src != nil {
		err = src.Each(func(key string, s value.Source) error {
			if s.Kind() == value.Bool && s.Bool() && key != "" { // which no version can write
				out = append(out, key)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if n.head != nil {
		head, err := u.head(n)
		if err != nil {
			return nil, err
		}
		if head != "" && !slices.Contains(out, head) {
			echoed, err := u.headEchoed(n)
			if err != nil {
				return nil, err
			}
			if !echoed {
				out = append(out, head)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// setSource shows the elements of a set: a map from each to true, or a list.
type setSource struct {
	nothing
	elems []string
	list  bool
	child stringSource
}

func (x *setSource) Kind() value.Kind {
	if x.list {
		return value.List
	}
	return value.Map
}

func (x *setSource) Len() int { return len(x.elems) }

func (x *setSource) Index(i int) (value.Source, error) {
	x.child.s = x.elems[i]
	return &x.child, nil
}

var member = value.FromTree(true)

func (x *setSource) Each(yield func(key string, s value.Source) error) error {
	for _, e := range x.elems {
		if err := yield(e, member); err != nil {
			return err
		}
	}
	return nil
}

func (x *setSource) Field(key string) (value.Source, bool, error) {
	_, ok := slices.BinarySearch(x.elems, key)
	return member, ok, nil
}

// stringSource shows a string.
type stringSource struct {
	nothing
	s string
}

func (*stringSource) Kind() value.Kind { return value.String }
func (x *stringSource) Str() string    { return x.s }

// head is the string that a set was made of; "" for none.
func (u *unit) head(n *node) (string, error) {
	src, err := u.at(n.head.at)
	if err != nil || src == nil {
		s, _ := n.head.opts.def.(string)
		return s, err
	}
	if src.Kind() == value.String && len(n.head.opts.enum)+len(n.head.opts.checks) == 0 {
		return src.Str(), nil
	}
	r, err := u.register(n.head)
	s, _ := r.shown.(string)
	return s, err
}

// headEchoed says whether a newer version wrote the string that a set was made of.
func (u *unit) headEchoed(n *node) (bool, error) {
	at := n.head.at
	echo, err := u.keyed(at[:len(at)-1], n.echo)
	if echo == nil || err != nil {
		return false, err
	}
	known := rawOf(echo)
	src, err := u.at(at)
	return err == nil && src != nil && known.same(rawOf(src).echo()), err
}

// deletedKey marks a row as deleted, see [doc.Table].
const deletedKey = "$deleted"

// tableSource shows the records of a table that are not deleted.
type tableSource struct {
	nothing
	in   *reading
	f    *boundField
	src  value.Source
	path trail
	row  recordSource // the one that is being read
}

// recordSource is one record of a table, used for all of them in turn.
type recordSource struct {
	objectSource
	unit unit
	path trail
}

func (*tableSource) Kind() value.Kind { return value.Map }

// record is the source of a record.
func (x *tableSource) record(id string, src value.Source) value.Source {
	r := &x.row
	r.path = trail{&x.path, id}
	r.unit = unit{in: x.in, src: src, path: &r.path, evals: r.unit.evals[:0], fresh: r.unit.fresh[:0], children: r.unit.children}
	r.objectSource = objectSource{u: &r.unit, b: x.f.row, path: &r.path}
	return &r.objectSource
}

func (x *tableSource) Each(yield func(key string, s value.Source) error) error {
	if x.src == nil {
		return nil
	}
	return x.src.Each(func(id string, row value.Source) error {
		there, err := isRecord(row)
		if err != nil {
			return err
		}
		if !there {
			if row.Kind() != value.Map {
				x.in.note(x.f.n, x.path.below(id), register{raw: scalar(row), err: fmt.Errorf("%w: a record is expected", errKind)})
			}
			return nil
		}
		return yield(id, x.record(id, row))
	})
}

func (x *tableSource) Field(id string) (value.Source, bool, error) {
	if x.src == nil {
		return nil, false, nil
	}
	row, ok, err := x.src.Field(id)
	if err != nil || !ok {
		return nil, false, err
	}
	if ok, err = isRecord(row); err != nil || !ok {
		return nil, false, err
	}
	return x.record(id, row), true, nil
}

// isRecord says whether a row is one that is not deleted.
func isRecord(row value.Source) (bool, error) {
	if row.Kind() != value.Map {
		return false, nil
	}
	_, deleted, err := row.Field(deletedKey)
	return !deleted, err
}

// listSource shows the elements of a list.
type listSource struct {
	nothing
	u    *unit
	f    *boundField
	src  value.Source
	path trail
}

func (*listSource) Kind() value.Kind { return value.List }

func (x *listSource) Len() int {
	if x.src == nil {
		return 0
	}
	return x.src.Len()
}

func (x *listSource) Index(i int) (value.Source, error) {
	src, err := x.src.Index(i)
	if err != nil {
		return nil, err
	}
	elem := x.f.n.elem
	if elem.kind == KindNested {
		path := &trail{&x.path, strconv.Itoa(i)}
		u := &unit{in: x.u.in, src: src, path: path}
		if src.Kind() != value.Map {
			x.u.in.note(elem, path.below(), register{raw: scalar(src), err: fmt.Errorf("%w: an object is expected", errKind)})
			u.src = nil
		}
		return &objectSource{u: u, b: x.f.elem, path: path}, nil
	}
	if x.f.plain && src.Kind() == kinds[elem.kind] {
		return src, nil
	}
	raw := scalar(src)
	v, err := elem.accept(raw)
	if err == nil && x.f.narrow {
		err = x.f.holds(v)
	}
	if err != nil {
		x.u.in.note(elem, x.path.below(strconv.Itoa(i)), register{raw: raw, err: err})
		v = nil
	}
	if v == nil {
		v = zeroOf(elem.kind)
	}
	return value.FromTree(v), nil
}

// zeroOf stands for an element that has no value.
func zeroOf(k Kind) any {
	switch k {
	case KindString:
		return ""
	case KindInt:
		return int64(0)
	case KindFloat:
		return 0.0
	case KindBool:
		return false
	case KindTime:
		return time.Time{}
	}
	return []byte{}
}
