package schema

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// DeclareError says what is wrong with a declaration, and what to try. Declarations are code, so it is found when the program starts.
type DeclareError struct {
	Version int    // the version in which it is wrong
	Step    string // the step, such as `Map("", "done", "status")`; "" for the version itself
	Reason  string
}

func (e *DeclareError) Error() string {
	if e.Step == "" {
		return fmt.Sprintf("schema version %d: %s", e.Version, e.Reason)
	}
	return fmt.Sprintf("schema version %d, %s: %s", e.Version, e.Step, e.Reason)
}

// New checks a history of versions, 1 to n in their order, and makes a schema of it. app names the kind of document, and is part of every
// fingerprint. Every error is a [*DeclareError].
func New(app string, versions ...Version) (*Schema, error) { return compile(app, versions, nil) }

// MustNew is [New] for variables of a package: it panics if the declaration is wrong.
func MustNew(app string, versions ...Version) *Schema {
	s, err := New(app, versions...)
	if err != nil {
		panic(err)
	}
	return s
}

// compiler makes a version of the one before.
type compiler struct {
	version int // in the making
	step    int // its number in the version, from 1
	text    string
	objects map[string]*object // by type: the version in the making
	waiting map[string]waiting // types that the version declares and that were not looked at yet
	busy    map[string]bool    // types whose fields are being looked at
	refs    []ref
	frozen  map[string]bool // types that are elements of lists
	min     int
	before  func(Call) error // asked before every function of the application; nil for none
}

// waiting is an Object step and its number.
type waiting struct {
	step   *objectStep
	number int
}

// ref is a type that a field names, which must be there when the version is complete.
type ref struct {
	step, field, typ string
	list             bool
}

func compile(app string, versions []Version, before func(Call) error) (*Schema, error) {
	if app == "" {
		return nil, &DeclareError{Version: 1, Reason: `the application has no name; give New one that stays, such as "com.example.notes"`}
	}
	if len(versions) == 0 {
		return nil, &DeclareError{Version: 1, Reason: "there is no version; begin with V(1, Object(Root, …))"}
	}
	s := &Schema{app: app, declared: slices.Clone(versions)}
	c := &compiler{frozen: map[string]bool{}, before: before}
	var last []byte // the fingerprint of the version before
	for i, v := range versions {
		if v.n != i+1 {
			return nil, &DeclareError{Version: v.n, Reason: fmt.Sprintf("this is number %d in New; versions are numbered 1, 2, 3 … in their order, without gaps", i+1)}
		}
		out, err := c.compile(v)
		if err != nil {
			return nil, err
		}
		if out.print, err = fingerprint(app, last, v.steps); err != nil {
			return nil, &DeclareError{Version: v.n, Reason: err.Error()}
		}
		last = out.print[:]
		s.versions = append(s.versions, out)
	}
	return s, nil
}

// compile makes version v of the one that c made last. Object steps go first, so that types may be declared in any order: what other steps
// change in a type, they change wherever it is nested, so the order between these and those makes no difference.
func (c *compiler) compile(v Version) (*compiled, error) {
	c.version, c.refs = v.n, nil
	c.waiting, c.busy = map[string]waiting{}, map[string]bool{}
	objects := make(map[string]*object, len(c.objects))
	for typ, o := range c.objects {
		objects[typ] = o.under(nil)
	}
	c.objects = objects
	out := &compiled{n: v.n}
	for i, st := range v.steps {
		if st == nil {
			return nil, &DeclareError{Version: v.n, Reason: fmt.Sprintf("step %d is nil; make it with Object, Add, Rename, …", i+1)}
		}
		out.steps = append(out.steps, st.String())
		if st, ok := st.(*objectStep); ok {
			if _, twice := c.waiting[st.name]; twice || c.objects[st.name] != nil {
				return nil, &DeclareError{v.n, st.String(), "the type is declared already; change it with Add, Rename, Remove and the other steps"}
			}
			c.waiting[st.name] = waiting{st, i + 1}
		}
	}
	if _, ok := c.waiting[Root]; v.n == 1 && !ok {
		return nil, &DeclareError{Version: 1, Reason: "the document's own type is not declared; add Object(Root, …) to version 1"}
	}
	for i, st := range v.steps {
		if st, ok := st.(*objectStep); ok && c.objects[st.name] == nil {
			if err := c.run(i+1, st); err != nil {
				return nil, err
			}
		}
	}
	for i, st := range v.steps {
		if _, ok := st.(*objectStep); ok {
			continue
		}
		if err := c.run(i+1, st); err != nil {
			return nil, err
		}
	}
	if err := c.resolve(); err != nil {
		return nil, err
	}
	out.objects, out.min = c.objects, c.min
	return out, nil
}

// run applies one step.
func (c *compiler) run(number int, st Step) error {
	outer, text := c.step, c.text
	c.step, c.text = number, st.String()
	defer func() { c.step, c.text = outer, text }()
	err := st.apply(c)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*DeclareError](err); ok { // of a type that had to be declared first
		return err
	}
	return &DeclareError{c.version, c.text, err.Error()}
}

// resolve looks up the types that fields named, now that all are there.
func (c *compiler) resolve() error {
	for _, r := range c.refs {
		t := c.objects[r.typ]
		if t == nil {
			return &DeclareError{c.version, r.step, fmt.Sprintf("the field %q names the object type %q, which is not declared; declare it with "+
				"Object(%[2]q, …) in this version or an earlier one", r.field, r.typ)}
		}
		if !r.list {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(t.fields)) {
			if n := t.fields[name]; !n.kind.register() || n.group != nil {
				return &DeclareError{c.version, r.step, fmt.Sprintf("the elements of the list %q are of type %q, whose field %q is %s; elements have registers "+
					"only, none of them made by a lens: use a Table", r.field, r.typ, name, made(n))}
			}
		}
		if len(t.fields) == 0 {
			return &DeclareError{c.version, r.step, fmt.Sprintf("the elements of the list %q are of type %q, which has no fields", r.field, r.typ)}
		}
		c.frozen[r.typ] = true
	}
	for _, typ := range slices.Sorted(maps.Keys(c.objects)) {
		for o := range c.objects[typ].all {
			for _, n := range o.fields {
				if n.kind == KindList && n.elem.kind == KindNested && n.elem.inside.fields == nil {
					n.elem.inside = c.objects[n.elem.inside.typ]
				}
			}
		}
	}
	return nil
}

// made is a field's kind, for errors.
func made(n *node) string {
	if n.group != nil {
		return a(n.kind) + " made by a lens"
	}
	return a(n.kind)
}

// typ is an object type that a step is to change.
func (c *compiler) typ(name string) (*object, error) {
	o := c.objects[name]
	if o == nil {
		return nil, fmt.Errorf("there is no object type %q; there are %s", name, list(slices.Sorted(maps.Keys(c.objects))))
	}
	if c.frozen[name] {
		return nil, fmt.Errorf("%q is the type of a list's elements, which never changes; records that are to evolve belong into a Table", name)
	}
	return o, nil
}

// a is a kind with its article, for errors.
func a(k Kind) string {
	if k == KindInt {
		return "an int"
	}
	return "a " + k.String()
}

func list(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(quoted, ", ")
}
