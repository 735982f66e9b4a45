package schema

import (
	"errors"
	"fmt"
)

type objectStep struct {
	name   string
	fields []Field
}

func (s *objectStep) String() string   { return fmt.Sprintf("Object(%q)", s.name) }
func (s *objectStep) canonical() []any { return []any{"object", s.name, canonicalFields(s.fields)} }

func (s *objectStep) apply(c *compiler) error {
	if s.name != Root {
		if err := checkName(s.name); err != nil {
			return err
		}
	}
	c.busy[s.name] = true
	defer delete(c.busy, s.name)
	o := &object{typ: s.name, fields: map[string]*node{}, used: map[string]Kind{}}
	for _, f := range s.fields {
		if err := c.check(s.name, f); err != nil {
			return err
		}
		if _, err := c.put(o, f); err != nil {
			return err
		}
	}
	c.objects[s.name] = o
	return nil
}

type addStep struct {
	object string
	fields []Field
}

func (s *addStep) String() string {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.name
	}
	return call("Add", append([]string{s.object}, names...)...)
}

func (s *addStep) canonical() []any { return []any{"add", s.object, canonicalFields(s.fields)} }

func (s *addStep) apply(c *compiler) error {
	if len(s.fields) == 0 {
		return errors.New("it adds nothing; name the fields")
	}
	if _, err := c.typ(s.object); err != nil {
		return err
	}
	for _, f := range s.fields {
		if err := c.check(s.object, f); err != nil {
			return err
		}
	}
	return c.each(s.object, nil, func(o *object, _ []*node) error {
		for _, f := range s.fields {
			if _, err := c.put(o, f); err != nil {
				return err
			}
		}
		return nil
	})
}

type renameStep struct{ object, from, to string }

func (s *renameStep) String() string   { return call("Rename", s.object, s.from, s.to) }
func (s *renameStep) canonical() []any { return []any{"rename", s.object, s.from, s.to} }

func (s *renameStep) apply(c *compiler) error {
	if s.from == s.to {
		return errors.New("the two names are the same; leave the step out")
	}
	if err := checkNames(s.from, s.to); err != nil {
		return err
	}
	return c.each(s.object, []string{s.from}, func(o *object, fields []*node) error {
		o.take(fields[0])
		return o.show(fields[0], s.to)
	})
}

type removeStep struct{ object, name string }

func (s *removeStep) String() string   { return call("Remove", s.object, s.name) }
func (s *removeStep) canonical() []any { return []any{"remove", s.object, s.name} }

func (s *removeStep) apply(c *compiler) error {
	if err := checkName(s.name); err != nil {
		return err
	}
	return c.each(s.object, []string{s.name}, func(o *object, fields []*node) error {
		o.take(fields[0])
		return nil
	})
}

type alterStep struct {
	object string
	field  Field
}

func (s *alterStep) String() string   { return call("Alter", s.object, s.field.name) }
func (s *alterStep) canonical() []any { return []any{"alter", s.object, canonicalField(s.field)} }

func (s *alterStep) apply(c *compiler) error {
	if err := checkName(s.field.name); err != nil {
		return err
	}
	if err := c.checkOptions(s.field); err != nil {
		return err
	}
	return c.each(s.object, []string{s.field.name}, func(o *object, fields []*node) error {
		was := fields[0]
		if err := sameShape(was, s.field); err != nil {
			return err
		}
		n := *was
		n.opts = c.options(s.field)
		if n.elem != nil {
			elem := *n.elem
			elem.opts = c.options(*s.field.elem)
			n.elem = &elem
		}
		o.take(was)
		return o.show(&n, n.name)
	})
}

// sameShape says why a field cannot be altered to f.
func sameShape(n *node, f Field) error {
	object := n.row
	if n.inside != nil {
		object = n.inside.typ
	}
	if n.kind != f.kind || object != f.object {
		return fmt.Errorf("the field is %s and stays that; Alter gives other options only: for another kind use Map, Wrap, TextFromString, or "+
			"Remove and Add", shape(n.kind, object))
	}
	if n.elem != nil {
		object = ""
		if n.elem.inside != nil {
			object = n.elem.inside.typ
		}
		if f.elem == nil || n.elem.kind != f.elem.kind || object != f.elem.object || f.elem.name != "" {
			return fmt.Errorf("the list's elements are each %s and stay that; Alter gives other options only", shape(n.elem.kind, object))
		}
	}
	return nil
}

func shape(k Kind, object string) string {
	if object == "" {
		return a(k)
	}
	return fmt.Sprintf("%s of %q", a(k), object)
}
