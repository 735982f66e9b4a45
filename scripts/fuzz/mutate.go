package main

import (
	"math"
	"slices"
	"strings"

	"tombolo/doc/gate"
)

// A mutation alters a change that has been taken apart, and says what it did; "" when there was nothing to alter. Those of this file
// keep to the language of changes: what they write is well-formed, and often plausible.
type mutation func(f forger, c *change, v *view) string

// opMutations alter one operation or the list of them.
var opMutations = []mutation{
	withOp("swap ops", func(f forger, c *change, _ *view, i int) {
		j := f.IntN(len(c.ops))
		c.ops[i], c.ops[j] = c.ops[j], c.ops[i]
	}),
	withOp("duplicate op", func(f forger, c *change, _ *view, i int) {
		c.ops = slices.Insert(c.ops, f.IntN(len(c.ops)+1), c.ops[i])
	}),
	withOp("delete op", func(_ forger, c *change, _ *view, i int) { c.ops = slices.Delete(c.ops, i, i+1) }),
	func(f forger, c *change, v *view) string {
		o := f.op(f.within(c, v))
		c.ops = slices.Insert(c.ops, f.IntN(len(c.ops)+1), o)
		return "insert op"
	},
	func(f forger, c *change, v *view) string {
		f.fill(c, v, 1+f.IntN(3))
		return "append ops"
	},
	withOp("other action", func(f forger, c *change, _ *view, i int) {
		c.ops[i].action = int64(f.IntN(8))
		if f.chance(8) {
			c.ops[i].action = choose[int64](f, 8, 9, 255, math.MaxInt64, -1)
		}
		if f.chance(2) {
			c.ops[i].kind, c.ops[i].value = typeNull, nil
		}
	}),
	withOp("other object", func(f forger, c *change, v *view, i int) {
		if k, ok := f.within(c, v).anyObject(f.Rand); ok && !f.chance(6) {
			c.ops[i].obj = k.id
			return
		}
		c.ops[i].obj = f.wrong(c, v, i)
	}),
	withOp("other key", func(f forger, c *change, v *view, i int) {
		o := &c.ops[i]
		o.key = choose(f, f.key(v, o.obj), f.key(v, o.obj), "", "\xff", o.key+"x", strings.Repeat("k", 300))
		o.keyed = !f.chance(10)
	}),
	withOp("other element", func(f forger, c *change, v *view, i int) {
		o := &c.ops[i]
		o.keyed = f.chance(10)
		now := f.within(c, v)
		if e, ok := now.anyElem(f.Rand, o.obj); ok && !f.chance(6) {
			o.elem = e
			return
		}
		o.elem = f.wrong(c, v, i)
	}),
	withOp("toggle insert", func(_ forger, c *change, _ *view, i int) { c.ops[i].insert = !c.ops[i].insert }),
	withOp("preds: add from its slot", func(f forger, c *change, v *view, i int) {
		o := &c.ops[i]
		for _, k := range f.within(c, v).at(o.slot(opID{})) {
			if f.chance(2) {
				o.preds = append(o.preds, k.id)
			}
		}
		f.order(o)
	}),
	withOp("preds: add any", func(f forger, c *change, v *view, i int) {
		if k, ok := f.within(c, v).anyOp(f.Rand); ok {
			c.ops[i].preds = append(c.ops[i].preds, k.id)
			f.order(&c.ops[i])
		}
	}),
	withOp("preds: add a wrong one", func(f forger, c *change, v *view, i int) {
		c.ops[i].preds = append(c.ops[i].preds, f.wrong(c, v, i))
		f.order(&c.ops[i])
	}),
	withOp("preds: drop", func(f forger, c *change, _ *view, i int) {
		if p := c.ops[i].preds; len(p) > 0 {
			c.ops[i].preds = slices.Delete(p, 0, 1+f.IntN(len(p)))
		}
	}),
	withOp("preds: duplicate or reorder", func(f forger, c *change, _ *view, i int) {
		if p := c.ops[i].preds; len(p) > 0 {
			c.ops[i].preds = append(p, p[f.IntN(len(p))])
			f.Shuffle(len(p), func(a, b int) { p[a], p[b] = p[b], p[a] })
		}
	}),
	withOp("other value", func(f forger, c *change, _ *view, i int) { f.scalar(&c.ops[i]) }),
	withOp("value to a container or back", func(f forger, c *change, _ *view, i int) {
		c.ops[i].kind, c.ops[i].value = typeNull, nil
		f.fresh(&c.ops[i])
	}),
	withOp("wrong value", func(f forger, c *change, _ *view, i int) {
		o := &c.ops[i]
		switch f.IntN(4) {
		case 0:
			o.kind = uint64(f.IntN(16))
		case 1:
			o.value = append(o.value, byte(f.IntN(256)))
		case 2:
			o.value = o.value[:f.IntN(len(o.value)+1)]
		case 3:
			if len(o.value) > 0 {
				o.value[f.IntN(len(o.value))] = byte(f.IntN(256))
			}
		}
	}),
	withOp("increment", func(f forger, c *change, _ *view, i int) {
		c.ops[i].action, c.ops[i].kind = actInc, typeInt
		c.ops[i].value = f.number(typeInt)
	}),
	withOp("mark", func(f forger, c *change, _ *view, i int) {
		o := &c.ops[i]
		o.expand = !o.expand
		switch {
		case f.chance(2):
			name := choose(f, "bold", "", "\xff")
			o.markName = &name
		case f.chance(2):
			o.markName = nil
		}
	}),
	func(f forger, c *change, v *view) string { // the core's own inserts then land differently here and on other peers
		list, ok := f.within(c, v).anyObject(f.Rand)
		if !ok || list.action != actMakeList && list.action != actMakeText {
			return ""
		}
		name, mark := "bold", opID{int64(c.startOp) + int64(len(c.ops)), c.actor}
		elem, _ := v.anyElem(f.Rand, list.id)
		c.ops = append(c.ops, op{obj: list.id, elem: elem, insert: true, action: actMark, kind: typeTrue, markName: &name, expand: true})
		c.ops = append(c.ops, op{obj: list.id, elem: mark, action: actSet, kind: typeString, value: []byte("on a mark")})
		return "a value on a mark"
	},
	withOp("counters by one", func(f forger, c *change, _ *view, i int) {
		o := &c.ops[i]
		by := choose[int64](f, 1, -1)
		switch n := f.IntN(3); {
		case n == 0:
			o.obj.ctr += by
		case n == 1 && !o.keyed:
			o.elem.ctr += by
		case len(o.preds) > 0:
			o.preds[f.IntN(len(o.preds))].ctr += by
		}
	}),
	withOp("other writer in a reference", func(f forger, c *change, v *view, i int) {
		o := &c.ops[i]
		a, _ := v.anyActor(f.Rand)
		switch n := f.IntN(3); {
		case n == 0 && o.obj != opID{}:
			o.obj.actor = a
		case n == 1 && o.elem != opID{}:
			o.elem.actor = a
		case len(o.preds) > 0:
			o.preds[f.IntN(len(o.preds))].actor = a
		}
	}),
}

