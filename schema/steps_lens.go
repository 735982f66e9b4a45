package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"tombolo/doc"
)

// lensStep is a Map or a Group.
type lensStep struct {
	object    string
	one       bool     // a Map
	from, to  []string // ascending
	fromKinds []Kind
	fields    []Field // the new ones, in the order of to
	rev       int
	up        func(olds, prev []any) ([]any, error) // nil if the lens has none
	down      func(news, olds []any) ([]any, error)
	err       error // what is wrong with it without knowing the version
}

func mapStep[O, N any](object, from, to string, l Lens[O, N], o []Option) Step {
	s := &lensStep{object: object, one: true, from: []string{from}, to: []string{to}, rev: l.Rev}
	old, err := registerOf(reflect.TypeFor[O]())
	if err != nil {
		s.err = fmt.Errorf("the old value: %w", err)
		return s
	}
	nw, err := registerOf(reflect.TypeFor[N]())
	if err != nil {
		s.err = fmt.Errorf("the new value: %w", err)
		return s
	}
	s.fromKinds, s.fields = old.kinds, []Field{field(to, nw.kinds[0], o)}
	setLens(s, l, old, nw)
	return s
}

func groupStepOf[O, N any](object string, l Lens[O, N], fields []Field) Step {
	s := &lensStep{object: object, rev: l.Rev}
	old, err := recordOf(reflect.TypeFor[O]())
	if err != nil {
		s.err = fmt.Errorf("the old values: %w", err)
		return s
	}
	s.from, s.fromKinds = old.names, old.kinds
	nw, err := recordOf(reflect.TypeFor[N]())
	if err != nil {
		s.err = fmt.Errorf("the new values: %w", err)
		return s
	}
	s.to = nw.names
	for i, name := range nw.names {
		s.fields = append(s.fields, Field{name: name, kind: nw.kinds[i]})
	}
	for i, f := range fields {
		at, ok := slices.BinarySearch(nw.names, f.name)
		switch {
		case !ok:
			s.err = fmt.Errorf("there are options for a field %q, and %s has none of this name", f.name, nw.typ)
		case f.kind != nw.kinds[at]:
			s.err = fmt.Errorf("the field %q is declared as %s, and %s has %s there", f.name, a(f.kind), nw.typ, a(nw.kinds[at]))
		case slices.ContainsFunc(fields[:i], func(g Field) bool { return g.name == f.name }):
			s.err = fmt.Errorf("there are options for the field %q twice", f.name)
		default:
			s.fields[at] = f
		}
	}
	setLens(s, l, old, nw)
	return s
}

func setLens[O, N any](s *lensStep, l Lens[O, N], old, nw *recordType) {
	if l.Up != nil {
		s.up, s.down = typed(l, old, nw)
	}
}

func (s *lensStep) String() string {
	if s.one {
		return call("Map", s.object, s.from[0], s.to[0])
	}
	return fmt.Sprintf("Group(%q, %s to %s)", s.object, strings.Join(s.from, "+"), strings.Join(s.to, "+"))
}

func (s *lensStep) canonical() []any {
	olds := make([]any, len(s.from))
	for i, name := range s.from {
		olds[i] = []any{name, s.fromKinds[i].String()}
	}
	way := "both ways"
	if s.down == nil {
		way = "one way"
	}
	kind := "group"
	if s.one {
		kind = "map"
	}
	return []any{kind, s.object, int64(s.rev), way, olds, canonicalFields(s.fields)}
}

func (s *lensStep) apply(c *compiler) error {
	switch {
	case s.err != nil:
		return s.err
	case s.up == nil:
		return errors.New("the lens has no Up, so there would be nothing to show; write it")
	case s.rev < 1:
		return errors.New("the Rev of a lens is 1 or more: it stands for the functions in the fingerprint")
	}
	if err := checkNames(s.from...); err != nil {
		return err
	}
	for _, f := range s.fields {
		if err := checkNames(f.name); err != nil {
			return err
		}
		if err := c.checkOptions(f); err != nil {
			return err
		}
	}
	return c.each(s.object, s.from, func(o *object, fields []*node) error {
		for i, n := range fields {
			if !n.kind.register() {
				return fmt.Errorf("the field %q is %s; a lens takes registers, since what merges inside a field would be lost by replacing it", n.name, a(n.kind))
			}
			if n.kind != s.fromKinds[i] {
				return fmt.Errorf("the field %q is %s, and the lens takes %s there; change its Go type", n.name, a(n.kind), a(s.fromKinds[i]))
			}
		}
		for _, n := range fields {
			o.take(n)
		}
		g := c.group(o, s.String(), fields)
		g.oneWay = s.down == nil
		for _, f := range s.fields {
			if err := g.give(o, f, c.options(f)); err != nil {
				return err
			}
		}
		g.up = g.checked(c.asked("Up", s.up), g.news)
		if s.down != nil {
			g.down = g.checked(c.asked("Down", s.down), g.olds)
		}
		return nil
	})
}

// group begins a group of an object.
func (c *compiler) group(o *object, step string, olds []*node) *group {
	g := &group{id: fmt.Sprintf("%d.%d", c.version, c.step), version: c.version, step: step, holder: o.prefix, olds: olds}
	g.keys.begin(g)
	o.groups = append(o.groups, g)
	return g
}

// give adds a new field to a group, and shows it.
func (g *group) give(o *object, f Field, opts options) error {
	n := &node{name: f.name, kind: f.kind, at: joined(o.prefix, f.name), opts: opts, group: g, out: len(g.news)}
	g.news = append(g.news, n)
	return o.show(n, f.name)
}

// checked holds what a function returns against enums and checks of its fields. What was there before passes: another version may allow it.
func (g *group) checked(f func(a, b []any) ([]any, error), fields []*node) func(a, before []any) ([]any, error) {
	return func(a, before []any) ([]any, error) {
		out, err := f(a, before)
		if err != nil {
			return nil, err
		}
		for i, v := range out {
			if before != nil && doc.Equal(v, before[i]) {
				continue
			}
			if _, err := fields[i].accept(v); err != nil {
				return nil, fmt.Errorf("its result for the field %q does not fit: %w", fields[i].name, err)
			}
		}
		return out, nil
	}
}

// asked is a function of the application, with the question of [Schema.Intercept] before it.
func (c *compiler) asked(name string, f func(a, b []any) ([]any, error)) func(a, b []any) ([]any, error) {
	if c.before == nil {
		return f
	}
	call, before := Call{c.version, c.text, name}, c.before
	return func(a, b []any) ([]any, error) {
		if err := guarded(before, call); err != nil {
			return nil, err
		}
		return f(a, b)
	}
}

// guarded asks before, whose panic stands for one of the function.
func guarded(before func(Call) error, call Call) (err error) {
	defer recovered(&err)
	return before(call)
}
