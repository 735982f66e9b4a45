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
	least uint32   // no element's counter is lower
}

type span struct {
	block uint32
	count uint32 // visible elements
	width uint32 // characters they take in a text; elements in a list
}

// spanOf finds the span of the block an element stands in.
func (s *Set) spanOf(obj Object, elem uint32) int {
	b := s.ops[elem].key
	for i := range s.objects[obj].order {
		if s.objects[obj].order[i].block == b {
			return i
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
		o.order = append(o.order, span{block: s.newBlock()})
	}
	sp, at := 0, 0
	if ref > 0 {
		sp, at = s.placeOf(obj, ref-1)
		at++
	}
	counter := s.counter(elem)
	for {
		b := &s.blocks[o.order[sp].block]
		for at < len(b.elems) && s.compare(b.elems[at], elem) > 0 {
			at++
		}
		if at < len(b.elems) || sp+1 == len(o.order) {
			break
		}
		next := &s.blocks[o.order[sp+1].block]
		if next.least > counter || len(next.elems) == 0 { // all in it are greater
			sp, at = sp+1, len(next.elems)
			continue
		}
		if s.compare(next.elems[0], elem) < 0 {
			break
		}
		sp, at = sp+1, 0
	}
	id := o.order[sp].block
	b := &s.blocks[id]
	b.elems = slices.Insert(b.elems, at, elem)
	b.least = min(b.least, counter)
	s.ops[elem].key = id
}

func (s *Set) newBlock() uint32 {
	s.blocks = append(s.blocks, block{least: ^uint32(0)})
	return uint32(len(s.blocks) - 1)
}

// split moves the second half of an element's block to a new one, where it has grown too large. All in it must be counted.
func (s *Set) split(obj Object, elem uint32) {
	if len(s.blocks[s.ops[elem].key].elems) < blockSize {
		return
	}
	sp := s.spanOf(obj, elem)
	id := s.newBlock()
	o := &s.objects[obj]
	old := &s.blocks[o.order[sp].block]
	half := len(old.elems) / 2
	moved := slices.Clone(old.elems[half:])
	old.elems = old.elems[:half]
	s.blocks[id].elems = moved
	for _, e := range moved {
		s.ops[e].key = id
		s.blocks[id].least = min(s.blocks[id].least, s.counter(e))
	}
	o.order = slices.Insert(o.order, sp+1, span{block: id})
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

// removeElem takes back an insertion.
func (s *Set) removeElem(obj Object, elem uint32) {
	sp, at := s.placeOf(obj, elem)
	b := &s.blocks[s.objects[obj].order[sp].block]
	b.elems = slices.Delete(b.elems, at, at+1)
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
	return uint32(utf8.RuneCount(s.value(item)))
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
