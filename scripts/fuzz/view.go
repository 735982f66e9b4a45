package main

import (
	"math/rand/v2"

	"tombolo/doc/gate"
)

// slot is where values stand: a key of a map, or an element of a list or text.
type slot struct {
	obj   opID
	keyed bool
	key   string
	elem  opID
}

// known is an operation that later ones can refer to.
type known struct {
	id     opID
	slot   slot
	action int64
	kind   uint64
	insert bool
}

// view is what a writer sees who has some changes: what new operations can refer to. It lies over another one, which it does not
// change, so that a case can add to what its seed has.
type view struct {
	below   *view
	ops     []known
	objects []known // those of ops that make an object
	slots   map[slot][]known
	elems   map[opID][]opID // the elements of a list or text, deleted ones too
	dead    map[opID]bool   // overwritten or deleted
	maxOp   int64
	last    map[string]uint64 // the sequence number of each writer
	actors  []string          // the writers in the order of their first change
	heads   []gate.Hash
	hashes  []gate.Hash
}

// over is an empty view over below, which may be nil.
func over(below *view) *view {
	v := &view{
		below: below, slots: map[slot][]known{}, elems: map[opID][]opID{}, dead: map[opID]bool{}, last: map[string]uint64{},
	}
	if below != nil {
		v.maxOp = below.maxOp
		v.heads = append(v.heads, below.heads...)
	}
	return v
}

// add takes in a change. It believes what the change says.
func (v *view) add(hash gate.Hash, c *change) {
	for i := range c.ops {
		v.addOp(opID{int64(c.startOp) + int64(i), c.actor}, &c.ops[i])
	}
	v.maxOp = max(v.maxOp, int64(c.startOp)+int64(len(c.ops))-1)
	if v.seq(c.actor) == 0 {
		v.actors = append(v.actors, c.actor)
	}
	v.last[c.actor] = c.seq
	heads := v.heads[:0]
	for _, h := range v.heads {
		if !contains(c.deps, h) {
			heads = append(heads, h)
		}
	}
	v.heads = append(heads, hash)
	v.hashes = append(v.hashes, hash)
}

func contains(hs []gate.Hash, h gate.Hash) bool {
	for _, x := range hs {
		if x == h {
			return true
		}
	}
	return false
}

func (v *view) addOp(id opID, o *op) {
	k := known{id: id, slot: o.slot(id), action: o.action, kind: o.kind, insert: o.insert}
	for _, p := range o.preds {
		if o.action != actInc {
			v.dead[p] = true
		}
	}
	if o.action == actDel {
		return
	}
	v.ops = append(v.ops, k)
	v.slots[k.slot] = append(v.slots[k.slot], k)
	if o.insert {
		v.elems[o.obj] = append(v.elems[o.obj], id)
	}
	switch o.action {
	case actMakeMap, actMakeList, actMakeText, actMakeTable:
		v.objects = append(v.objects, k)
	}
}

// slot is where an operation with this ID puts its value.
func (o *op) slot(id opID) slot {
	switch {
	case o.keyed:
		return slot{obj: o.obj, keyed: true, key: o.key}
	case o.insert:
		return slot{obj: o.obj, elem: id}
	}
	return slot{obj: o.obj, elem: o.elem}
}

func (v *view) seq(actor string) uint64 {
	for ; v != nil; v = v.below {
		if n, ok := v.last[actor]; ok {
			return n
		}
	}
	return 0
}

func (v *view) isDead(id opID) bool {
	for ; v != nil; v = v.below {
		if v.dead[id] {
			return true
		}
	}
	return false
}

// at are the operations of a slot, overwritten ones too.
func (v *view) at(s slot) []known {
	var out []known
	for ; v != nil; v = v.below {
		out = append(out, v.slots[s]...)
	}
	return out
}

// pick takes one of the things that list gives for each layer, any with equal chance.
func pick[T any](r *rand.Rand, v *view, list func(*view) []T) (T, bool) {
	n := 0
	for l := v; l != nil; l = l.below {
		n += len(list(l))
	}
	var none T
	if n == 0 {
		return none, false
	}
	i := r.IntN(n)
	for l := v; ; l = l.below {
		if here := list(l); i < len(here) {
			return here[i], true
		} else {
			i -= len(here)
		}
	}
}

func (v *view) anyOp(r *rand.Rand) (known, bool) {
	return pick(r, v, func(l *view) []known { return l.ops })
}

func (v *view) anyObject(r *rand.Rand) (known, bool) {
	return pick(r, v, func(l *view) []known { return l.objects })
}

func (v *view) anyElem(r *rand.Rand, obj opID) (opID, bool) {
	return pick(r, v, func(l *view) []opID { return l.elems[obj] })
}

func (v *view) anyActor(r *rand.Rand) (string, bool) {
	return pick(r, v, func(l *view) []string { return l.actors })
}

func (v *view) anyHash(r *rand.Rand) (gate.Hash, bool) {
	return pick(r, v, func(l *view) []gate.Hash { return l.hashes })
}
