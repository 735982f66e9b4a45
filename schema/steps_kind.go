package schema

import (
	"errors"
	"fmt"
)

type wrapStep struct{ object, one, many string }

func (s *wrapStep) String() string   { return call("Wrap", s.object, s.one, s.many) }
func (s *wrapStep) canonical() []any { return []any{"wrap", s.object, s.one, s.many} }

func (s *wrapStep) apply(c *compiler) error {
	if err := checkNames(s.one, s.many); err != nil {
		return err
	}
	return c.each(s.object, []string{s.one}, func(o *object, fields []*node) error {
		if err := storedString(fields[0]); err != nil {
			return err
		}
		o.take(fields[0])
		n, err := c.put(o, Set(s.many))
		if err != nil {
			return err
		}
		n.head = fields[0]
		n.echo = fmt.Sprintf("^%s~%d.%d", n.head.at[len(n.head.at)-1], c.version, c.step)
		return nil
	})
}

// storedString refuses what is not a string of its own in the document.
func storedString(n *node) error {
	switch {
	case n.kind != KindString:
		return fmt.Errorf("the field %q is %s; this step takes a string", n.name, a(n.kind))
	case n.group != nil:
		return fmt.Errorf("the field %q is made by a lens (%s in version %d); this step takes a string that is stored as it is", n.name, n.group.step, n.group.version)
	}
	return nil
}

type textStep struct{ object, name string }

func (s *textStep) String() string   { return call("TextFromString", s.object, s.name) }
func (s *textStep) canonical() []any { return []any{"text", s.object, s.name} }

func (s *textStep) apply(c *compiler) error {
	if err := checkName(s.name); err != nil {
		return err
	}
	return c.each(s.object, []string{s.name}, func(o *object, fields []*node) error {
		if err := storedString(fields[0]); err != nil {
			return err
		}
		o.take(fields[0])
		g := c.group(o, s.String(), fields)
		g.text = true
		g.up = func(olds, _ []any) ([]any, error) { return olds, nil }
		g.down = func(news, _ []any) ([]any, error) { return news, nil }
		return g.give(o, Text(s.name), options{})
	})
}

type requireStep struct{ n int }

func (s *requireStep) String() string   { return fmt.Sprintf("RequireWriter(%d)", s.n) }
func (s *requireStep) canonical() []any { return []any{"require", int64(s.n)} }

func (s *requireStep) apply(c *compiler) error {
	switch {
	case s.n < 2:
		return errors.New("the least version that may write is 2 or more: every version is at least 1")
	case s.n > c.version:
		return fmt.Errorf("version %d could not write its own documents; require at most %[1]d", c.version)
	}
	c.min = max(c.min, s.n)
	return nil
}
