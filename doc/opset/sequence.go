package opset

import (
	"slices"
	"unicode/utf8"

	"tombolo/doc/gate"
)

// A sequence is its elements, visible or not, in order, cut into blocks. The spans of an object list its blocks with what is visible in each, so
// that finding an index or a place costs a walk over spans and one block.

// blockSize is how many elements make a block too large; tests make it small.
var blockSize = 512

type block struct {
	elems []uint32 // positions of the insertions
	least uint32   // the element with the least ID
	at    int      // where its span was found last; others may have come before it since
}

type span struct {
	block uint32
	count uint32 // visible elements
	width uint32 // characters they take in a text; elements in a list
}

// spanOf finds the span of the block an element stands in.
func (s *Set) spanOf(obj Object, elem uint32) int {
	id := s.ops[elem].key
	order, b := s.objects[obj].order, &s.blocks[id]
	for i, j := b.at, b.at+1; i >= 0 || j < len(order); i, j = i-1, j+1 {
		switch {
		case i >= 0 && i < len(order) && order[i].block == id:
			b.at = i
			return i
		case j < len(order) && order[j].block == id:
			b.at = j
			return j
		}
	}
	panic("opset: an element is in no block")
}

// placeOf finds an element's span and its place in the block.
func (s *Set) placeOf(obj Object, elem uint32) (sp, at int) {
	return s.spanOf(obj, elem), slices.Index(s.blocks[s.ops[elem].key].elems, elem)
}

// insertElem puts an element, not yet counted as visible, behind another one (ref as in op): behind it and behind what concurrent insertions with
// greater IDs put there (RGA: Roh et al., Replicated abstract data types, 2011).
func (s *Set) insertElem(obj Object, elem, ref uint32) {
	o := &s.objects[obj]
	if len(o.order) == 0 {
		o.order = append(o.order, span{block: s.newBlock(nil)})
	}
	sp, at := 0, 0
	if ref > 0 {
		sp, at = s.placeOf(obj, ref-1)
		at++
	}
	for {
		if at == 0 {
			if sp = s.nextBelow(obj, sp, elem); sp == len(o.order) {
				sp, at = s.endOf(obj, sp-1)
				break
			}
		}
		elems := s.blocks[o.order[sp].block].elems
		start := at
		for at < len(elems) && s.compare(elems[at], elem) > 0 {
			at++
		}
		if at == 0 && start == 0 && sp > 0 {
			sp, at = s.endOf(obj, sp-1) // between two blocks: to the first
			break
		}
		if at < len(elems) || sp+1 == len(o.order) {
			break
		}
		sp, at = sp+1, 0
	}
	id := o.order[sp].block
	b := &s.blocks[id]
	if b.elems = slices.Insert(b.elems, at, elem); len(b.elems) == 1 || s.compare(elem, b.least) < 0 {
		b.least = elem
		s.lower(obj, sp)
	}
	s.ops[elem].key = id
}

// endOf is the place behind the last element of a span.
func (s *Set) endOf(obj Object, sp int) (int, int) {
	return sp, len(s.blocks[s.objects[obj].order[sp].block].elems)
}

// newBlock makes a block of elements, which it then owns.
func (s *Set) newBlock(elems []uint32) uint32 {
	id := uint32(len(s.blocks))
	if n := len(s.freed); n > 0 {
		id = s.freed[n-1]
		s.freed = s.freed[:n-1]
	} else {
		s.blocks = append(s.blocks, block{})
	}
	s.blocks[id] = block{elems: elems}
	s.own(id)
	return id
}

// own tells the elements of a block where they stand, and finds the least.
func (s *Set) own(id uint32) {
	b := &s.blocks[id]
	for i, e := range b.elems {
		s.ops[e].key = id
		if i == 0 || s.compare(e, b.least) < 0 {
			b.least = e
		}
	}
}

// split moves the second half of an element's block to a new one, where it has grown too large. All in it must be counted.
func (s *Set) split(obj Object, elem uint32) {
	old := s.ops[elem].key
	if len(s.blocks[old].elems) < blockSize {
		return
	}
	sp := s.spanOf(obj, elem)
	half := len(s.blocks[old].elems) / 2
	id := s.newBlock(slices.Clone(s.blocks[old].elems[half:]))
	s.blocks[old].elems = s.blocks[old].elems[:half]
	s.own(old)
	o := &s.objects[obj]
	o.order = slices.Insert(o.order, sp+1, span{block: id})
	s.blocks[id].at = sp + 1
	delete(s.leasts, obj)
	for _, i := range []int{sp, sp + 1} {
		o.order[i].count, o.order[i].width = 0, 0
		for _, e := range s.blocks[o.order[i].block].elems {
			if n, ok := s.width(obj, e); ok {
				o.order[i].count++
				o.order[i].width += n
			}
		}
	}
}

