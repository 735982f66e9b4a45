package opset

// An insertion passes over elements with greater IDs. There can be a million of them, put there by two changes of a hundred bytes, and the next
// change can do so a million times; so whole blocks are passed over by their least element, and far ways by that of a group of blocks.

// group is how many spans are passed over at once.
const group = 64

// nextBelow is the first span from one on that has an element with a lower ID than elem; the number of spans where there is none.
func (s *Set) nextBelow(obj Object, from int, elem uint32) int {
	order := s.objects[obj].order
	for i := from; i < len(order); {
		if i%group == 0 && i-from >= group && s.compare(s.leastOf(obj)[i/group], elem) > 0 {
			i = min(i+group, len(order))
			continue
		}
		b := &s.blocks[order[i].block]
		if len(b.elems) > 0 && s.compare(b.least, elem) < 0 {
			return i
		}
		i++
	}
	return len(order)
}

// leastOf are the least elements of each group of spans, found anew after spans came or went. Only a lone span is ever empty.
func (s *Set) leastOf(obj Object) []uint32 {
	if known, ok := s.leasts[obj]; ok {
		return known
	}
	order := s.objects[obj].order
	least := make([]uint32, (len(order)+group-1)/group)
	for i := range order {
		e := s.blocks[order[i].block].least
		if i%group == 0 || s.compare(e, least[i/group]) < 0 {
			least[i/group] = e
		}
	}
	s.leasts[obj] = least
	return least
}

// lower notes that the least element of a span is another one.
func (s *Set) lower(obj Object, sp int) {
	if len(s.objects[obj].order) <= group {
		return // nextBelow does not look at groups
	}
	if least, ok := s.leasts[obj]; ok {
		if e := s.blocks[s.objects[obj].order[sp].block].least; s.compare(e, least[sp/group]) < 0 {
			least[sp/group] = e
		}
	}
}
