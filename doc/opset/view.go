package opset

import (
	"iter"
	"slices"
	"strings"

	"tombolo/doc/gate"
)

// View is the document at one version. A view of now follows the document as it changes; others hold as long as nothing is truncated.
type View struct {
	s      *Set
	now    bool
	prefix uint32   // the changes below this position, where past is nil
	past   []uint64 // one bit a change
}

// Slot is a key of a map or an element of a list or text, whatever stands there at a version. Slots can be compared.
type Slot struct {
	Obj Object
	Seq bool   // an element, not a key
	key uint32 // as in op
}

// Item is a value in a slot: the position of the operation that put it there.
type Item uint32

// Now is the document with all its changes, those of an open draft included.
func (s *Set) Now() View { return View{s: s, now: true} }

// Before is the document with its first n changes in the order of the graph.
func (s *Set) Before(n int) View {
	return View{s: s, prefix: uint32(n)}
}

// At is the document at heads, which must all be known: otherwise a [*gate.MissingError]. It costs a walk over the graph down to them.
func (s *Set) At(heads []gate.Hash) (View, error) {
	if missing := s.graph.Missing(heads); len(missing) > 0 {
		return View{}, &gate.MissingError{Missing: missing}
	}
	return s.without(s.graph.Since(heads)), nil
}

// Has says whether the change at a position belongs to the view.
func (v View) Has(change int) bool { return v.has(uint32(change)) }

func (v View) has(change uint32) bool {
	switch {
	case v.now:
		return true
	case v.past == nil:
		return change < v.prefix
	}
	return change < v.prefix && v.past[change/64]&(1<<(change%64)) != 0
}

// visible is Set.visible at this version.
func (v View) visible(pos uint32) bool {
	s := v.s
	if v.now {
		return s.visible(pos)
	}
	if !isValue(s.ops[pos].action) || !v.has(s.ops[pos].change) {
		return false
	}
	counts, alive := s.isCounter(pos), true
	if counts && s.counters[pos].dead == 0 {
		return true // of a counter that was incremented often, the increments need not be looked at
	}
	s.lists.each(s.ops[pos].succ, func(q uint32) bool {
		if v.has(s.ops[q].change) && !(counts && s.ops[q].action == gate.ActIncrement) {
			alive = false
		}
		return alive
	})
	return alive
}

// live are the values that a slot holds now, by ascending ID.
func (s *Set) live(sl Slot) few {
	switch {
	case !sl.Seq:
		if m := s.slotOf(sl.Obj, sl.key); m != nil {
			return m.live
		}
	case s.ops[sl.key].is(flagElem):
		return s.elems[sl.key].live
	case s.visible(sl.key):
		return few(sl.key + 1)
	}
	return 0
}

// elemItem is the value that an element shows now.
func (s *Set) elemItem(elem uint32) (uint32, bool) {
	if !s.ops[elem].is(flagElem) {
		return elem, s.visible(elem)
	}
	live := s.elems[elem].live
	if live == 0 {
		return 0, false
	}
	return s.lists.last(live), true
}

// Item is what a slot shows; false when it shows nothing.
func (v View) Item(sl Slot) (Item, bool) {
	s := v.s
	if v.now {
		live := s.live(sl)
		if live == 0 {
			return 0, false
		}
		return Item(s.lists.last(live)), true
	}
	best, ok := uint32(0), false
	v.values(sl, func(pos uint32) {
		if !ok || s.compare(pos, best) > 0 {
			best, ok = pos, true
		}
	})
	return Item(best), ok
}

// Conflicts are all values that concurrent changes left in a slot, by ascending ID: the last is the one shown.
func (v View) Conflicts(sl Slot) []Item {
	var out []Item
	v.values(sl, func(pos uint32) { out = append(out, Item(pos)) })
	slices.SortFunc(out, func(a, b Item) int { return v.s.compare(uint32(a), uint32(b)) })
	return out
}

// values yields the visible values of a slot, in no order.
func (v View) values(sl Slot, yield func(pos uint32)) {
	s := v.s
	if v.now {
		s.lists.each(s.live(sl), func(pos uint32) bool { yield(pos); return true })
		return
	}
	at := uint32(0) // 1 + position
	if !sl.Seq {
		if m := s.slotOf(sl.Obj, sl.key); m != nil {
			at = m.last
		}
	} else if at = sl.key + 1; s.ops[sl.key].is(flagElem) {
		at = s.elems[sl.key].last
	}
	for at > 0 {
		pos := at - 1
		if v.visible(pos) {
			yield(pos)
		}
		if s.ops[pos].is(flagInsert) {
			return
		}
		at = s.ops[pos].ref
	}
}

