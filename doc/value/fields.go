package value

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// field is a field of a struct that is stored, possibly from a struct embedded in it.
type field struct {
	name      string
	index     []int // as of reflect.Value.FieldByIndex
	plan      *plan
	as        Kind // TextKind or CounterKind by option, else Absent
	omitEmpty bool
}

// planStruct fills in the fields of p.
func (b builder) planStruct(p *plan) *Error {
	c := collector{builder: b, plan: p}
	if err := c.collect(p.typ, nil, map[reflect.Type]bool{}); err != nil {
		return err
	}
	if p.typ.NumField() > 0 && len(c.found) == 0 && !c.skipped {
		return refuse("%s has no exported field, so nothing of it would be stored; give it MarshalDoc and UnmarshalDoc, or leave it out "+
			`with the tag doc:"-"`, p.typ)
	}
	slices.SortStableFunc(c.found, func(a, b field) int {
		if n := strings.Compare(a.name, b.name); n != 0 {
			return n
		}
		return len(a.index) - len(b.index)
	})
	for i, f := range c.found {
		if i == 0 || c.found[i-1].name != f.name {
			p.fields = append(p.fields, f)
			continue
		}
		// As in Go, the field that is embedded less deep hides the other, if there is one.
		if kept := p.fields[len(p.fields)-1]; len(kept.index) == len(f.index) {
			err := refuse("%s has two fields of this name, %s and %s; give one another name in its tag",
				p.typ, goName(p.typ, kept.index), goName(p.typ, f.index))
			return err.below(f.name)
		}
	}
	return nil
}

func goName(t reflect.Type, index []int) string {
	var names []string
	for i := range index {
		names = append(names, t.FieldByIndex(index[:i+1]).Name)
	}
	return strings.Join(names, ".")
}

// collector finds the stored fields of a struct and of those embedded in it.
type collector struct {
	builder
	plan    *plan
	found   []field
	skipped bool // a tag leaves a field out
}

func (c *collector) collect(t reflect.Type, index []int, above map[reflect.Type]bool) *Error {
	if above[t] {
		return refuse("%s embeds itself; give the field a name", t)
	}
	above[t] = true
	defer delete(above, t)
	for i := range t.NumField() {
		sf := t.Field(i)
		at := append(index[:len(index):len(index)], i)
		tag, tagged := sf.Tag.Lookup("doc")
		if tag == "-" {
			c.skipped = true
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if sf.Anonymous && name == "" {
			flat, err := c.flattens(sf)
			if err != nil {
				return err.below(sf.Name)
			}
			if flat {
				if err := c.embed(sf, at, options, above); err != nil {
					return err
				}
				continue
			}
		}
		if !sf.IsExported() {
			if tagged {
				return refuse(`the field is not exported, so it cannot be stored; export it, or remove its tag`).below(sf.Name)
			}
			continue
		}
		if name == "" {
			name = sf.Name
		}
		if problem := keyProblem(name); problem != "" {
			return refuse("%s", problem).below(name)
		}
		if err := c.add(field{name: name, index: at}, sf.Type, options); err != nil {
			return err.below(name)
		}
	}
	return nil
}

// flattens says whether the fields of an embedded struct are stored among those around it: unless it is one value by its hooks.
func (c *collector) flattens(sf reflect.StructField) (bool, *Error) {
	base := sf.Type
	if base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	if base.Kind() != reflect.Struct || base == timeType || base == unknownType {
		return false, nil
	}
	hooked, err := c.planHooks(&plan{typ: base})
	return !hooked, err
}

func (c *collector) embed(sf reflect.StructField, at []int, options string, above map[reflect.Type]bool) *Error {
	if options != "" {
		return refuse("options need a name where a struct is embedded").below(sf.Name)
	}
	if sf.Type.Kind() != reflect.Pointer {
		return c.collect(sf.Type, at, above)
	}
	before := len(c.found)
	c.plan.inside = append(c.plan.inside, at)
	if err := c.collect(sf.Type.Elem(), at, above); err != nil {
		return err
	}
	if sf.IsExported() {
		return nil
	}
	if len(c.found) > before {
		return refuse("an embedded pointer to a struct whose type is not exported cannot be set; embed the struct, or export its type").below(sf.Name)
	}
	c.plan.inside = slices.DeleteFunc(c.plan.inside, func(in []int) bool { return len(in) >= len(at) && slices.Equal(in[:len(at)], at) })
	return nil
}

// add plans a field and what its options say.
func (c *collector) add(f field, t reflect.Type, options string) (err *Error) {
	if f.plan, err = c.builder.plan(t); err != nil {
		return err
	}
	for t.Kind() == reflect.Pointer { // planned with f, so this ends
		t = t.Elem()
	}
	base, _ := c.builder.plan(t)
	if t == unknownType {
		return refuse("%s stands for what cannot be written; use any", t)
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "":
		case "omitempty":
			f.omitEmpty = true
		case "text":
			if base.op != opScalar || base.kind != String && base.kind != TextKind {
				return refuse("the option text is for strings, not %s", t)
			}
			f.as = TextKind
		case "counter":
			if base.op != opScalar || base.kind != Int && base.kind != CounterKind {
				return refuse("the option counter is for signed whole numbers, not %s", t)
			}
			f.as = CounterKind
		default:
			return refuse("the option %q is not known; there are text, counter and omitempty", option)
		}
	}
	c.found = append(c.found, f)
	return nil
}

// get is the field in the struct rv, or false when it is in an embedded pointer that is nil.
func (f *field) get(rv reflect.Value) (reflect.Value, bool) {
	for i, x := range f.index {
		if i > 0 && rv.Kind() == reflect.Pointer {
			if rv.IsNil() {
				return reflect.Value{}, false
			}
			rv = rv.Elem()
		}
		rv = rv.Field(x)
	}
	return rv, true
}

// make is get, with embedded pointers made where they are nil.
func (f *field) make(rv reflect.Value) reflect.Value {
	for i, x := range f.index {
		if i > 0 && rv.Kind() == reflect.Pointer {
			if rv.IsNil() {
				rv.Set(reflect.New(rv.Type().Elem()))
			}
			rv = rv.Elem()
		}
		rv = rv.Field(x)
	}
	return rv
}

// isEmpty is what omitempty leaves out: the zero value, and slices and maps without elements.
func isEmpty(rv reflect.Value) bool {
	switch rv.Kind() {
	case reflect.Slice, reflect.Map:
		return rv.Len() == 0
	case reflect.Struct:
		if rv.Type() == timeType {
			return timeOf(rv).IsZero()
		}
	}
	return isZero(rv)
}

// isZero is reflect's IsZero, where a float of -0 is not zero: it would come back as 0.
func isZero(rv reflect.Value) bool {
	switch rv.Kind() {
	case reflect.Float32, reflect.Float64:
		return math.Float64bits(rv.Float()) == 0
	case reflect.Array:
		for i := range rv.Len() {
			if !isZero(rv.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range rv.NumField() {
			if !isZero(rv.Field(i)) {
				return false
			}
		}
		return true
	}
	return rv.IsZero()
}

func timeOf(rv reflect.Value) time.Time {
	if rv.CanAddr() { // Interface would copy it to the heap
		return *rv.Addr().Interface().(*time.Time)
	}
	return rv.Interface().(time.Time)
}
