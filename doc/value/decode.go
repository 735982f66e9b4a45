package value

import (
	"encoding"
	"reflect"
	"strconv"
)

// Unmarshal sets what into points to from a tree in Go form, or from what [Marshal] makes of v: see [Decode].
func Unmarshal(v, into any) error {
	src, err := sourceOf(v)
	if err != nil {
		return err
	}
	return Decode(src, into)
}

// Decode sets what into, a non-nil pointer, points to from a value of a document. What was there before is gone: elements of slices
// and maps, targets of pointers and fields whose key is missing. Only what is never stored stays: fields that are not exported or have
// the tag doc:"-", in a struct that is not behind a pointer, slice or map. Nothing that was reachable through into is written to,
// so a copy of an earlier slice, map or pointer keeps what it had.
//
// Null gives the zero value. Numbers convert only when nothing is lost: 2.0 to an int, but not 2.5, nor 300 to an int8, nor 0.1 to a
// float32. A string takes a text and the other way round, an int takes a counter. Keys without a field are passed over. Whatever does
// not fit is an *[Error] with the path; what into points to is then partly set.
func Decode(src Source, into any) error {
	rv := reflect.ValueOf(into)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return refuse("Decode needs a pointer to set, not %s; use &v", describe(rv))
	}
	p, err := planOf(rv.Type().Elem())
	if err != nil {
		return err
	}
	return asError(p.decode(src, rv.Elem(), 0))
}

func describe(rv reflect.Value) string {
	switch {
	case !rv.IsValid():
		return "nil"
	case rv.Kind() == reflect.Pointer:
		return "a nil " + rv.Type().String()
	}
	return "the " + rv.Type().String() + " itself"
}

func (p *plan) decode(src Source, dst reflect.Value, depth int) *Error {
	if depth > MaxDepth {
		return tooDeep()
	}
	kind := src.Kind()
	if p.op == opHook {
		return p.decodeHook(src, dst, depth)
	}
	if kind == Null {
		p.clear(dst)
		return nil
	}
	switch p.op {
	case opPointer:
		fresh := reflect.New(p.elem.typ)
		if err := p.elem.decode(src, fresh.Elem(), depth); err != nil {
			return err
		}
		dst.Set(fresh)
		return nil
	case opAny:
		v, err := treeOf(src, depth)
		if err != nil {
			return err
		}
		dst.Set(reflect.ValueOf(v))
		return nil
	case opTextHook:
		if kind != String && kind != TextKind {
			return p.wrongKind(kind)
		}
		dst.SetZero()
		if err := dst.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(src.Str())); err != nil {
			return hookError("UnmarshalText", p.typ, err)
		}
		return nil
	case opMember:
		return nil // isMember looked
	case opStruct:
		if kind != Map {
			return p.wrongKind(kind)
		}
		return p.decodeStruct(src, dst, depth)
	case opMap:
		if kind != Map {
			return p.wrongKind(kind)
		}
		return p.decodeMap(src, dst, depth)
	case opScalar:
		return p.decodeScalar(src, kind, dst)
	}
	if kind != p.kind {
		return p.wrongKind(kind)
	}
	if kind == Bytes {
		return p.decodeBytes(src.Bytes(), dst)
	}
	return p.decodeList(src, dst, depth)
}

func (p *plan) wrongKind(have Kind) *Error {
	if have == UnknownKind {
		return refuse("a value of a kind that this version cannot read; update the program, or read it into an any")
	}
	return refuse("%s does not fit %s", have, p.typ)
}

func (p *plan) decodeHook(src Source, dst reflect.Value, depth int) *Error {
	v, err := treeOf(src, depth)
	if err != nil {
		return err
	}
	dst.SetZero()
	if err := dst.Addr().Interface().(Unmarshaler).UnmarshalDoc(v); err != nil {
		return hookError("UnmarshalDoc", p.typ, err)
	}
	return nil
}

// clear makes dst zero; of a struct, what is stored.
func (p *plan) clear(dst reflect.Value) {
	if p.op != opStruct {
		dst.SetZero()
		return
	}
	p.clearInside(dst)
	for i := range p.fields {
		f := &p.fields[i]
		if rv, ok := f.get(dst); ok {
			f.plan.clear(rv)
		}
	}
}

