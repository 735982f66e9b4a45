package opset

import "fmt"

// SetBlockSize makes blocks split early, so that short sequences have many.
func SetBlockSize(n int) { blockSize = n }

// Consistent recounts what the sequences keep count of.
func (s *Set) Consistent() error {
	for obj := range s.objects {
		for i, sp := range s.objects[obj].order {
			var count, width uint32
			for _, e := range s.blocks[sp.block].elems {
				if s.ops[e].key != sp.block {
					return fmt.Errorf("element %d stands in block %d and names %d", e, sp.block, s.ops[e].key)
				}
				if s.counter(e) < s.blocks[sp.block].least {
					return fmt.Errorf("element %d is below the least counter of its block", e)
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