// headMutations alter what stands before the operations.
var headMutations = []mutation{
	func(f forger, c *change, v *view) string {
		c.actor = f.actor()
		if a, ok := v.anyActor(f.Rand); ok && f.chance(2) {
			c.actor = a
		}
		if f.chance(2) {
			c.seq = v.seq(c.actor) + 1
		}
		return "other writer"
	},
	func(f forger, c *change, _ *view) string {
		c.seq = choose(f, c.seq+1, c.seq-1, 0, 1, 2, 1000, 1<<32-1, 1<<32, 1<<63)
		return "other seq"
	},
	func(f forger, c *change, _ *view) string {
		c.startOp = choose(f, c.startOp+1, c.startOp+1, c.startOp-1, c.startOp+5000, c.startOp+1<<20, 0, 1, 1<<31, 1<<32-2, 1<<32, math.MaxUint64)
		return "other startOp"
	},
	func(f forger, c *change, _ *view) string {
		c.time = choose[int64](f, 0, -1, 1<<53, 1<<53+1, -1<<53-1, 1<<60, math.MaxInt64, math.MinInt64)
		return "other time"
	},
	func(f forger, c *change, _ *view) string {
		c.message = choose(f, "", "x", "\x00", "\xff", strings.Repeat("m", 3000))
		return "other message"
	},
	func(f forger, c *change, _ *view) string {
		if len(c.deps) == 0 {
			return ""
		}
		i := f.IntN(len(c.deps))
		c.deps = slices.Delete(c.deps, i, i+1)
		return "drop dep"
	},
	func(f forger, c *change, v *view) string {
		h, ok := v.anyHash(f.Rand)
		if !ok {
			return ""
		}
		c.deps = append(c.deps, h)
		if !f.chance(8) {
			slices.SortFunc(c.deps, gate.Hash.Compare)
		}
		return "add dep"
	},
	func(f forger, c *change, _ *view) string {
		var h gate.Hash
		for i := range h {
			h[i] = byte(f.Uint32())
		}
		c.deps = append(c.deps, h)
		slices.SortFunc(c.deps, gate.Hash.Compare)
		return "unknown dep"
	},
	func(f forger, c *change, v *view) string {
		a, ok := v.anyActor(f.Rand)
		if !ok || f.chance(2) {
			a = f.actor()
		}
		c.others = append(c.others, a)
		return "unused actor"
	},
	func(f forger, c *change, v *view) string { // what the writer had not seen: the operations may then refer to nothing
		c.deps = slices.Clone(v.heads)
		slices.SortFunc(c.deps, gate.Hash.Compare)
		c.actor, c.seq, c.startOp = f.actor(), 1, uint64(v.maxOp)+1
		return "replay by a new writer"
	},
}

// withOp is a mutation of one operation.
func withOp(name string, alter func(f forger, c *change, v *view, i int)) mutation {
	return func(f forger, c *change, v *view) string {
		if len(c.ops) == 0 {
			return ""
		}
		alter(f, c, v, f.IntN(len(c.ops)))
		return name
	}
}

// within is v with the operations of c, whose numbers may be anything.
func (f forger) within(c *change, v *view) *view {
	if len(c.ops) > 500 {
		return v
	}
	now := over(v)
	for i := range c.ops {
		now.addOp(opID{int64(c.startOp) + int64(i), c.actor}, &c.ops[i])
	}
	return now
}

// wrong is a reference that should not be: the operation itself, a later one, one that is not what is wanted, or none.
func (f forger) wrong(c *change, v *view, i int) opID {
	self := opID{int64(c.startOp) + int64(i), c.actor}
	switch f.IntN(6) {
	case 0:
		return self
	case 1:
		return opID{self.ctr + int64(f.IntN(4)), c.actor}
	case 2:
		return opID{}
	case 3:
		return opID{choose[int64](f, 1, 1<<31, 1<<32-1, 1<<32, -1, math.MaxInt64), c.actor}
	}
	k, _ := v.anyOp(f.Rand)
	return k.id
}

// order sorts the predecessors as a change must have them; now and then it does not.
func (f forger) order(o *op) {
	if f.chance(12) {
		return
	}
	slices.SortFunc(o.preds, opID.compare)
	o.preds = slices.Compact(o.preds)
}
