package schema

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// all yields o and every object nested in it, in the order of their names.
func (o *object) all(yield func(*object) bool) { o.walk(yield) }

func (o *object) walk(yield func(*object) bool) bool {
	if !yield(o) {
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		if in := o.fields[name].inside; in != nil && !in.walk(yield) {
			return false
		}
	}
	return true
}

// joined is a path and keys under it, in memory of its own.
func joined(path []string, keys ...string) []string { return slices.Concat(path, keys) }

// under is a copy of a tree whose paths all begin with prefix. With nil it shares what steps do not change.
func (o *object) under(prefix []string) *object {
	return (&copier{prefix, map[*group]*group{}}).object(o)
}

// copier copies a tree to another place. A group in it stays one group, however many nodes it has.
type copier struct {
	prefix []string
	groups map[*group]*group
}

func (c *copier) object(o *object) *object {
	out := &object{typ: o.typ, prefix: joined(c.prefix, o.prefix...), fields: make(map[string]*node, len(o.fields)), used: maps.Clone(o.used)}
	for name, n := range o.fields {
		out.fields[name] = c.node(n)
	}
	for _, g := range o.groups {
		out.groups = append(out.groups, c.group(g))
	}
	return out
}

func (c *copier) node(n *node) *node {
	if n == nil || len(c.prefix) == 0 && n.inside == nil {
		return n
	}
	out := *n
	out.at = joined(c.prefix, n.at...)
	out.group, out.head = c.group(n.group), c.node(n.head)
	if n.inside != nil {
		out.inside = c.object(n.inside)
	}
	return &out
}

func (c *copier) group(g *group) *group {
	if g == nil || len(c.prefix) == 0 {
		return g
	}
	if out, ok := c.groups[g]; ok {
		return out
	}
	out := *g
	c.groups[g] = &out
	out.holder = joined(c.prefix, g.holder...)
	out.olds, out.news = nil, nil
	for _, n := range g.olds {
		out.olds = append(out.olds, c.node(n))
	}
	for _, n := range g.news {
		out.news = append(out.news, c.node(n))
	}
	return &out
}

// find is the field at a path of names, and the object that shows it.
func (o *object) find(path string) (*object, *node, error) {
	name, rest, further := strings.Cut(path, ".")
	n := o.fields[name]
	switch {
	case n == nil:
		return nil, nil, fmt.Errorf("there is no field %q in %q in this version; there are %s", name, o.typ, list(slices.Sorted(maps.Keys(o.fields))))
	case !further:
		return o, n, nil
	case n.inside == nil:
		return nil, nil, fmt.Errorf("the field %q is %s, not a nested object, so no path leads through it", name, a(n.kind))
	}
	return n.inside.find(rest)
}

// take removes a field from the view.
func (o *object) take(n *node) { delete(o.fields, n.name) }

// show shows a field under a name, which must be free.
func (o *object) show(n *node, name string) error {
	if o.fields[name] != nil {
		return fmt.Errorf("there is a field %q in %q already; rename or remove it first, or take another name", name, o.typ)
	}
	if n.name != name {
		out := *n
		out.name = name
		n = &out
	}
	o.fields[name] = n
	return nil
}

// put adds a stored field to an object. Its key is its name, or name~version if that was in use before.
func (c *compiler) put(o *object, f Field) (*node, error) {
	n := &node{name: f.name, kind: f.kind, opts: c.options(f)}
	key := f.name
	if _, taken := o.used[key]; taken {
		key = fmt.Sprintf("%s~%d", f.name, c.version)
	}
	if _, taken := o.used[key]; taken && o.fields[f.name] == nil {
		return nil, fmt.Errorf("the name %q was removed and added before in this version; take another name, or put this into the next version", f.name)
	}
	n.at = joined(o.prefix, key)
	switch f.kind {
	case KindTable:
		n.row = f.object
	case KindNested:
		n.inside = c.objects[f.object].under(n.at)
	case KindList:
		n.elem = &node{kind: f.elem.kind, opts: c.options(*f.elem)}
		if f.elem.kind == KindNested {
			n.elem.inside = &object{typ: f.elem.object} // until resolve
		}
	}
	if err := o.show(n, f.name); err != nil {
		return nil, err
	}
	o.used[key] = f.kind
	return n, nil
}

// each runs fn on a type's own tree and on every nested use of it, with its fields at some paths. A use whose fields were moved elsewhere by a
// Hoist or Plunge around it is left out: they are not fields of it any more.
func (c *compiler) each(typ string, paths []string, fn func(o *object, fields []*node) error) error {
	own, err := c.typ(typ)
	if err != nil {
		return err
	}
	fields := make([]*node, len(paths))
	for i, path := range paths {
		if _, fields[i], err = own.find(path); err != nil {
			return err
		}
	}
	uses := []*object{own}
	for _, around := range slices.Sorted(maps.Keys(c.objects)) {
		for o := range c.objects[around].all {
			if o.typ == typ && o != own {
				uses = append(uses, o)
			}
		}
	}
	for _, o := range uses {
		var there []*node
		for i, path := range paths {
			if _, n, err := o.find(path); err == nil && sameField(o, n, fields[i]) {
				there = append(there, n)
			}
		}
		err := error(nil)
		switch {
		case len(there) == len(paths):
			err = fn(o, there)
		case len(there) > 0:
			err = errors.New("Hoist or Plunge moved some of the fields of this step elsewhere, but not all; move them back first")
		}
		if err != nil && o != own {
			err = fmt.Errorf("where it is nested, at /%s: %w", strings.Join(o.prefix, "/"), err)
		}
		if err != nil {
			return err
		}
	}
	for _, o := range uses[1:] { // keys are the same in all of them, also where the step was left out
		maps.Copy(o.used, own.used)
	}
	return nil
}

// sameField says whether n, found in a use o of a type, is the field that is own in the type's own tree.
func sameField(o *object, n, own *node) bool {
	if (n.group == nil) != (own.group == nil) || n.group != nil && (n.group.id != own.group.id || n.out != own.out) {
		return false
	}
	return slices.Equal(n.at, joined(o.prefix, own.at...))
}
