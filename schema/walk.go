package schema

import (
	"tombolo/doc/value"
)

// each runs fn on every unit of the document whose objects the version knows: the document itself, and all records that are not deleted.
func (t *target) each(o *object, fn func(t *target, o *object) error) error {
	if err := fn(t, o); err != nil {
		return err
	}
	return t.records(o, func(n *node, id string, src value.Source) error {
		u := &unit{in: t.u.in, src: src, path: &trail{&trail{t.u.path, n.name}, id}}
		row := &target{plan: t.plan, u: u, at: t.at.and(n.at...).and(id)}
		return row.each(t.u.in.version.objects[n.row], fn)
	})
}

// records yields the records of all tables of an object and of the objects nested in it.
func (t *target) records(o *object, yield func(n *node, id string, src value.Source) error) error {
	for _, name := range o.names() {
		n := o.fields[name]
		if n.kind == KindNested {
			if err := t.records(n.inside, yield); err != nil {
				return err
			}
		}
		if n.kind != KindTable {
			continue
		}
		src, err := t.u.at(n.at)
		if err != nil {
			return err
		}
		if src == nil || src.Kind() != value.Map {
			continue
		}
		err = src.Each(func(id string, row value.Source) error {
			there, err := isRecord(row)
			if err != nil || !there {
				return err
			}
			return yield(n, id, row)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// allGroups are those of an object and of the objects nested in it.
func (o *object) allGroups() []*group {
	out := append([]*group(nil), o.groups...)
	for _, name := range o.names() {
		if n := o.fields[name]; n.kind == KindNested {
			out = append(out, n.inside.allGroups()...)
		}
	}
	return out
}
