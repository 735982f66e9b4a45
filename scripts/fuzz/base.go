package main

import (
	"slices"

	"tombolo/doc/gate"
)

// base picks a change to alter, the context it belongs to, and both taken apart.
func (t *trial) base(f forger) *change {
	s := t.seed
	if len(s.raws) == 0 || len(s.next) > 0 && f.chance(3) {
		t.past = s.whole()
		if len(s.next) == 0 {
			return f.change(t.past.view)
		}
		c, err := parse(choose(f, s.next...))
		if err != nil {
			return f.change(t.past.view)
		}
		return c.clone() // its values lie in the seed's bytes
	}
	if f.chance(2) { // an old change once more, by a new writer who has everything
		t.past = s.whole()
		c := s.changes[f.IntN(len(s.changes))].clone()
		f.rebase(c, t.past.view)
		return c
	}
	cut := s.cut(f)
	t.past = s.history(historyKey{cut, f.chance(2)})
	return s.changes[cut].clone()
}

// rebase makes c a change of a new writer on top of v. What it says about its own operations goes along, mostly.
func (f forger) rebase(c *change, v *view) {
	was, start, n := c.actor, int64(c.startOp), int64(len(c.ops))
	c.deps = slices.Clone(v.heads)
	slices.SortFunc(c.deps, gate.Hash.Compare)
	c.actor, c.seq, c.startOp = f.actor(), 1, uint64(v.maxOp)+1
	if f.chance(4) {
		return
	}
	move := func(id opID) opID {
		if id.actor == was && id.ctr >= start && id.ctr < start+n {
			return opID{id.ctr - start + int64(c.startOp), c.actor}
		}
		return id
	}
	for i := range c.ops {
		o := &c.ops[i]
		o.obj, o.elem = move(o.obj), move(o.elem)
		for j := range o.preds {
			o.preds[j] = move(o.preds[j])
		}
	}
}
