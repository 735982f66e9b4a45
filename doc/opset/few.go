package opset

import "slices"

// few is a set of operation positions that mostly holds none or one: 0 is empty, above 0 the one position plus 1, below 0 a list in lists.
type few int32

// lists holds the sets with two and more members.
type lists struct {
	all  [][]uint32
	free []int32
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

// insert puts p before the first member for which after says that it stands behind p.
func (l *lists) insert(f few, p uint32, after func(member uint32) bool) few {
	switch {
	case f == 0:
		return few(p + 1)
	case f > 0:
		list := []uint32{uint32(f - 1), p}
		if after(list[0]) {
			list[0], list[1] = list[1], list[0]
		}
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
	for at > 0 && after(list[at-1]) {
		at--
	}
	l.all[-f-1] = slices.Insert(list, at, p)
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
	if len(list) > 1 {
		return f
	}
	l.all[-f-1] = nil
	l.free = append(l.free, int32(f))
	return few(list[0] + 1)
}

// release gives up the list of a set that is forgotten.
func (l *lists) release(f few) {
	if f < 0 {
		l.all[-f-1] = nil
		l.free = append(l.free, int32(f))
	}
}
