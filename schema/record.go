package schema

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// recordType is a Go struct or register of a lens, by the names of its fields. It is looked at once, when a step is declared.
type recordType struct {
	typ   reflect.Type
	names []string // ascending; one empty name for a register
	index []int    // of the struct's fields; nil for a register
	kinds []Kind
}

// kindOf is the kind that a Go type is a register of; 0 for none.
func kindOf(t reflect.Type) Kind {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return KindString
	case reflect.Bool:
		return KindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return KindInt
	case reflect.Float32, reflect.Float64:
		return KindFloat
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return KindBytes
		}
	case reflect.Struct:
		if t.ConvertibleTo(timeType) {
			return KindTime
		}
	}
	return 0
}

const registers = "string, bool, whole numbers, floats, time.Time, []byte, types made of these, and pointers to them, whose nil is no value"

// registerOf is the record of one register.
func registerOf(t reflect.Type) (*recordType, error) {
	k := kindOf(t)
	if k == 0 {
		return nil, fmt.Errorf("a register cannot be %s; there are %s", t, registers)
	}
	return &recordType{typ: t, names: []string{""}, kinds: []Kind{k}}, nil
}

// recordOf is the record of a struct.
func recordOf(t reflect.Type) (*recordType, error) {
	if t.Kind() != reflect.Struct || kindOf(t) != 0 {
		return nil, fmt.Errorf("Group needs structs whose tags name the fields, and %s is none; Map takes single values", t)
	}
	r := &recordType{typ: t}
	for i := range t.NumField() {
		f := t.Field(i)
		name, tagged := f.Tag.Lookup("doc")
		switch {
		case name == "-" || !f.IsExported() && !tagged:
			continue
		case !f.IsExported():
			return nil, fmt.Errorf("the field %s of %s is not exported; export it, or remove its tag", f.Name, t)
		case strings.Contains(name, ","):
			return nil, fmt.Errorf("the tag of the field %s of %s has options; in a lens it is the name only", f.Name, t)
		case name == "":
			name = f.Name
		}
		if err := checkName(name); err != nil {
			return nil, fmt.Errorf("the field %s of %s: %w", f.Name, t, err)
		}
		k := kindOf(f.Type)
		if k == 0 {
			return nil, fmt.Errorf("the field %s of %s cannot be %s; there are %s", f.Name, t, f.Type, registers)
		}
		at, twice := slices.BinarySearch(r.names, name)
		if twice {
			return nil, fmt.Errorf("%s has two fields of the name %q", t, name)
		}
		r.names, r.index, r.kinds = slices.Insert(r.names, at, name), slices.Insert(r.index, at, i), slices.Insert(r.kinds, at, k)
	}
	if len(r.names) == 0 {
		return nil, fmt.Errorf("%s has no exported fields", t)
	}
	return r, nil
}

// at is the i-th field of a value of the type.
func (r *recordType) at(rv reflect.Value, i int) reflect.Value {
	if r.index == nil {
		return rv
	}
	return rv.Field(r.index[i])
}

// set fills a zero value of the type from values in Go form. What it holds is its own.
func (r *recordType) set(rv reflect.Value, values []any) error {
	if len(values) != len(r.names) {
		return fmt.Errorf("%d values for the %d fields of %s", len(values), len(r.names), r.typ)
	}
	for i, v := range values {
		if v == nil {
			continue
		}
		if err := setRegister(r.at(rv, i), v); err != nil {
			return r.in(i, err)
		}
	}
	return nil
}

// values are those of a value of the type in Go form, in memory of their own.
func (r *recordType) values(rv reflect.Value) ([]any, error) {
	out := make([]any, len(r.names))
	for i := range out {
		var err error
		if out[i], err = getRegister(r.at(rv, i)); err != nil {
			return nil, r.in(i, err)
		}
	}
	return out, nil
}

// in says which field an error is about.
func (r *recordType) in(i int, err error) error {
	if r.index == nil {
		return err
	}
	return fmt.Errorf("%q: %w", r.names[i], err)
}

