package opset

import "fmt"

// SetBlockSize makes blocks split early, so that short sequences have many.
func SetBlockSize(n int) { blockSize = n }

// Consistent recounts what is kept count of.
func (s *Set) Consistent() error {
	members, text := 0, 0
	for _, l := range s.lists.all {
		members += len(l)
	}
	for _, k := range s.keys {
		text += len(k)
	}
	for i, c := range s.changes {
		text += len(c.message) + len(s.footers[uint32(i)])
	}
	if members != s.lists.members || text != s.text {
		return fmt.Errorf("counted %d members and %d bytes; there are %d and %d", s.lists.members, s.text, members, text)
	}
	for obj := range s.objects {
		for i, sp := range s.objects[obj].order {
			var count, width uint32
			for _, e := range s.blocks[sp.block].elems {
				if s.ops[e].key != sp.block {
					return fmt.Errorf("element %d stands in block %d and names %d", e, sp.block, s.ops[e].key)
				}
				if s.compare(e, s.blocks[sp.block].least) < 0 {
					return fmt.Errorf("element %d is below the least of its block", e)
				}
				if least, ok := s.leasts[Object(obj)]; ok && s.compare(e, least[i/group]) < 0 {
					return fmt.Errorf("element %d is below the least of its group of blocks", e)
				}
				if n, ok := s.width(Object(obj), e); ok {
					count++
					width += n
				}
			}
			if count != sp.count || width != sp.width {
				return fmt.Errorf("object %d, span %d: counted %d, %d; there are %d, %d", obj, i, sp.count, sp.width, count, width)
			}
		}
	}
	return nil
}

// Blocks is how many blocks are in use.
func (s *Set) Blocks() int { return len(s.blocks) - len(s.freed) }

// SetRoom makes sets full early, until the function it returns is called.
func SetRoom(ops, values uint64) (restore func()) {
	o, v := maxOps, maxValues
	maxOps, maxValues = ops, values
	return func() { maxOps, maxValues = o, v }
}
