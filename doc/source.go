package doc

import (
	"slices"
	"time"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// source reads values for package value where they lie. It shows what is hidden, too, where it is not fixed: callers see to that.
type source struct {
	r    *reader
	root bool // the document itself, without its marks
	item opset.Item

	fixed bool    // keys of maps lead here, so removed containers are known by their path
	up    *source // of a fixed one
	key   string  // under which it stands there

	elems  []opset.Item // of a list, once listed
	listed bool
	below  *source // the child that was given last, which the next one reuses
}

func (r *reader) source(pl place) *source { return &source{r: r, root: pl.root(), item: pl.item} }

// object is the container that stands there, with its kind; kindNone for a scalar.
func (x *source) object() (opset.Object, kind) {
	if x.root {
		return opset.Root, kindMap
	}
	obj, ok := x.r.s.Object(x.item)
	if !ok {
		return 0, kindNone
	}
	return obj, kindOf(x.r.s.Kind(obj))
}

// Kind says what stands there.
func (x *source) Kind() value.Kind {
	switch _, k := x.object(); k {
	case kindMap:
		return value.Map
	case kindList:
		return value.List
	case kindText:
		return value.TextKind
	}
	t, _ := x.r.s.Scalar(x.item)
	return scalarKinds[t]
}

var scalarKinds = [...]value.Kind{
	gate.TypeNull: value.Null, gate.TypeFalse: value.Bool, gate.TypeTrue: value.Bool, gate.TypeUint: value.Uint, gate.TypeInt: value.Int,
	gate.TypeFloat: value.Float, gate.TypeString: value.String, gate.TypeBytes: value.Bytes, gate.TypeCounter: value.CounterKind, gate.TypeTime: value.Time,
}

func (x *source) Bool() bool {
	t, _ := x.r.s.Scalar(x.item)
	return t == gate.TypeTrue
}

func (x *source) Int() int64 {
	if t, _ := x.r.s.Scalar(x.item); t == gate.TypeCounter {
		return x.r.v.Counter(x.item)
	}
	return x.r.s.Int(x.item)
}

func (x *source) Uint() uint64 { return x.r.s.Uint(x.item) }

func (x *source) Float() float64 { return x.r.s.Float(x.item) }

func (x *source) Str() string {
	if obj, k := x.object(); k == kindText {
		return x.r.v.Text(obj)
	}
	return string(x.Bytes())
}

// StringBytes is the bytes of a String where they lie, for reading. It belongs to sources that can give them without a copy.
func (x *source) StringBytes() []byte { return x.Bytes() }

func (x *source) Bytes() []byte {
	_, b := x.r.s.Scalar(x.item)
	return b
}

func (x *source) Time() time.Time { return time.UnixMilli(x.r.s.Int(x.item)).UTC() }

func (x *source) Len() int {
	if !x.listed {
		x.listed = true
		obj, _ := x.object()
		x.elems = slices.Grow(x.elems[:0], x.r.v.Len(obj))
		for _, item := range x.r.v.Elements(obj) {
			x.elems = append(x.elems, item)
		}
	}
	return len(x.elems)
}

func (x *source) Index(i int) (value.Source, error) {
	x.Len()
	return x.child(x.elems[i]), nil
}

func (x *source) Field(key string) (value.Source, bool, error) {
	if x.root && key == marksKey {
		return nil, false, nil
	}
	obj, _ := x.object()
	item, ok := x.r.v.Get(obj, key)
	if !ok || x.hides(key, item) {
		return nil, false, nil
	}
	return x.under(key, item), true, nil
}

func (x *source) Each(f func(key string, s value.Source) error) error {
	obj, _ := x.object()
	for sl, item := range x.r.v.Keys(obj) {
		key := x.r.s.KeyOf(sl)
		if x.root && key == marksKey || x.hides(key, item) {
			continue
		}
		if err := f(key, x.under(key, item)); err != nil {
			return err
		}
	}
	return nil
}

// child is what stands inside: the same source each time, which package value allows.
func (x *source) child(item opset.Item) *source {
	if x.below == nil {
		x.below = &source{r: x.r}
	}
	x.below.item, x.below.listed, x.below.fixed = item, false, false
	return x.below
}

// under is child for what stands at a key.
func (x *source) under(key string, item opset.Item) *source {
	c := x.child(item)
	c.fixed, c.up, c.key = x.fixed, x, key
	return c
}

// hides says whether what stands at a key is a removed container.
func (x *source) hides(key string, item opset.Item) bool {
	if !x.fixed || !x.r.hiding() {
		return false
	}
	path := Pointer{key}
	for ; !x.root; x = x.up {
		path = append(path, x.key)
	}
	slices.Reverse(path)
	return x.r.hides(place{path: path, fixed: true, item: item, has: true})
}
