package schema

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"tombolo/doc"
	"tombolo/doc/value"
)

// Conflict is a value that is stored and does not show, because another one counts.
type Conflict struct {
	Path  string // of the field in the view of the newest version, a JSON Pointer
	Value any    // in Go form
	Epoch string // of a value that a newer version wrote while an older one did; "" for one of concurrent writes of a register
}

// Conflicted is a document that tells concurrent values: a *tombolo.Handle or a [doc.Doc].
type Conflicted interface {
	Readable
	Conflicts(path string) ([]doc.Conflict, error)
}

// Conflicts lists what lost: values of registers that were written at the same time as the one that counts, and values that a newer version wrote
// into a field of a lens and that an older version's edit put out of sight. The list is sorted by path. What somebody saw and replaced
// may be among the second kind.
func (s *Schema) Conflicts(d Conflicted) ([]Conflict, error) {
	version := s.versions[len(s.versions)-1]
	var out []Conflict
	var places []place
	err := d.Content(func(c doc.Content) error {
		if err := s.unreadable(c.Brief().App, c.Brief().Layout); err != nil {
			return err
		}
		in := &reading{version: version}
		t := &target{plan: &plan{}, u: &unit{in: in, src: c.Root}}
		return t.each(version.objects[Root], func(t *target, o *object) error {
			found, err := t.shadowed(o)
			out = append(out, found...)
			places = append(places, t.registers(o, t.u.path)...)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		all, err := d.Conflicts(p.at)
		if _, gone := errors.AsType[*doc.PathError](err); gone {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, lost := range all[:max(len(all)-1, 0)] {
			if !doc.Equal(lost.Value, all[len(all)-1].Value) {
				out = append(out, Conflict{Path: p.path, Value: lost.Value})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Conflict) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// place is where a register shows and where it is stored.
type place struct{ path, at string }

// registers are those of a unit, and the old fields of its groups.
func (t *target) registers(o *object, path *trail) []place {
	var out []place
	for _, name := range o.names() {
		switch n := o.fields[name]; {
		case n.kind == KindNested:
			out = append(out, t.registers(n.inside, &trail{path, name})...)
		case n.head != nil:
			out = append(out, place{path.below(name), t.place(n.head.at...)})
		case n.kind.register() && n.group == nil:
			out = append(out, place{path.below(name), t.place(n.at...)})
		}
	}
	for _, g := range o.groups {
		for _, n := range g.olds {
			if n.group == nil {
				out = append(out, place{path.below(g.news[0].name), t.place(n.at...)})
			}
		}
	}
	return out
}

// shadowed are the values in epochs that do not count.
func (t *target) shadowed(o *object) ([]Conflict, error) {
	var out []Conflict
	for _, g := range o.allGroups() {
		e, err := t.u.eval(g)
		if err != nil {
			return nil, err
		}
		holder, err := t.u.at(g.holder)
		if err != nil {
			return nil, err
		}
		if holder == nil || holder.Kind() != value.Map {
			continue
		}
		lost := map[string]Conflict{}
		err = holder.Each(func(key string, src value.Source) error {
			for i, n := range g.news {
				epoch, ok := strings.CutPrefix(key, n.name+"~"+g.id+"@")
				if !ok || e.fresh && epoch == e.epoch.name {
					continue
				}
				v := scalar(src)
				if e.err != nil || !doc.Equal(v, e.values[i]) {
					lost[key] = Conflict{Path: t.u.path.below(n.name), Value: v, Epoch: epoch}
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		for _, key := range slices.Sorted(maps.Keys(lost)) {
			out = append(out, lost[key])
		}
	}
	return out, nil
}