// removeElem takes back an insertion, which is not counted any more. Blocks that get small are put together: a change that is taken back must not
// leave more of them than there were.
func (s *Set) removeElem(obj Object, elem uint32) {
	sp, at := s.placeOf(obj, elem)
	order := s.objects[obj].order
	b := &s.blocks[order[sp].block]
	b.elems = slices.Delete(b.elems, at, at+1)
	delete(s.leasts, obj)
	switch small := func(i int) bool {
		return len(s.blocks[order[i].block].elems)+len(s.blocks[order[i+1].block].elems) <= blockSize/2
	}; {
	case len(order) == 1 && len(b.elems) == 0:
		s.free(order[0].block)
		s.objects[obj].order = nil
	case sp+1 < len(order) && (len(b.elems) == 0 || small(sp)):
		s.merge(obj, sp)
	case sp > 0 && (len(b.elems) == 0 || small(sp-1)):
		s.merge(obj, sp-1)
	case b.least == elem:
		s.own(order[sp].block)
	}
}

// merge takes the elements of a span's block into the next one's.
func (s *Set) merge(obj Object, sp int) {
	o := &s.objects[obj]
	from, to := o.order[sp], &o.order[sp+1]
	b := &s.blocks[to.block]
	b.elems = slices.Concat(s.blocks[from.block].elems, b.elems)
	s.own(to.block)
	to.count += from.count
	to.width += from.width
	b.at = sp
	s.free(from.block)
	o.order = slices.Delete(o.order, sp, sp+1)
}

// free gives up a block.
func (s *Set) free(id uint32) {
	s.blocks[id] = block{}
	s.freed = append(s.freed, id)
}

// width is how much room a visible element takes; false when it is not visible.
func (s *Set) width(obj Object, elem uint32) (uint32, bool) {
	item, ok := s.elemItem(elem)
	if !ok {
		return 0, false
	}
	return s.itemWidth(obj, item), true
}

// itemWidth counts characters (Unicode code points) in a text; what is not a string there takes the room of one.
func (s *Set) itemWidth(obj Object, item uint32) uint32 {
	o := &s.ops[item]
	if s.objects[obj].kind != gate.ActMakeText || o.action != gate.ActSet || gate.ValueType(o.meta&15) != gate.TypeString {
		return 1
	}
	const long = 64
	if o.meta>>4 < long {
		return uint32(utf8.RuneCount(s.value(item)))
	}
	w, known := s.widths[item] // it may be megabytes, and a million operations act beside it
	if !known {
		w = uint32(utf8.RuneCount(s.value(item)))
		s.widths[item] = w
	}
	return w
}

// count updates the span of an element after its visible width changed from before.
func (s *Set) count(obj Object, elem uint32, before uint32, was bool) {
	now, is := s.width(obj, elem)
	if now == before && is == was {
		return
	}
	sp := &s.objects[obj].order[s.spanOf(obj, elem)]
	sp.width += now - before
	switch {
	case is && !was:
		sp.count++
	case was && !is:
		sp.count--
	}
}

// indexOf is where an element stands among the visible ones: elements and characters before it.
func (s *Set) indexOf(obj Object, elem uint32) (count, width int) {
	sp, at := s.placeOf(obj, elem)
	o := &s.objects[obj]
	for i := range sp {
		count += int(o.order[i].count)
		width += int(o.order[i].width)
	}
	for _, e := range s.blocks[o.order[sp].block].elems[:at] {
		if n, ok := s.width(obj, e); ok {
			count++
			width += int(n)
		}
	}
	return count, width
}

// at finds the visible element that holds a character (or, in a list, the one with an index), and how many of its characters are before.
func (s *Set) at(obj Object, index int) (elem uint32, offset int, ok bool) {
	o := &s.objects[obj]
	for i := range o.order {
		if w := int(o.order[i].width); index >= w {
			index -= w
			continue
		}
		for _, e := range s.blocks[o.order[i].block].elems {
			n, visible := s.width(obj, e)
			if !visible {
				continue
			}
			if index < int(n) {
				return e, index, true
			}
			index -= int(n)
		}
	}
	return 0, 0, false
}

// size is the number of visible elements and the characters they take.
func (s *Set) size(obj Object) (count, width int) {
	for _, sp := range s.objects[obj].order {
		count += int(sp.count)
		width += int(sp.width)
	}
	return count, width
}
