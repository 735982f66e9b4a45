package schema

import (
	"context"
	"slices"

	"tombolo/doc"
)

// Settle writes again what older versions see of fields that a lens makes, where that went stale: after edits of newer versions merged, the old
// field may hold what one of them alone would have given. The view of this version never needs it. It is an edit like others, which wins or loses
// against edits that others make meanwhile; so call it in a quiet moment, on one device, and not after every merge. Where nothing is stale it
// writes nothing, and devices that settle apart write the same. changed says whether it wrote.
func (s *Schema) Settle(ctx context.Context, d Document) (changed bool, err error) {
	version := s.versions[len(s.versions)-1]
	err = d.Change(ctx, "settle", func(tx *doc.Tx) error {
		missing, err := s.mayWrite(tx, version, func(doc.Content) error { return nil })
		if err != nil {
			return err
		}
		return write(tx, version, missing, func(t *target) error {
			err := t.each(version.objects[Root], (*target).settle)
			changed = !t.empty()
			return err
		})
	})
	return changed && err == nil, err
}

// settle plans what is stale in one unit.
func (t *target) settle(o *object) error {
	groups := o.allGroups()
	slices.SortFunc(groups, func(a, b *group) int { return b.compare(a) })
	for _, g := range groups {
		if news := t.take(g); news != nil { // of the Down of a newer one
			if err := t.group(g, news); err != nil {
				return err
			}
			continue
		}
		e, err := t.u.eval(g)
		if err != nil {
			return err
		}
		if e.err != nil || !e.fresh || g.oneWay {
			continue // an older version wrote last: nothing is stale for it
		}
		if err := t.lower(g, e, e.epoch, e.values); err != nil {
			return err
		}
	}
	if err := t.settleHeads(o); err != nil {
		return err
	}
	return t.settleGroups()
}

// settleHeads gives sets that were one string an element to show.
func (t *target) settleHeads(o *object) error {
	for _, name := range o.names() {
		n := o.fields[name]
		switch {
		case n.kind == KindNested:
			if err := t.settleHeads(n.inside); err != nil {
				return err
			}
		case n.head != nil:
			elems, err := t.u.elements(n, t.u.path)
			if err != nil {
				return err
			}
			if err := t.rehead(n, elems); err != nil {
				return err
			}
		}
	}
	return nil
}
