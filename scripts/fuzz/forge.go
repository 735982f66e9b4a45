package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"tombolo/doc/gate"
)

// forger makes changes and operations that a writer could have made, or nearly: the gate admits most of them, and they bring the core
// into states that its own interface never reaches.
type forger struct{ *rand.Rand }

// chance is true once in n.
func (f forger) chance(n int) bool { return f.IntN(n) == 0 }

func choose[T any](f forger, list ...T) T { return list[f.IntN(len(list))] }

// change makes a change with a few operations on top of v.
func (f forger) change(v *view) *change {
	c := &change{actor: f.actor(), seq: 1, startOp: uint64(v.maxOp) + 1, time: int64(f.IntN(2e9))}
	c.deps = slices.Clone(v.heads)
	if f.chance(16) { // an ancestor beside the heads changes nothing, and is allowed
		if h, ok := v.anyHash(f.Rand); ok && !slices.Contains(c.deps, h) {
			c.deps = append(c.deps, h)
		}
	}
	slices.SortFunc(c.deps, gate.Hash.Compare)
	if a, ok := v.anyActor(f.Rand); ok && f.chance(2) {
		c.actor, c.seq = a, v.seq(a)+1
	}
	if f.chance(20) {
		c.startOp += uint64(choose(f, 1, 7, 1000, 1<<20-1, 1<<20))
	}
	if f.chance(10) {
		c.time = choose[int64](f, -1, -1<<40, 1<<53, -1<<53, 1<<53+1, math.MinInt64, math.MaxInt64, 0)
	}
	if f.chance(10) {
		c.message = choose(f, "m", "m\x00", "ü😀", strings.Repeat("long ", 100), "\xff")
	}
	if f.chance(300) {
		f.dig(c, choose(f, 10, 60, 100, 128, 300, 1000, 3000))
		return c
	}
	n := choose(f, 1, 1, 2, 3, 4, 6, 0)
	if f.chance(100) {
		n = choose(f, 40, 300)
	}
	f.fill(c, v, n)
	return c
}

// bare is a change of a new writer who has everything, without operations.
func (f forger) bare(v *view) *change {
	c := &change{}
	f.rebase(c, v)
	return c
}

// dig makes maps and lists inside each other.
func (f forger) dig(c *change, depth int) {
	var o op
	for i := range depth {
		o = op{obj: o.obj, action: choose[int64](f, actMakeMap, actMakeList)}
		if i == 0 || c.ops[i-1].action == actMakeMap {
			o.keyed, o.key = true, "in"
		} else {
			o.insert = true
		}
		c.ops = append(c.ops, o)
		o.obj = opID{int64(c.startOp) + int64(i), c.actor}
	}
}

// fill adds n operations to a change, each of which may refer to those before it.
func (f forger) fill(c *change, v *view, n int) {
	now := over(v)
	for i := range c.ops {
		now.addOp(opID{int64(c.startOp) + int64(i), c.actor}, &c.ops[i])
	}
	for range n {
		o := f.op(now)
		now.addOp(opID{int64(c.startOp) + int64(len(c.ops)), c.actor}, &o)
		c.ops = append(c.ops, o)
	}
}

// actor is an actor nobody has had.
func (f forger) actor() string {
	n := 16
	if f.chance(8) {
		n = choose(f, 1, 1, 2, 2, 3, 15, 17, 63, 64, 65, 0)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(f.Uint32())
	}
	if f.chance(16) && n > 0 {
		b[0] = choose[byte](f, 0, 255)
	}
	return string(b)
}

// op is an operation that fits what v has.
func (f forger) op(v *view) op {
	obj, ok := v.anyObject(f.Rand)
	if !ok || f.chance(4) {
		return f.mapOp(v, opID{})
	}
	switch obj.action {
	case actMakeList, actMakeText:
		return f.listOp(v, obj)
	}
	return f.mapOp(v, obj.id)
}

func (f forger) mapOp(v *view, obj opID) op {
	o := op{obj: obj, keyed: true, key: f.key(v, obj)}
	f.give(&o, v, o.slot(opID{}))
	return o
}