// Key is the slot of a key; false when the map never had it.
func (s *Set) Key(obj Object, key string) (Slot, bool) {
	n, ok := s.keyNo[key]
	return Slot{Obj: obj, key: n}, ok
}

// NewKey is the slot of a key, for writing.
func (s *Set) NewKey(obj Object, key string) Slot { return Slot{Obj: obj, key: s.key(key)} }

// KeyOf is the key of a map's slot.
func (s *Set) KeyOf(sl Slot) string { return s.keys[sl.key] }

// Get is what a map shows under a key.
func (v View) Get(obj Object, key string) (Item, bool) {
	sl, ok := v.s.Key(obj, key)
	if !ok {
		return 0, false
	}
	return v.Item(sl)
}

// Keys yields the slots of a map that show something, in no particular order, which however follows from the changes and the order of adding.
func (v View) Keys(obj Object) iter.Seq2[Slot, Item] {
	return func(yield func(Slot, Item) bool) {
		for i := 0; i < len(v.s.objects[obj].slots); i++ {
			sl := Slot{Obj: obj, key: v.s.objects[obj].slots[i].key}
			if item, ok := v.Item(sl); ok && !yield(sl, item) {
				return
			}
		}
	}
}

// Elements yields the visible elements of a list or text in order. The sequence must not be changed meanwhile.
func (v View) Elements(obj Object) iter.Seq2[Slot, Item] {
	return func(yield func(Slot, Item) bool) {
		for _, sp := range v.s.objects[obj].order {
			if v.now && sp.count == 0 {
				continue
			}
			for _, e := range v.s.blocks[sp.block].elems {
				sl := Slot{Obj: obj, Seq: true, key: e}
				if item, ok := v.Item(sl); ok && !yield(sl, item) {
					return
				}
			}
		}
	}
}

// Backward is Elements from the last to the first.
func (v View) Backward(obj Object) iter.Seq2[Slot, Item] {
	return func(yield func(Slot, Item) bool) {
		for _, sp := range slices.Backward(v.s.objects[obj].order) {
			for _, e := range slices.Backward(v.s.blocks[sp.block].elems) {
				sl := Slot{Obj: obj, Seq: true, key: e}
				if item, ok := v.Item(sl); ok && !yield(sl, item) {
					return
				}
			}
		}
	}
}

// From is Elements from an element on.
func (v View) From(first Slot) iter.Seq2[Slot, Item] {
	return func(yield func(Slot, Item) bool) {
		sp, at := v.s.placeOf(first.Obj, first.key)
		for i, span := range v.s.objects[first.Obj].order[sp:] {
			elems := v.s.blocks[span.block].elems
			if i == 0 {
				elems = elems[at:]
			}
			for _, e := range elems {
				sl := Slot{Obj: first.Obj, Seq: true, key: e}
				if item, ok := v.Item(sl); ok && !yield(sl, item) {
					return
				}
			}
		}
	}
}

// Len is the number of values a container shows: keys, elements, or characters (code points) of a text.
func (v View) Len(obj Object) int {
	n := 0
	switch {
	case v.s.objects[obj].kind == gate.ActMakeMap:
		for range v.Keys(obj) {
			n++
		}
	case v.now:
		_, n = v.s.size(obj)
	default:
		for _, item := range v.Elements(obj) {
			n += int(v.s.itemWidth(obj, uint32(item)))
		}
	}
	return n
}

// Text is what a text says. An element that is not a string (a block of rich text) reads as U+FFFC, as in the core.
func (v View) Text(obj Object) string {
	var b strings.Builder
	for _, item := range v.Elements(obj) {
		b.Write(v.s.TextOf(item))
	}
	return b.String()
}

const objectReplacement = "\uFFFC"

// TextOf is what an element of a text says.
func (s *Set) TextOf(item Item) []byte {
	o := &s.ops[item]
	if o.action != gate.ActSet || gate.ValueType(o.meta&15) != gate.TypeString {
		return []byte(objectReplacement)
	}
	return s.value(uint32(item))
}

