package gate

import (
	"math/bits"
	"slices"
)

// Past answers which changes a new change builds on, directly or not. A verdict on its operations may look at those only: whatever else
// has arrived is chance.
type Past struct {
	g     *Graph
	deps  []uint32
	floor uint32   // everything below is in the past
	own   int      // the writer's number: its earlier changes are in the past; -1 when it is new
	seen  []uint64 // bits, from the word of floor on: ancestors found so far
	down  uint32   // what is in seen from here on is all there is
}

// Past is the past of a change that [Graph.Check] accepts, before it is added. It holds for the graph as it is now.
func (g *Graph) Past(c Change) *Past {
	p := &Past{g: g, own: -1, deps: make([]uint32, 0, len(c.Deps))}
	for _, h := range c.Deps {
		if pos, ok := g.index.find(g.nodes, h); ok {
			p.deps = append(p.deps, pos)
		}
	}
	if n, ok := g.ActorNumber(c.Actor); ok {
		p.own = n
	}
	p.floor = g.floor(p.deps)
	return p
}

// Has says whether the change at a position is in the past. It costs nothing where the writer had seen the whole document or refers to what
// was common before; otherwise the calls together walk the past once, down to the lowest position asked for.
func (p *Past) Has(pos int) bool {
	switch {
	case pos < int(p.floor) || int(p.g.nodes[pos].actor) == p.own:
		return true
	case len(p.deps) == 0:
		return false
	}
	first := p.floor / 64
	if p.seen == nil {
		top := slices.Max(p.deps)
		p.down = top + 1
		p.seen = make([]uint64, top/64+1-min(first, top/64))
		p.mark(p.deps)
	}
	at := uint32(pos)
	if at/64-first >= uint32(len(p.seen)) {
		return false
	}
	for p.down > at+1 { // what is marked above at marks what it builds on
		word := (p.down - 1) / 64
		bits64 := p.seen[word-first] << (63 - (p.down-1)%64) // those from down on shifted out
		if bits64 == 0 {
			p.down = max(word*64, at+1)
			continue
		}
		next := p.down - 1 - uint32(bits.LeadingZeros64(bits64))
		if next <= at {
			p.down = at + 1
			break
		}
		p.mark(p.g.depsOf(next))
		p.down = next
	}
	return p.seen[at/64-first]>>(at%64)&1 != 0
}

// mark notes ancestors.
func (p *Past) mark(deps []uint32) {
	for _, d := range deps {
		if d >= p.floor {
			p.seen[(d/64)-p.floor/64] |= 1 << (d % 64)
		}
	}
}

// floor is a position below which everything is an ancestor of deps or among them: the whole document where they are all its heads,
// otherwise what one of them has seen.
func (g *Graph) floor(deps []uint32) uint32 {
	heads := 0
	var below uint32
	for _, d := range deps {
		if !g.nodes[d].built {
			heads++
		}
		below = max(below, g.nodes[d].floor)
	}
	if heads == len(g.heads)-g.stale {
		return uint32(len(g.nodes))
	}
	return below
}