func setRegister(rv reflect.Value, v any) error {
	if rv.Kind() == reflect.Pointer {
		rv.Set(reflect.New(rv.Type().Elem()))
		rv = rv.Elem()
	}
	fits := false
	switch v := v.(type) {
	case string:
		if fits = rv.Kind() == reflect.String; fits {
			rv.SetString(v)
		}
	case bool:
		if fits = rv.Kind() == reflect.Bool; fits {
			rv.SetBool(v)
		}
	case int64:
		switch {
		case rv.CanInt():
			if fits = !rv.OverflowInt(v); fits {
				rv.SetInt(v)
			}
		case rv.CanUint():
			if fits = v >= 0 && !rv.OverflowUint(uint64(v)); fits {
				rv.SetUint(uint64(v))
			}
		}
	case float64:
		if fits = rv.CanFloat() && (rv.Kind() == reflect.Float64 || math.IsNaN(v) || float64(float32(v)) == v); fits {
			rv.SetFloat(v)
		}
	case []byte:
		if fits = rv.Kind() == reflect.Slice; fits {
			rv.SetBytes(append([]byte{}, v...))
		}
	case time.Time:
		if fits = rv.Kind() == reflect.Struct; fits {
			rv.Set(reflect.ValueOf(v).Convert(rv.Type()))
		}
	}
	if !fits {
		return fmt.Errorf("%v (%T) does not fit %s", v, v, rv.Type())
	}
	return nil
}

func getRegister(rv reflect.Value) (any, error) {
	if rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return nil, nil
		}
		rv = rv.Elem()
	}
	switch rv.Kind() {
	case reflect.String:
		s := rv.String()
		if !utf8.ValidString(s) {
			return nil, fmt.Errorf("%q is not valid UTF-8", s)
		}
		return s, nil
	case reflect.Bool:
		return rv.Bool(), nil
	case reflect.Float32, reflect.Float64:
		return rv.Float(), nil
	case reflect.Slice:
		if rv.IsNil() {
			return nil, nil
		}
		return append([]byte{}, rv.Bytes()...), nil
	case reflect.Struct:
		t := rv.Convert(timeType).Interface().(time.Time)
		ms := time.UnixMilli(t.UnixMilli()).UTC()
		if d := t.Sub(ms); d < 0 || d >= time.Millisecond {
			return nil, fmt.Errorf("the time %v is outside the years that milliseconds in 64 bits can say", t)
		}
		return ms, nil
	}
	if rv.CanInt() {
		return rv.Int(), nil
	}
	if n := rv.Uint(); n > math.MaxInt64 {
		return nil, fmt.Errorf("the number %d is greater than %d", n, int64(math.MaxInt64))
	}
	return int64(rv.Uint()), nil
}

// typed are the functions of a lens on values in Go form, nil for no value. A nil becomes the zero value, or a pointer's nil. A panic is an
// error.
func typed[O, N any](l Lens[O, N], old, nw *recordType) (up, down func(a, b []any) ([]any, error)) {
	up = func(olds, prev []any) (out []any, err error) {
		defer recovered(&err)
		var o O
		if err := old.set(reflect.ValueOf(&o).Elem(), olds); err != nil {
			return nil, err
		}
		var p *N
		if prev != nil {
			p = new(N)
			if err := nw.set(reflect.ValueOf(p).Elem(), prev); err != nil {
				return nil, err
			}
		}
		n, err := l.Up(o, p)
		if err != nil {
			return nil, err
		}
		return nw.values(reflect.ValueOf(&n).Elem())
	}
	if l.Down == nil {
		return up, nil
	}
	return up, func(news, olds []any) (out []any, err error) {
		defer recovered(&err)
		var n N
		if err := nw.set(reflect.ValueOf(&n).Elem(), news); err != nil {
			return nil, err
		}
		var o O
		if olds != nil {
			if err := old.set(reflect.ValueOf(&o).Elem(), olds); err != nil {
				return nil, err
			}
		}
		if o, err = l.Down(n, o); err != nil {
			return nil, err
		}
		return old.values(reflect.ValueOf(&o).Elem())
	}
}

// recovered makes a panic of the application an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		if e, ok := p.(error); ok {
			*err = fmt.Errorf("panic: %w", e)
			return
		}
		*err = fmt.Errorf("panic: %v", p)
	}
}

// checkOf is a Check with its type put away.
func checkOf[T any](rev int, f func(T) error) check {
	t := reflect.TypeFor[T]()
	r, err := registerOf(t)
	if err == nil && t.Kind() == reflect.Pointer {
		err = fmt.Errorf("the function of Check takes %s; there is always a value, so take %s", t, t.Elem())
	}
	if err == nil && f == nil {
		err = errors.New("the function of Check is nil")
	}
	if err != nil {
		return check{rev: rev, err: err}
	}
	return check{rev: rev, kind: r.kinds[0], call: func(v any) (err error) {
		defer recovered(&err)
		var arg T
		if err := setRegister(reflect.ValueOf(&arg).Elem(), v); err != nil {
			return err
		}
		return f(arg)
	}}
}