// Index finds the visible element at an index of a list, or that holds a character of a text. Now it costs a walk over parts of the sequence,
// at other versions over all before it.
func (v View) Index(obj Object, index int) (Slot, bool) {
	sl, _, ok := v.Find(obj, index)
	return sl, ok
}

// Find is Index that also says how many of a text element's characters stand before the one asked for.
func (v View) Find(obj Object, index int) (sl Slot, offset int, ok bool) {
	if v.now {
		e, offset, ok := v.s.at(obj, index)
		return Slot{Obj: obj, Seq: true, key: e}, offset, ok
	}
	for sl, item := range v.Elements(obj) {
		n := int(v.s.itemWidth(obj, uint32(item)))
		if index < n {
			return sl, index, true
		}
		index -= n
	}
	return Slot{}, 0, false
}

// Rank is how much of the sequence stands before an element now: elements of a list, characters of a text. The element need not be visible.
func (s *Set) Rank(sl Slot) int {
	_, width := s.indexOf(sl.Obj, sl.key)
	return width
}

// Kind says what a container is: gate.ActMakeMap, gate.ActMakeList or gate.ActMakeText.
func (s *Set) Kind(obj Object) gate.Action { return s.objects[obj].kind }

// Object is the container that a value is; false for a scalar.
func (s *Set) Object(item Item) (Object, bool) {
	o := &s.ops[item]
	return Object(o.val), isMake(o.action)
}

// Made is the value that a container is, and where it was put; not for the root.
func (s *Set) Made(obj Object) (Slot, Item) {
	pos := s.objects[obj].op
	return s.slot(pos), Item(pos)
}

// slot is where an operation acts.
func (s *Set) slot(pos uint32) Slot {
	o := &s.ops[pos]
	sl := Slot{Obj: Object(o.obj), Seq: o.is(flagSeq), key: o.key}
	if o.is(flagInsert) {
		sl.key = pos
	}
	return sl
}

// Scalar is the type and the encoded value of an item that is no container. The bytes must not be modified.
func (s *Set) Scalar(item Item) (gate.ValueType, []byte) {
	return gate.ValueType(s.ops[item].meta & 15), s.value(uint32(item))
}

// Counter is the sum of a counter and its increments; it wraps around like the core's.
func (v View) Counter(item Item) int64 {
	s, pos := v.s, uint32(item)
	n := s.number(pos)
	if v.now {
		return n + s.counters[pos].sum
	}
	s.lists.each(s.ops[pos].succ, func(q uint32) bool {
		if s.ops[q].action == gate.ActIncrement && v.has(s.ops[q].change) {
			n += s.number(q)
		}
		return true
	})
	return n
}

// ID names an operation for ever and on every device: Lamport counter and writer.
type ID struct {
	Counter uint32
	Actor   string // the bytes of the actor ID
}

// ID is the name of the operation that put an item there.
func (s *Set) ID(item Item) ID { return ID{s.counter(uint32(item)), s.writer(uint32(item))} }

// ElementID is the name of an element; [Set.Element] finds it again.
func (s *Set) ElementID(sl Slot) ID { return s.ID(Item(sl.key)) }

// Element is the element that has an ID in a list or text; false when there is none.
func (s *Set) Element(obj Object, id ID) (Slot, bool) {
	n, ok := s.graph.ActorNumber([]byte(id.Actor))
	if !ok {
		return Slot{}, false
	}
	pos, ok := s.find(uint32(n), id.Counter)
	if !ok || !s.ops[pos].is(flagInsert) || Object(s.ops[pos].obj) != obj {
		return Slot{}, false
	}
	return s.slot(pos), true
}

// ChangeOf is the position of the change that an item came with.
func (s *Set) ChangeOf(item Item) int { return int(s.ops[item].change) }

// Touched yields the slots that the operations of a change act on; one may come several times.
func (s *Set) Touched(change int) iter.Seq[Slot] {
	return func(yield func(Slot) bool) {
		for pos := s.changes[change].first; pos < s.end(uint32(change)); pos++ {
			if s.ops[pos].action != gate.ActMark && !yield(s.slot(pos)) {
				return
			}
		}
	}
}

// Set is the set that the view looks at.
func (v View) Set() *Set { return v.s }

// Author is who the writer of a change says they are, in its first change; nil where it does not say.
func (s *Set) Author(change int) []byte {
	c := gate.Change{Footer: s.footers[s.writers[s.changes[change].writer].changes[0]]}
	return c.Author()
}
