package opset

import (
	"iter"
	"slices"

	"tombolo/doc/gate"
)

// Difference says where two versions of a document can differ. It looks at the operations of the changes that one of them lacks, at the blocks of
// the sequences those act on, and at nothing else: it costs what the versions lack of the document now, however large that is. It holds until the
// document changes.
type Difference struct {
	Before, After View

	s        *Set
	lacking  []int // the changes that one of the versions lacks, or both
	objects  map[Object]slots
	gathered bool
}

// slots are keys or elements of one container (as in Slot) with the operations there, of the changes that a version lacks, that replace something.
type slots map[uint32][]uint32

// Compare is the difference between two versions, given by the positions of the changes they lack, ascending.
func (s *Set) Compare(before, after []int) *Difference {
	d := &Difference{Before: s.without(before), After: s.without(after), s: s, objects: map[Object]slots{}}
	if len(before) == 0 {
		d.Before = s.Now()
	}
	if len(after) == 0 {
		d.After = s.Now()
	}
	d.lacking = before
	if len(before) == 0 {
		d.lacking = after
	} else if len(after) > 0 {
		d.lacking = slices.Concat(before, after)
		slices.Sort(d.lacking)
		d.lacking = slices.Compact(d.lacking)
	}
	for _, change := range d.lacking {
		if !d.differs(uint32(change)) {
			continue
		}
		for pos := s.changes[change].first; pos < s.end(uint32(change)); pos++ {
			// A container that only one version has is different as a whole.
			if o := &s.ops[pos]; o.action != gate.ActMark && !d.onlyOne(Object(o.obj)) {
				d.Mark(s.slot(pos))
			}
		}
	}
	return d
}

// without is the document without some changes, given by their positions, ascending, and without an open draft.
func (s *Set) without(changes []int) View {
	n := s.graph.Len()
	if len(changes) == 0 {
		return s.Before(n)
	}
	if changes[0]+len(changes) == n {
		return s.Before(changes[0])
	}
	past := make([]uint64, n/64+1)
	for i := range past {
		past[i] = ^uint64(0)
	}
	for _, pos := range changes {
		past[pos/64] &^= 1 << (pos % 64)
	}
	return View{s: s, past: past, prefix: uint32(n)}
}

// differs says whether one version has a change and the other has not.
func (d *Difference) differs(change uint32) bool { return d.Before.has(change) != d.After.has(change) }

// onlyOne says whether only one of the versions has an object, shown or not.
func (d *Difference) onlyOne(obj Object) bool {
	return obj != Root && d.differs(d.s.ops[d.s.objects[obj].op].change)
}

// Mark adds a slot, and the slots of the containers around it, to those that can differ. Mark all before asking for items.
func (d *Difference) Mark(sl Slot) {
	for {
		in, known := d.objects[sl.Obj]
		if !known {
			in = slots{}
			d.objects[sl.Obj] = in
		}
		if _, ok := in[sl.key]; !ok {
			in[sl.key] = nil
		}
		if known || sl.Obj == Root {
			return
		}
		sl, _ = d.s.Made(sl.Obj)
	}
}

// Has says whether the versions can differ in a container that both have, or in what is inside of it.
func (d *Difference) Has(obj Object) bool { return len(d.objects[obj]) > 0 }

// gather notes for the slots the operations that replaced what a version shows. In sequences it takes in all elements: what came and went after both
// versions tells how indexes then and now differ.
func (d *Difference) gather() {
	if d.gathered {
		return
	}
	d.gathered = true
	s := d.s
	for _, change := range d.lacking {
		for pos := s.changes[change].first; pos < s.end(uint32(change)); pos++ {
			o := &s.ops[pos]
			in, ok := d.objects[Object(o.obj)]
			if !ok || o.action == gate.ActMark {
				continue
			}
			key := s.slot(pos).key
			ops, ok := in[key]
			switch {
			case ok && o.pred != 0:
				in[key] = append(ops, pos)
			case !ok && o.is(flagSeq) && o.pred != 0:
				in[key] = []uint32{pos}
			case !ok && o.is(flagSeq):
				in[key] = nil
			}
		}
	}
}