// clearInside makes embedded pointers nil: what they point to is made again once one of its fields has a key.
func (p *plan) clearInside(dst reflect.Value) {
	for _, at := range p.inside {
		if rv, ok := (&field{index: at}).get(dst); ok {
			rv.SetZero()
		}
	}
}

func (p *plan) decodeStruct(src Source, dst reflect.Value, depth int) *Error {
	p.clearInside(dst)
	for i := range p.fields {
		f := &p.fields[i]
		s, ok, err := src.Field(f.name)
		if err != nil {
			return sourceError(err).below(f.name)
		}
		if ok {
			if err := f.plan.decode(s, f.make(dst), depth+1); err != nil {
				return err.below(f.name)
			}
		} else if rv, ok := f.get(dst); ok {
			f.plan.clear(rv)
		}
	}
	return nil
}

func (p *plan) decodeMap(src Source, dst reflect.Value, depth int) *Error {
	out := reflect.MakeMap(p.typ)
	key, elem := reflect.New(p.typ.Key()).Elem(), reflect.New(p.elem.typ).Elem()
	err := src.Each(func(k string, s Source) error {
		if p.elem.op == opMember {
			in, err := p.isMember(s)
			if err != nil {
				return err.below(k)
			}
			if !in {
				return nil
			}
		}
		key.SetZero()
		elem.SetZero()
		if err := p.key.parse(k, key); err != nil {
			return err.below(k)
		}
		if p.key >= keyText && out.MapIndex(key).IsValid() {
			return refuse("two keys are the same %s; read them into a map with string keys", p.typ.Key()).below(k)
		}
		if err := p.elem.decode(s, elem, depth+1); err != nil {
			return err.below(k)
		}
		out.SetMapIndex(key, elem)
		return nil
	})
	if err != nil {
		return sourceError(err)
	}
	dst.Set(out)
	return nil
}

// isMember says whether a key whose value is s is in the set that p is.
func (p *plan) isMember(s Source) (bool, *Error) {
	switch s.Kind() {
	case Null:
		return false, nil
	case Bool:
		return s.Bool(), nil
	}
	return false, refuse("%s does not fit %s, a set, which has true at every key", s.Kind(), p.typ)
}

func (p *plan) decodeList(src Source, dst reflect.Value, depth int) *Error {
	n := src.Len()
	out := dst
	if p.op == opSlice {
		out = reflect.MakeSlice(p.typ, n, n)
	} else if n != dst.Len() {
		return refuse("a list of %d elements does not fit %s", n, p.typ)
	}
	for i := range n {
		s, err := src.Index(i)
		if err != nil {
			return sourceError(err).below(strconv.Itoa(i))
		}
		if err := p.elem.decode(s, out.Index(i), depth+1); err != nil {
			return err.below(strconv.Itoa(i))
		}
	}
	if p.op == opSlice {
		dst.Set(out)
	}
	return nil
}

func (p *plan) decodeBytes(b []byte, dst reflect.Value) *Error {
	if p.op == opBytes {
		dst.SetBytes(append([]byte{}, b...))
		return nil
	}
	if len(b) != dst.Len() {
		return refuse("%d bytes do not fit %s", len(b), p.typ)
	}
	copy(dst.Bytes(), b)
	return nil
}

func (p *plan) decodeScalar(src Source, kind Kind, dst reflect.Value) *Error {
	switch p.kind {
	case Bool:
		if kind == Bool {
			dst.SetBool(src.Bool())
			return nil
		}
	case String, TextKind:
		if kind == String || kind == TextKind {
			dst.SetString(src.Str())
			return nil
		}
	case Time:
		if kind == Time {
			dst.Set(reflect.ValueOf(inMilliseconds(src.Time())))
			return nil
		}
	case Int, CounterKind, Uint, Float:
		return p.decodeNumber(src, kind, dst)
	case UnknownKind:
		if kind == UnknownKind {
			return nil
		}
	}
	return p.wrongKind(kind)
}