// key is one of a map's keys, or a new one.
func (f forger) key(v *view, obj opID) string {
	for range 6 {
		if k, ok := v.anyOp(f.Rand); ok && k.slot.keyed && k.slot.obj == obj {
			return k.slot.key
		}
	}
	return choose(f, "k"+strconv.Itoa(f.IntN(5)), "é", "nul\x00", "a long key that stands for keys that are sentences", "title")
}

func (f forger) listOp(v *view, list known) op {
	o := op{obj: list.id, insert: f.IntN(5) < 3}
	elem, ok := v.anyElem(f.Rand, list.id)
	if !ok {
		o.insert = true
	}
	if ok && (!o.insert || !f.chance(5)) {
		o.elem = elem
	}
	if !o.insert {
		f.give(&o, v, o.slot(opID{}))
		return o
	}
	switch {
	case f.chance(8):
		o.action, o.expand = actMark, f.chance(2)
		if f.chance(2) { // the begin of a mark has a name, its end has not
			name := choose(f, "bold", "link", "")
			o.markName = &name
			f.scalar(&o)
		}
	case list.action == actMakeText && !f.chance(4):
		o.action, o.kind, o.value = actSet, typeString, []byte(choose(f, "a", "é", "😀", "two", "\n", "", "\ufffc"))
	default:
		f.fresh(&o)
	}
	return o
}

// fresh gives an operation a new value: a scalar or an object.
func (f forger) fresh(o *op) {
	if f.chance(4) {
		o.action = choose[int64](f, actMakeMap, actMakeList, actMakeText)
		if f.chance(40) {
			o.action = actMakeTable
		}
		return
	}
	o.action = actSet
	f.scalar(o)
}

// give makes an operation set, delete or increment what stands in a slot.
func (f forger) give(o *op, v *view, s slot) {
	here := v.at(s)
	var live, counters []opID
	for _, k := range here {
		if k.action == actInc || k.action == actMark && f.chance(2) || v.isDead(k.id) && !f.chance(12) {
			continue
		}
		if f.chance(12) {
			continue // as if the writer had not seen it
		}
		live = append(live, k.id)
		if k.action == actSet && k.kind == typeCounter {
			counters = append(counters, k.id)
		}
	}
	slices.SortFunc(live, opID.compare)
	slices.SortFunc(counters, opID.compare)
	switch {
	case len(counters) > 0 && !f.chance(3):
		o.action, o.kind = actInc, typeInt
		if f.chance(8) {
			o.kind = typeUint
		}
		o.value = f.number(o.kind)
		o.preds = counters
		if f.chance(6) {
			o.preds = live
		}
		return
	case len(live) > 0 && f.chance(5):
		o.action = actDel
	default:
		f.fresh(o)
	}
	o.preds = live
}

// scalar gives an operation a value of any type.
func (f forger) scalar(o *op) {
	o.kind = uint64(f.IntN(10))
	switch o.kind {
	case typeUint, typeInt, typeCounter, typeTime:
		o.value = f.number(o.kind)
	case typeFloat:
		v := choose(f, 1.5, 0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.MaxFloat64, 5e-324)
		o.value = binary.LittleEndian.AppendUint64(nil, math.Float64bits(v))
		if f.chance(8) {
			o.value[1] ^= 0x55 // a NaN with another payload, among others
		}
	case typeString:
		o.value = []byte(choose(f, "", "s", "é😀", "nul\x00", strings.Repeat("x", 40)))
	case typeBytes:
		o.value = []byte(choose(f, "", "\x00", "\xff\xfe", strings.Repeat("\x07", 40)))
	}
}

// number is a number spelled as its type wants it.
func (f forger) number(kind uint64) []byte {
	if kind == typeUint {
		return binary.AppendUvarint(nil, choose(f, 0, 1, 127, 128, 1<<53, 1<<63-1, 1<<63, math.MaxUint64, f.Uint64()>>f.IntN(64)))
	}
	return appendInt(nil, choose(f, 0, 1, -1, 63, 64, -64, -65, 1<<53, math.MaxInt64, math.MinInt64, int64(f.Uint64())>>f.IntN(64)))
}
