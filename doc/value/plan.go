package value

import (
	"encoding"
	"fmt"
	"reflect"
	"sync"
	"time"
)

// Marshaler is a type that says itself what a document holds for it. Both it and [Unmarshaler] are needed, on the type or a pointer
// to it.
type Marshaler interface {
	// MarshalDoc returns what is stored, as anything that [Of] takes. It is called whenever the value is looked at, checking and
	// writing included, and must answer the same each time.
	MarshalDoc() (any, error)
}

// Unmarshaler is the way back from a document. The receiver is zero before the call.
type Unmarshaler interface {
	// UnmarshalDoc sets the receiver from a value in Go form, nil included, which is the receiver's to keep.
	UnmarshalDoc(v any) error
}

// op is how the values of a type are read and written.
type op uint8

const (
	opScalar   op = iota // the kind says it all
	opBytes              // a slice of bytes
	opArray              // an array, of bytes or others
	opSlice              // a slice of others
	opMap                // a map
	opStruct             // fields
	opPointer            // the plan of what it points to
	opAny                // an interface without methods: the plan of what it holds
	opHook               // MarshalDoc and UnmarshalDoc
	opTextHook           // MarshalText and UnmarshalText
	opMember             // struct{} as the element of a map, which is a set: true at every key in it
)

// plan is what there is to know about a Go type, worked out once. It does not change once published.
type plan struct {
	typ    reflect.Type
	op     op
	kind   Kind    // of values: exact for scalars, bytes, arrays, slices, maps and structs
	elem   *plan   // of pointers, slices, arrays and maps
	key    keyForm // of maps
	fields []field // of structs, by ascending name
	inside [][]int // of structs: where the embedded pointers are, outer ones first
	byAddr bool    // the marshalling hook needs a pointer
}

// plans has a *plan or an *Error for each reflect.Type met so far.
var plans sync.Map

// Check reports whether values of a type can be stored in a document: nil, or an *[Error] that names the field and what to use
// instead. Call it when a type is registered; what it passes can later be refused only for what the value holds. It is safe for
// concurrent use, and fast from the second call on.
func Check(t reflect.Type) error {
	if t == nil {
		return &Error{Reason: "no type; an interface has none without a value"}
	}
	_, err := planOf(t)
	return asError(err)
}

// CheckFor is [Check] for T.
func CheckFor[T any]() error { return Check(reflect.TypeFor[T]()) }

// asError keeps a nil *Error from becoming an error that is not nil.
func asError(err *Error) error {
	if err == nil {
		return nil
	}
	return err
}

func planOf(t reflect.Type) (*plan, *Error) {
	known, ok := plans.Load(t)
	if !ok {
		known = makePlans(t)
	}
	if p, ok := known.(*plan); ok {
		return p, nil
	}
	return nil, known.(*Error)
}

// makePlans makes the plan of t and of all types it is made of, and publishes them together: half a recursive type is never seen.
func makePlans(t reflect.Type) any {
	b := builder{}
	if _, err := b.plan(t); err != nil {
		known, _ := plans.LoadOrStore(t, err)
		return known
	}
	for t, p := range b {
		plans.LoadOrStore(t, p)
	}
	known, _ := plans.Load(t)
	return known
}

// builder has the plans under construction: a recursive type meets itself here.
type builder map[reflect.Type]*plan

var (
	timeType     = reflect.TypeFor[time.Time]()
	textType     = reflect.TypeFor[Text]()
	counterType  = reflect.TypeFor[Counter]()
	unknownType  = reflect.TypeFor[Unknown]()
	anyMapType   = reflect.TypeFor[map[string]any]()
	stringPlan   = &plan{typ: reflect.TypeFor[string](), kind: String}
	marshaler    = reflect.TypeFor[Marshaler]()
	unmarshaler  = reflect.TypeFor[Unmarshaler]()
	textEncoding = reflect.TypeFor[encoding.TextMarshaler]()
	textDecoding = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func refuse(format string, args ...any) *Error { return &Error{Reason: fmt.Sprintf(format, args...)} }

// plan is the plan of t. The path of an error starts at t.
func (b builder) plan(t reflect.Type) (*plan, *Error) {
	if p, ok := b[t]; ok {
		return p, nil
	}
	if known, ok := plans.Load(t); ok {
		if p, ok := known.(*plan); ok {
			return p, nil
		}
		return nil, known.(*Error)
	}
	p := &plan{typ: t}
	b[t] = p
	if done, err := b.planHooks(p); done || err != nil {
		return p, err
	}
	return p, b.planKind(p)
}

// planKind fills in p for a type without hooks.
func (b builder) planKind(p *plan) *Error {
	t := p.typ
	switch t {
	case timeType:
		p.kind = Time
		return nil
	case textType:
		p.kind = TextKind
		return nil
	case counterType:
		p.kind = CounterKind
		return nil
	case unknownType:
		p.kind = UnknownKind // a tree that was read may have one; Value.Check refuses it
		return nil
	}
	switch t.Kind() {
	case reflect.Bool:
		p.kind = Bool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.kind = Int
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		p.kind = Uint
	case reflect.Float32, reflect.Float64:
		p.kind = Float
	case reflect.String:
		p.kind = String
	case reflect.Slice, reflect.Array:
		return b.planList(p)
	case reflect.Map:
		return b.planMap(p)
	case reflect.Struct:
		p.op, p.kind = opStruct, Map
		return b.planStruct(p)
	case reflect.Pointer:
		return b.planPointer(p)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return refuse("the interface %s cannot be stored: reading would not know which type to make; use any, or a struct with one "+
				"pointer per type", t)
		}
		p.op = opAny
	case reflect.Complex64, reflect.Complex128:
		return refuse("%s cannot be stored; use two floats", t)
	case reflect.Uintptr, reflect.UnsafePointer:
		return refuse("%s cannot be stored: an address means nothing to others; use a uint64 for a number", t)
	case reflect.Chan, reflect.Func:
		return refuse(`%s cannot be stored; leave the field out with the tag doc:"-"`, t)
	}
	return nil
}

func (b builder) planList(p *plan) (err *Error) {
	if p.elem, err = b.plan(p.typ.Elem()); err != nil {
		return err.below("*")
	}
	array := p.typ.Kind() == reflect.Array
	p.op, p.kind = opSlice, List
	if p.elem.typ.Kind() == reflect.Uint8 && p.elem.op == opScalar {
		p.op, p.kind = opBytes, Bytes
	}
	if array {
		p.op = opArray
	}
	return nil
}

func (b builder) planMap(p *plan) (err *Error) {
	if p.key, err = keyFormOf(p.typ.Key()); err != nil {
		return err
	}
	p.op, p.kind = opMap, Map
	if p.elem, err = b.plan(p.typ.Elem()); err != nil {
		return err.below("*")
	}
	if e := p.elem; e.op == opStruct && e.typ.NumField() == 0 {
		p.elem = &plan{typ: e.typ, op: opMember, kind: Bool}
	}
	return nil
}

func (b builder) planPointer(p *plan) (err *Error) {
	seen := map[reflect.Type]bool{}
	for t := p.typ; t.Kind() == reflect.Pointer; t = t.Elem() {
		if seen[t] {
			return refuse("%s points to nothing but itself; point to a struct", p.typ)
		}
		seen[t] = true
	}
	p.op = opPointer
	p.elem, err = b.plan(p.typ.Elem())
	return err
}
