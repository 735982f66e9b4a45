package opset

import (
	"slices"
	"sort"
)

// few is a set of operation positions that mostly holds none or one: 0 is empty, above 0 the one position plus 1, below 0 a list in lists.
type few int32

// lists holds the sets with two and more members.
type lists struct {
	all  [][]uint32
	free []int32

	members int // of all of them
}

func (l *lists) len(f few) int {
	switch {
	case f == 0:
		return 0
	case f > 0:
		return 1
	}
	return len(l.all[-f-1])
}

// last is the member added or sorted last; the set must not be empty.
func (l *lists) last(f few) uint32 {
	if f > 0 {
		return uint32(f - 1)
	}
	list := l.all[-f-1]
	return list[len(list)-1]
}

// each yields the members in their order.
func (l *lists) each(f few, yield func(uint32) bool) {
	if f > 0 {
		yield(uint32(f - 1))
		return
	}
	if f < 0 {
		for _, p := range l.all[-f-1] {
			if !yield(p) {
				return
			}
		}
	}
}

// insert puts p before the first member for which after says that it stands behind p, as do all members after that.
func (l *lists) insert(f few, p uint32, after func(member uint32) bool) few {
	switch {
	case f == 0:
		return few(p + 1)
	case f > 0:
		list := []uint32{uint32(f - 1), p}
		if after(list[0]) {
			list[0], list[1] = list[1], list[0]
		}
		l.members += 2
		if n := len(l.free); n > 0 {
			f = few(l.free[n-1])
			l.free = l.free[:n-1]
			l.all[-f-1] = list
			return f
		}
		l.all = append(l.all, list)
		return few(-len(l.all))
	}
	list := l.all[-f-1]
	at := len(list)
	if after(list[at-1]) { // mostly it goes to the end
		at = sort.Search(at, func(i int) bool { return after(list[i]) })
	}
	l.all[-f-1] = slices.Insert(list, at, p)
	l.members++
	return f
}

// add puts p at the end.
func (l *lists) add(f few, p uint32) few {
	return l.insert(f, p, func(uint32) bool { return false })
}

// remove takes p out, if it is there.
func (l *lists) remove(f few, p uint32) few {
	if f >= 0 {
		if f == few(p+1) {
			return 0
		}
		return f
	}
	list := l.all[-f-1]
	at := len(list) - 1 // what is taken back was added last
	for at >= 0 && list[at] != p {
		at--
	}
	if at < 0 {
		return f
	}
	list = slices.Delete(list, at, at+1)
	l.all[-f-1] = list
	l.members--
	if len(list) > 1 {
		return f
	}
	l.members--
	l.all[-f-1] = nil
	l.free = append(l.free, int32(f))
	return few(list[0] + 1)
}

// release gives up the list of a set that is forgotten.
func (l *lists) release(f few) {
	if f < 0 {
		l.members -= len(l.all[-f-1])
		l.all[-f-1] = nil
		l.free = append(l.free, int32(f))
	}
}

// used is the number of places up to the last that is not free.
func (l *lists) used() int {
	n := len(l.all)
	for n > 0 && l.all[n-1] == nil {
		n--
	}
	return n
}

// shrink cuts off the places at the end that are free.
func (l *lists) shrink() {
	n := l.used()
	l.all = slices.Clone(l.all[:n])
	l.free = slices.DeleteFunc(l.free, func(f int32) bool { return int(-f) > n })
	l.free = slices.Clip(slices.Clone(l.free))
}