// Keys are the keys of a map that can differ, in no order.
func (d *Difference) Keys(obj Object) iter.Seq[Slot] {
	return func(yield func(Slot) bool) {
		for key := range d.objects[obj] {
			if !yield(Slot{Obj: obj, key: key}) {
				return
			}
		}
	}
}

// Pair is what a slot shows in the two versions.
type Pair struct {
	Slot            Slot
	Before, After   Item
	Was, Is         bool // whether it shows anything
	At              int  // of an element: its index in the version after, or the character it stands at
	WasLong, IsLong int  // of an element: how much room it takes; characters in a text
}

// Pair is what a slot that [Difference.Keys] gave shows.
func (d *Difference) Pair(sl Slot) Pair {
	d.gather()
	p := Pair{Slot: sl}
	ops := d.objects[sl.Obj][sl.key]
	p.Before, p.Was = d.item(d.Before, sl, ops)
	p.After, p.Is = d.item(d.After, sl, ops)
	return p
}

// Elements yields the elements of a list or text that can differ, in order.
func (d *Difference) Elements(obj Object) iter.Seq[Pair] {
	return func(yield func(Pair) bool) {
		d.gather()
		s, in := d.s, d.objects[obj]
		left := map[uint32]int{} // by block
		for e := range in {
			left[s.ops[e].key]++
		}
		base, shift := 0, 0 // what stands before now, and how much more that is in the version after
		for _, sp := range s.objects[obj].order {
			at := base
			base += int(sp.width)
			n := left[sp.block]
			for i := 0; n > 0; i++ {
				e := s.blocks[sp.block].elems[i]
				now, _ := s.width(obj, e)
				if _, ok := in[e]; ok {
					n--
					p := d.Pair(Slot{Obj: obj, Seq: true, key: e})
					p.At = at + shift
					p.WasLong, p.IsLong = d.width(obj, p.Before, p.Was), d.width(obj, p.After, p.Is)
					shift += p.IsLong - int(now)
					if !yield(p) {
						return
					}
				}
				at += int(now)
			}
		}
	}
}

func (d *Difference) width(obj Object, item Item, shown bool) int {
	if !shown {
		return 0
	}
	return int(d.s.itemWidth(obj, uint32(item)))
}

// item is View.Item without a walk over all that ever was in the slot: what a version shows either is there now, or a change that the version
// lacks replaced it.
func (d *Difference) item(v View, sl Slot, ops []uint32) (item Item, ok bool) {
	if v.now {
		return v.Item(sl)
	}
	const rare = 8
	s := d.s
	consider := func(pos uint32) bool {
		if v.visible(pos) && (!ok || s.compare(pos, uint32(item)) > 0) {
			item, ok = Item(pos), true
		}
		return true
	}
	s.lists.each(s.live(sl), consider)
	if len(ops) > rare {
		consider = once(consider)
	}
	for _, q := range ops {
		if !v.has(s.ops[q].change) {
			s.lists.each(s.ops[q].pred, consider)
		}
	}
	return item, ok
}

// once passes on each position the first time it comes. A change of a hundred bytes may delete the same value a million times, and to look whether
// a version shows it costs as much each time.
func once(f func(uint32) bool) func(uint32) bool {
	seen := map[uint32]bool{}
	return func(pos uint32) bool {
		if seen[pos] {
			return true
		}
		seen[pos] = true
		return f(pos)
	}
}

// Counter is View.Counter of what one of the two versions shows in a slot, without a walk over all its increments.
func (d *Difference) Counter(v View, sl Slot, item Item) int64 {
	s := d.s
	n := s.Now().Counter(item)
	for _, q := range d.objects[sl.Obj][sl.key] {
		if s.ops[q].action == gate.ActIncrement && !v.has(s.ops[q].change) {
			s.lists.each(s.ops[q].pred, func(p uint32) bool {
				if p == uint32(item) {
					n -= s.number(q)
				}
				return true
			})
		}
	}
	return n
}
