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
		if err := s.judge(version, c).unreadable; err != nil {
			return err
		}
		in := &reading{version: version}
		t := &target{plan: &plan{}, u: &unit{in: in, src: c.Root}}
		return t.each(version.objects[Root], func(t *target, o *object) error {
			found, err := t.shadowed(o)
			out = append(out, found...)
			places = append(append(places, t.registers(o, t.u.path)...), t.olds(o)...)
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
				out = append(out, Conflict{Path: p.path(), Value: lost.Value})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Conflict) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// place is where a register shows and where it is stored.
type place struct {
	path func() string
	at   string
}

// registers are those of a unit.
func (t *target) registers(o *object, path *trail) []place {
	var out []place
	for _, name := range o.names() {
		switch n := o.fields[name]; {
		case n.kind == KindNested:
			out = append(out, t.registers(n.inside, &trail{path, name})...)
		case n.head != nil:
			out = append(out, place{func() string { return path.below(name) }, t.place(n.head.at...)})
		case n.kind.register() && n.group == nil:
			out = append(out, place{func() string { return path.below(name) }, t.place(n.at...)})
		}
	}
	return out
}

// olds are the stored fields that the groups of a unit are made of.
func (t *target) olds(o *object) []place {
	var out []place
	for _, g := range o.allGroups() {
		for _, n := range g.olds {
			if n.group == nil {
				out = append(out, place{func() string { return t.u.path.below(o.shows(g, 0)...) }, t.place(n.at...)})
			}
		}
	}
	return out
}

// shows is where a new field of a group shows: the field itself or, where later steps make others of it, the first of these; if nothing does, where the
// group has it.
func (o *object) shows(g *group, out int) []string {
	if path := o.showsAs(g, out); path != nil {
		return path
	}
	for _, h := range o.allGroups() {
		if slices.ContainsFunc(h.olds, func(n *node) bool { return n.group == g && n.out == out }) {
			return o.shows(h, 0)
		}
	}
	return joined(g.holder, g.news[out].name)
}

func (o *object) showsAs(g *group, out int) []string {
	for _, name := range o.names() {
		n := o.fields[name]
		if n.group == g && n.out == out {
			return []string{name}
		}
		if n.kind != KindNested {
			continue
		}
		if path := n.inside.showsAs(g, out); path != nil {
			return append([]string{name}, path...)
		}
	}
	return nil
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
					lost[key] = Conflict{Path: t.u.path.below(o.shows(g, i)...), Value: v, Epoch: epoch}
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
