package schema

import (
	"errors"
	"fmt"
	"strings"
)

type hoistStep struct{ object, path, to string }

func (s *hoistStep) String() string   { return call("Hoist", s.object, s.path, s.to) }
func (s *hoistStep) canonical() []any { return []any{"hoist", s.object, s.path, s.to} }

func (s *hoistStep) apply(c *compiler) error {
	if err := checkPath(s.path); err != nil {
		return err
	}
	if err := checkName(s.to); err != nil {
		return err
	}
	return c.each(s.object, []string{s.path}, func(o *object, fields []*node) error {
		from, n, err := o.find(s.path)
		if err != nil {
			return err
		}
		from.take(n)
		return o.show(n, s.to)
	})
}

type plungeStep struct{ object, name, path string }

func (s *plungeStep) String() string   { return call("Plunge", s.object, s.name, s.path) }
func (s *plungeStep) canonical() []any { return []any{"plunge", s.object, s.name, s.path} }

func (s *plungeStep) apply(c *compiler) error {
	if err := checkName(s.name); err != nil {
		return err
	}
	if err := checkPath(s.path); err != nil {
		return err
	}
	if first, _, _ := strings.Cut(s.path, "."); first == s.name {
		return errors.New("the path leads into the field that is to be moved; take a path through another nested field")
	}
	dot := strings.LastIndexByte(s.path, '.')
	into, name := s.path[:dot], s.path[dot+1:]
	return c.each(s.object, []string{s.name, into}, func(o *object, fields []*node) error {
		if fields[1].inside == nil {
			return fmt.Errorf("the field %q is %s, not a nested object, so nothing can be moved into it", into, a(fields[1].kind))
		}
		o.take(fields[0])
		return fields[1].inside.show(fields[0], name)
	})
}
