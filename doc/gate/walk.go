package gate

import (
	"math/bits"
	"slices"
)

// descends says whether target is among deps or their ancestors. Positions are in causal order, so only changes added after target can
// lead there; they are looked at newest first and each once.
func (g *Graph) descends(deps []uint32, target uint32) bool {
	if len(deps) == 0 {
		return false
	}
	if slices.Contains(deps, target) {
		return true
	}
	top := max(slices.Max(deps), target)
	if n := int(top)/64 + 1; n > len(g.reach) {
		g.reach = append(g.reach, make([]uint64, n-len(g.reach))...)
	}
	mark := func(ds []uint32) {
		for _, d := range ds {
			if d >= target {
				g.reach[d/64] |= 1 << (d % 64)
			}
		}
	}
	mark(deps)
	for w := int(top / 64); w >= int(target/64); w-- {
		for g.reach[w] != 0 {
			pos := uint32(w*64 + 63 - bits.LeadingZeros64(g.reach[w]))
			g.reach[w] &^= 1 << (pos % 64)
			if pos == target {
				return true // the lowest position that is ever marked: nothing is left behind
			}
			mark(g.depsOf(pos))
		}
	}
	return false
}

// Since are the positions of all changes that are neither among known nor ancestors of them, ascending: what someone at known lacks, in an
// order in which it can be added. Unknown hashes in known are ignored. The walk ends where everything older is known to be an
// ancestor, so a peer that is close behind costs what it lacks, not the length of the history.
func (g *Graph) Since(known []Hash) []int {
	const (
		lacking = 1
		had     = 2
	)
	n := len(g.nodes)
	var marks []byte // for position pos at n-1-pos, as far down as was looked
	pending := 0     // lacking positions below the walk
	mark := func(pos uint32, m byte) {
		at := n - 1 - int(pos)
		if at >= len(marks) {
			marks = append(marks, make([]byte, at+1-len(marks))...)
		}
		switch {
		case m == had && marks[at] == lacking:
			pending--
		case m == lacking && marks[at] == 0:
			pending++
		case m == lacking:
			return
		}
		marks[at] = m
	}
	for _, h := range known {
		if pos, ok := g.index.find(g.nodes, h); ok {
			mark(pos, had)
		}
	}
	for _, pos := range g.heads {
		if !g.nodes[pos].built {
			mark(pos, lacking)
		}
	}
	var out []int
	for pos := n - 1; pending > 0; pos-- {
		m := marks[n-1-pos] // every position is a head or a dependency of a later one, so it is marked by now
		if m == lacking {
			out = append(out, pos)
			pending--
		}
		for _, d := range g.depsOf(uint32(pos)) {
			mark(d, m)
		}
	}
	slices.Reverse(out)
	return out
}

// Sample are hashes by which someone can tell how far back their history and this one agree: those 1, 2, 4, 8… positions before the
// newest, and the first; heads are left out. About 18 for 100,000 changes, newest first.
func (g *Graph) Sample() []Hash {
	var out []Hash
	take := func(pos int) {
		if g.nodes[pos].built {
			out = append(out, g.nodes[pos].hash)
		}
	}
	last := len(g.nodes) - 1
	for back := 1; back < last; back *= 2 {
		take(last - back)
	}
	if last > 0 {
		take(0)
	}
	return out
}
