package opset

import (
	"maps"
	"math"
	"slices"
)

// Positions are 32 bits wide, and in [few] 31; a set takes no more than they reach. Tests make it less.
var (
	maxOps    uint64 = math.MaxInt32 - 1
	maxValues uint64 = math.MaxUint32
)

// wide says whether positions reach so many more operations, and bytes of values.
func (s *Set) wide(ops uint64, bytes int) bool {
	return uint64(len(s.ops))+ops <= maxOps && uint64(len(s.values))+uint64(bytes) <= maxValues
}

// room says whether so much more fits, also in the memory allowed.
func (s *Set) room(ops uint64, bytes int) bool {
	return s.wide(ops, bytes) && (s.limit == 0 || s.Size()+int(ops)*perOp+bytes <= s.limit)
}

// Limit bounds what the set may grow to, in bytes of memory as [Set.Size] counts them: a hundred bytes of changes can stand for 40 MB. What would
// go beyond is refused with [ErrFull]; 0 means no bound. It is this device's affair: others may have room.
func (s *Set) Limit(bytes int) { s.limit = bytes }

// shrink gives memory back after changes were taken back: a hundred bytes that are refused may have stood for a million operations. It copies what
// stays, but only where as much is free.
func (s *Set) shrink() {
	const slack = 1 << 14
	if cap(s.ops) < 2*len(s.ops)+slack && cap(s.values) < 2*len(s.values)+slack*16 && cap(s.keys) < 2*len(s.keys)+slack &&
		cap(s.objects) < 2*len(s.objects)+slack && cap(s.lists.all) < 2*s.lists.used()+slack {
		return
	}
	s.ops, s.values = slices.Clone(s.ops), slices.Clone(s.values)
	s.objects, s.keys = slices.Clone(s.objects), slices.Clone(s.keys)
	for i := range s.objects {
		o := &s.objects[i]
		if cap(o.slots) > 2*len(o.slots)+slack {
			o.slots = slices.Clone(o.slots)
			o.bySlo = fresh(o.bySlo)
		}
	}
	s.keyNo, s.elems, s.counters = fresh(s.keyNo), fresh(s.elems), fresh(s.counters)
	s.widths = fresh(s.widths)
	s.lists.shrink()
	n := len(s.blocks)
	gone := map[uint32]bool{}
	for _, b := range s.freed {
		gone[b] = true
	}
	for n > 0 && gone[uint32(n-1)] {
		n--
	}
	s.blocks = slices.Clone(s.blocks[:n])
	s.freed = slices.DeleteFunc(s.freed, func(b uint32) bool { return int(b) >= n })
}

// fresh is a copy of a map: the memory of one that had more entries stays with it.
func fresh[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return nil
	}
	out := make(map[K]V, len(m))
	maps.Copy(out, m)
	return out
}
