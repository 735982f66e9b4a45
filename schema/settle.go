package schema

import (
	"context"

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
	t.stale = o.allGroups()
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
			if err := t.rehead(n, elems, elems); err != nil {
				return err
			}
		}
	}
	return nil
}
