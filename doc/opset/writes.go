package opset

import "iter"

// Write is an operation by which a container came about or changed.
type Write struct {
	Slot   Slot  // where it acted
	ID     ID    // its name
	Change int   // the position of its change; [gate.Graph.Len] for the open draft
	Time   int64 // of its change, in seconds since 1970, as its writer claims; 0 says nothing
}

// Writes yields the operation that made a container, and those of the view that acted in it and in the containers it holds, whether what
// they wrote is still there or not. One may come several times. It costs the operations ever made there.
func (v View) Writes(obj Object) iter.Seq[Write] {
	return func(yield func(Write) bool) {
		if obj != Root {
			sl, made := v.s.Made(obj)
			if !yield(v.write(sl, uint32(made))) {
				return
			}
		}
		v.writes(obj, yield)
	}
}

func (v View) write(sl Slot, pos uint32) Write {
	c := v.s.ops[pos].change
	return Write{Slot: sl, ID: v.s.ID(Item(pos)), Change: int(c), Time: v.s.changes[c].time}
}

// writes yields the operations in a container, false when the caller wants no more.
func (v View) writes(obj Object, yield func(Write) bool) bool {
	o := &v.s.objects[obj]
	for _, sl := range o.slots {
		if !v.writesAt(Slot{Obj: obj, key: sl.key}, sl.last, yield) {
			return false
		}
	}
	for _, sp := range o.order {
		for _, e := range v.s.blocks[sp.block].elems {
			last := e + 1
			if v.s.ops[e].is(flagElem) {
				last = v.s.elems[e].last
			}
			if !v.writesAt(Slot{Obj: obj, Seq: true, key: e}, last, yield) {
				return false
			}
		}
	}
	return true
}

// writesAt yields the operations at a slot, from the value added last (1 + position) to the first.
func (v View) writesAt(sl Slot, last uint32, yield func(Write) bool) bool {
	s, more := v.s, true
	for more && last > 0 {
		o := &s.ops[last-1]
		if v.has(o.change) {
			more = yield(v.write(sl, last-1))
			s.lists.each(o.succ, func(q uint32) bool {
				if more && !isValue(s.ops[q].action) && v.has(s.ops[q].change) { // a value comes by itself
					more = yield(v.write(sl, q))
				}
				return more
			})
			if more && isMake(o.action) && v.visible(last-1) {
				more = v.writes(Object(o.val), yield)
			}
		}
		if o.is(flagInsert) {
			break
		}
		last = o.ref
	}
	return more
}

// LastOp is the counter of the last operation of a change, which has one.
func (s *Set) LastOp(change int) uint32 {
	c := &s.changes[change]
	return c.start + s.end(uint32(change)) - c.first - 1
}
