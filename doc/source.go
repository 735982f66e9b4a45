package doc

import (
	"slices"
	"strconv"
	"time"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// source reads values for package value where they lie. It shows what is hidden, too: callers see to that.
type source struct {
	reader
	pl    place
	elems []opset.Item // of a list, from the first Len on
}

// Kind says what stands there.
func (x *source) Kind() value.Kind {
	switch x.pl.kind(x.s) {
	case kindMap:
		return value.Map
	case kindList:
		return value.List
	case kindText:
		return value.TextKind
	}
	t, _ := x.s.Scalar(x.pl.item)
	return scalarKinds[t]
}

var scalarKinds = [...]value.Kind{
	gate.TypeNull: value.Null, gate.TypeFalse: value.Bool, gate.TypeTrue: value.Bool, gate.TypeUint: value.Uint, gate.TypeInt: value.Int,
	gate.TypeFloat: value.Float, gate.TypeString: value.String, gate.TypeBytes: value.Bytes, gate.TypeCounter: value.CounterKind, gate.TypeTime: value.Time,
}

func (x *source) Bool() bool {
	t, _ := x.s.Scalar(x.pl.item)
	return t == gate.TypeTrue
}

func (x *source) Int() int64 {
	if t, _ := x.s.Scalar(x.pl.item); t == gate.TypeCounter {
		return x.v.Counter(x.pl.item)
	}
	return x.s.Int(x.pl.item)
}

func (x *source) Uint() uint64 { return x.s.Uint(x.pl.item) }

func (x *source) Float() float64 { return x.s.Float(x.pl.item) }

func (x *source) Str() string {
	if x.pl.kind(x.s) == kindText {
		return x.v.Text(x.pl.object(x.s))
	}
	return string(x.Bytes())
}

func (x *source) Bytes() []byte {
	_, b := x.s.Scalar(x.pl.item)
	return b
}

func (x *source) Time() time.Time { return time.UnixMilli(x.s.Int(x.pl.item)).UTC() }

func (x *source) Len() int {
	if x.elems == nil {
		obj := x.pl.object(x.s)
		x.elems = make([]opset.Item, 0, x.v.Len(obj))
		for _, item := range x.v.Elements(obj) {
			x.elems = append(x.elems, item)
		}
	}
	return len(x.elems)
}

func (x *source) Index(i int) (value.Source, error) {
	return x.child(strconv.Itoa(i), false, x.elems[i], true), nil
}

func (x *source) Field(key string) (value.Source, bool, error) {
	item, ok := x.v.Get(x.pl.object(x.s), key)
	return x.child(key, x.pl.fixed, item, ok), ok, nil
}

func (x *source) Each(f func(key string, s value.Source) error) error {
	for _, e := range slices.Collect(x.entries()) {
		if err := f(e.key, x.child(e.key, x.pl.fixed, e.item, true)); err != nil {
			return err
		}
	}
	return nil
}

type entry struct {
	key  string
	item opset.Item
}

func (x *source) entries() func(yield func(entry) bool) {
	return func(yield func(entry) bool) {
		for sl, item := range x.v.Keys(x.pl.object(x.s)) {
			key := x.s.KeyOf(sl)
			if x.pl.root() && key == marksKey {
				continue
			}
			if !yield(entry{key, item}) {
				return
			}
		}
	}
}

func (x *source) child(token string, fixed bool, item opset.Item, has bool) *source {
	return &source{reader: x.reader, pl: place{path: Pointer{token}, fixed: fixed, item: item, has: has}}
}
