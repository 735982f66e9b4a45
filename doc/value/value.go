package value

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"time"
)

// Value is a Go value as a document sees it, read where it lies: nothing is copied until it is asked for. It is small and meant to be
// passed by value; walking scalars and fields of structs allocates nothing. Its zero value is [Absent].
//
// What it was made of must not change as long as it is used. Methods for a kind that the value is not of return zero.
type Value struct {
	rv   reflect.Value // for Invalid, the *Error
	plan *plan         // nil when the kind says all
	kind Kind
}

// Of looks at v: a tree in Go form, or any value of a type that [Check] allows, or a pointer to one. A type that cannot be stored is an
// *[Error]; what v holds has not been looked at: see [Value.Check].
func Of(v any) (Value, error) {
	out := of(reflect.ValueOf(v))
	return out, asError(out.invalid())
}

func of(rv reflect.Value) Value {
	if !rv.IsValid() {
		return Value{kind: Null}
	}
	p, err := planOf(rv.Type())
	if err != nil {
		return invalid(err)
	}
	return p.value(rv)
}

func invalid(err *Error) Value { return Value{rv: reflect.ValueOf(err), kind: Invalid} }

// value follows rv, which p is the plan of, through pointers, interfaces and hooks to what is stored for it.
func (p *plan) value(rv reflect.Value) Value {
	for range MaxDepth {
		switch p.op {
		case opPointer:
			if rv.IsNil() {
				return Value{kind: Null}
			}
			rv, p = rv.Elem(), p.elem
			continue
		case opHook:
			v, err := receiver(rv, p.byAddr).(Marshaler).MarshalDoc()
			if err != nil {
				return invalid(hookError("MarshalDoc", p.typ, err))
			}
			rv = reflect.ValueOf(v)
		case opTextHook:
			s, err := marshalText(rv, p.byAddr)
			if err != nil {
				return invalid(err)
			}
			return Value{rv: reflect.ValueOf(s), plan: stringPlan, kind: String}
		case opMember:
			return Value{rv: reflect.ValueOf(true), plan: p, kind: Bool}
		case opAny:
			rv = rv.Elem()
		default:
			if p.op == opBytes && rv.IsNil() {
				return Value{kind: Null}
			}
			return Value{rv: rv, plan: p, kind: p.kind}
		}
		if !rv.IsValid() {
			return Value{kind: Null}
		}
		var err *Error
		if p, err = planOf(rv.Type()); err != nil {
			return invalid(err)
		}
	}
	return invalid(refuse("pointers or hooks lead back to where they started; break the circle"))
}

// Kind is what the value is in a document.
func (v Value) Kind() Kind { return v.kind }

// Partial reports whether the value is a struct: keys that it does not have belong to newer code, and a write leaves them. A map
// without a key means that the key is to go.
func (v Value) Partial() bool { return v.kind == Map && v.plan.op == opStruct }

// Fixed reports whether the value is a list with the length that its type says: a Go array. Elements that come and go would leave
// one that fits no more, so a write replaces them in their places, or the list as a whole.
func (v Value) Fixed() bool { return v.kind == List && v.plan.op == opArray }

// Err says why a value of kind [Invalid] cannot be stored, or is nil. Its path starts at this value.
func (v Value) Err() error { return asError(v.invalid()) }

func (v Value) invalid() *Error {
	if v.kind != Invalid {
		return nil
	}
	return v.rv.Interface().(*Error)
}

// Bool is the value of a [Bool].
func (v Value) Bool() bool { return v.kind == Bool && v.rv.Bool() }

// Int is the value of an [Int] or a [CounterKind].
func (v Value) Int() int64 {
	if v.kind != Int && v.kind != CounterKind {
		return 0
	}
	return v.rv.Int()
}

// Uint is the value of a [Uint].
func (v Value) Uint() uint64 {
	if v.kind != Uint {
		return 0
	}
	return v.rv.Uint()
}

// Float is the value of a [Float].
func (v Value) Float() float64 {
	if v.kind != Float {
		return 0
	}
	return v.rv.Float()
}

// Str is the value of a [String] or a [TextKind].
func (v Value) Str() string {
	if v.kind != String && v.kind != TextKind {
		return ""
	}
	return v.rv.String()
}

// Bytes is the value of [Bytes]. It shares memory with what the value was made of.
func (v Value) Bytes() []byte {
	if v.kind != Bytes {
		return nil
	}
	rv := v.rv
	if rv.Kind() == reflect.Array && !rv.CanAddr() {
		rv = reflect.New(rv.Type()).Elem()
		rv.Set(v.rv)
	}
	return rv.Bytes()
}

// Time is the value of a [Time], in UTC and rounded down to milliseconds, as it is stored.
func (v Value) Time() time.Time {
	if v.kind != Time {
		return time.Time{}
	}
	return inMilliseconds(timeOf(v.rv))
}

// Len is the number of elements of a [List].
func (v Value) Len() int {
	if v.kind != List {
		return 0
	}
	return v.rv.Len()
}

// Index is element i of a [List], or absent beyond its ends.
func (v Value) Index(i int) Value {
	if i < 0 || i >= v.Len() {
		return Value{}
	}
	return v.plan.elem.value(v.rv.Index(i))
}

// Fields yields what is in a [Map], by ascending key (bytewise). A struct yields each field that is stored, with an [Absent] value where a
// write is to remove the key.
func (v Value) Fields(yield func(key string, v Value) bool) {
	switch {
	case v.kind != Map:
	case v.plan.op == opStruct:
		for i := range v.plan.fields {
			f := &v.plan.fields[i]
			if !yield(f.name, f.value(v.rv)) {
				return
			}
		}
	case v.plan.typ == anyMapType:
		m := v.rv.Interface().(map[string]any)
		for _, k := range sortedKeys(m) {
			if !yield(k, of(reflect.ValueOf(m[k]))) {
				return
			}
		}
	default:
		for _, e := range v.entries() {
			out := e.bad
			if out.kind == Absent {
				out = v.plan.elem.value(e.elem)
			}
			if !yield(e.key, out) {
				return
			}
		}
	}
}

func sortedKeys(m map[string]any) []string {
	keys := slices.AppendSeq(make([]string, 0, len(m)), maps.Keys(m))
	slices.Sort(keys)
	return keys
}

// value is what the struct rv has in the field.
func (f *field) value(rv reflect.Value) Value {
	x, ok := f.get(rv)
	if !ok || f.omitEmpty && isEmpty(x) {
		return Value{}
	}
	out := f.plan.value(x)
	if f.as != Absent && out.kind != Null {
		out.kind = f.as
	}
	return out
}

// entry is one of a Go map.
type entry struct {
	key  string
	elem reflect.Value
	bad  Value // set where the key cannot be stored
}

func (v Value) entries() []entry {
	out := make([]entry, 0, v.rv.Len())
	for it := v.rv.MapRange(); it.Next(); {
		e := entry{elem: it.Value()}
		var err *Error
		if e.key, err = v.plan.key.text(it.Key()); err != nil {
			e.bad = invalid(err)
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	for i := range out[:max(len(out)-1, 0)] {
		if out[i].key == out[i+1].key && out[i].bad.kind == Absent {
			out[i].bad = invalid(refuse("two keys of the map are written the same; let MarshalText tell them apart"))
		}
	}
	return out
}
