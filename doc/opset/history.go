package opset

import (
	"iter"
	"slices"

	"tombolo/doc/gate"
)

// Info is what a change says about itself, as its writer claims.
type Info struct {
	Actor   string // the bytes of the actor ID
	Seq     uint64 // its number among the changes of the actor, from 1
	Time    int64  // seconds since 1970; 0 says nothing
	Message string
	Ops     int
}

// Info is what the header of the change at a position says. It costs no decoding.
func (s *Set) Info(pos int) Info {
	c := &s.changes[pos]
	w := &s.writers[c.writer]
	seq, _ := slices.BinarySearch(w.changes, uint32(pos))
	return Info{Actor: w.id, Seq: uint64(seq) + 1, Time: c.time, Message: c.message, Ops: int(s.end(uint32(pos)) - c.first)}
}

// Without is the document as if some changes, given by their positions, ascending, had not been made: what they replaced is there again, unless
// another change replaced it, too. What others wrote into containers that they made stays out of reach.
func (s *Set) Without(changes []int) View { return s.without(changes) }

// Operation is one operation of a change.
type Operation struct {
	Slot   Slot
	Item   Item // where it puts a value: that value
	Action gate.Action
	By     int64 // of an increment
}

// Value says whether the operation puts a value into its slot.
func (o Operation) Value() bool { return isValue(o.Action) }

// Operations yields the operations of a change in their order, those of marks on text left out.
func (s *Set) Operations(change int) iter.Seq[Operation] {
	return func(yield func(Operation) bool) {
		for pos := s.changes[change].first; pos < s.end(uint32(change)); pos++ {
			o := Operation{Slot: s.slot(pos), Item: Item(pos), Action: s.ops[pos].action}
			if o.Action == gate.ActMark {
				continue
			}
			if o.Action == gate.ActIncrement {
				o.By = s.number(pos)
			}
			if !yield(o) {
				return
			}
		}
	}
}

// Replacing yields the positions of the changes that took an item away; increments of a counter do not.
func (s *Set) Replacing(item Item) iter.Seq[int] {
	return func(yield func(int) bool) {
		counts := s.isCounter(uint32(item))
		s.lists.each(s.ops[item].succ, func(q uint32) bool {
			return counts && s.ops[q].action == gate.ActIncrement || yield(int(s.ops[q].change))
		})
	}
}

// Replaced are the values that an operation replaces, or the counters that it increments.
func (s *Set) Replaced(item Item) []Item {
	var out []Item
	s.lists.each(s.ops[item].pred, func(p uint32) bool { out = append(out, Item(p)); return true })
	return out
}

// Inserted is the value that an element was inserted with, whether it still holds it or not.
func (s *Set) Inserted(sl Slot) Item { return Item(sl.key) }

// Depth is how many containers an object lies in.
func (s *Set) Depth(obj Object) int { return int(s.objects[obj].depth) }

// Find is the item that has an ID; false when there is none.
func (s *Set) Find(id ID) (Item, bool) {
	n, ok := s.graph.ActorNumber([]byte(id.Actor))
	if !ok {
		return 0, false
	}
	pos, ok := s.find(uint32(n), id.Counter)
	if !ok || !isValue(s.ops[pos].action) {
		return 0, false
	}
	return Item(pos), true
}

// Preceding yields the elements that stand before one in its list or text, visible or not, the nearest first.
func (s *Set) Preceding(sl Slot) iter.Seq[Slot] {
	return func(yield func(Slot) bool) {
		sp, at := s.placeOf(sl.Obj, sl.key)
		order := s.objects[sl.Obj].order
		elems := s.blocks[order[sp].block].elems[:at]
		for {
			for _, e := range slices.Backward(elems) {
				if !yield(Slot{Obj: sl.Obj, Seq: true, key: e}) {
					return
				}
			}
			if sp--; sp < 0 {
				return
			}
			elems = s.blocks[order[sp].block].elems
		}
	}
}

// Conflicted yields the slots that hold more than one value now, in no order. It costs a look at every key that was ever used and every element that
// was ever replaced.
func (s *Set) Conflicted() iter.Seq[Slot] {
	return func(yield func(Slot) bool) {
		for obj := range s.objects {
			for _, sl := range s.objects[obj].slots {
				if s.lists.len(sl.live) > 1 && !yield(Slot{Obj: Object(obj), key: sl.key}) {
					return
				}
			}
		}
		for e, elem := range s.elems {
			if s.lists.len(elem.live) > 1 && !yield(s.slot(e)) {
				return
			}
		}
	}
}

// Withdraw takes some of the values in a slot away; the others stay.
func (d *Draft) Withdraw(sl Slot, items []Item) {
	preds := make([]uint32, len(items))
	for i, item := range items {
		preds[i] = uint32(item)
	}
	d.s.record(d.op(sl, gate.ActDelete, gate.TypeNull), nil, preds)
}
