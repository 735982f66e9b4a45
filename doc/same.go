package doc

import (
	"math"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// unchanged says whether writing want to a place would change nothing. It costs a comparison and no memory.
func (tx *Tx) unchanged(pl place, want value.Value) bool {
	if tx.reader().hiding() && pl.fixed {
		return false // what is hidden is not what it seems
	}
	if pl.root() {
		return tx.sameMap(opset.Root, want)
	}
	return pl.has && tx.same(pl.item, want)
}

// same says whether an item already is what writing want over it would make.
func (tx *Tx) same(item opset.Item, want value.Value) bool {
	v := tx.s.Now()
	obj, ok := tx.s.Object(item)
	if !ok {
		return tx.sameScalar(item, want)
	}
	switch k := kindOf(tx.s.Kind(obj)); {
	case k == kindMap && want.Kind() == value.Map:
		return tx.sameMap(obj, want)
	case k == kindList && want.Kind() == value.List:
		if v.Len(obj) != want.Len() {
			return false
		}
		i := 0
		for _, e := range v.Elements(obj) {
			if !tx.same(e, want.Index(i)) {
				return false
			}
			i++
		}
		return true
	case k == kindText && (want.Kind() == value.TextKind || want.Kind() == value.String && !tx.exact):
		rest := want.Str()
		for _, e := range v.Elements(obj) {
			b := tx.s.TextOf(e)
			if len(rest) < len(b) || rest[:len(b)] != string(b) {
				return false
			}
			rest = rest[len(b):]
		}
		return rest == ""
	}
	return false
}

func (tx *Tx) sameMap(obj opset.Object, want value.Value) bool {
	if want.Kind() != value.Map {
		return false
	}
	v, n := tx.s.Now(), 0
	for key, w := range want.Fields {
		item, has := v.Get(obj, key)
		if has != (w.Kind() != value.Absent) || has && !tx.same(item, w) {
			return false
		}
		n++
	}
	if want.Partial() {
		return true
	}
	if obj == opset.Root {
		if _, ok := v.Get(obj, marksKey); ok {
			n++
		}
	}
	return v.Len(obj) == n
}

func (tx *Tx) sameScalar(item opset.Item, want value.Value) bool {
	t, b := tx.s.Scalar(item)
	switch want.Kind() {
	case value.Null:
		return t == gate.TypeNull
	case value.Bool:
		return t == gate.TypeTrue && want.Bool() || t == gate.TypeFalse && !want.Bool()
	case value.Int:
		switch t {
		case gate.TypeInt:
			return tx.s.Int(item) == want.Int()
		case gate.TypeUint:
			return want.Int() >= 0 && tx.s.Uint(item) == uint64(want.Int())
		case gate.TypeCounter:
			return !tx.exact && tx.s.Now().Counter(item) == want.Int()
		}
	case value.Uint:
		switch n := want.Uint(); t {
		case gate.TypeUint:
			return tx.s.Uint(item) == n
		case gate.TypeInt:
			return n <= math.MaxInt64 && tx.s.Int(item) == int64(n)
		case gate.TypeCounter:
			return !tx.exact && n <= math.MaxInt64 && tx.s.Now().Counter(item) == int64(n)
		}
	case value.Float:
		return t == gate.TypeFloat && math.Float64bits(tx.s.Float(item)) == math.Float64bits(want.Float())
	case value.String:
		return t == gate.TypeString && string(b) == want.Str()
	case value.Bytes:
		return t == gate.TypeBytes && string(b) == string(want.Bytes())
	case value.Time:
		return t == gate.TypeTime && tx.s.Int(item) == want.Time().UnixMilli()
	case value.CounterKind:
		return t == gate.TypeCounter && tx.s.Now().Counter(item) == want.Int()
	}
	return false
}

// kindAt is the kind of the scalar at a place; value.Absent where there is none.
func (tx *Tx) kindAt(pl place) value.Kind {
	if !pl.has || pl.kind(tx.s) != kindNone {
		return value.Absent
	}
	t, _ := tx.s.Scalar(pl.item)
	return scalarKinds[t]
}
