package gate

import "slices"

// Past answers which changes a new change builds on, directly or not. A verdict on its operations may look at those only: whatever else
// has arrived is chance.
type Past struct {
	g       *Graph
	deps    []uint32
	floor   uint32 // everything below is in the past
	own     int    // the writer's number: its earlier changes are in the past; -1 when it is new
	outside []int  // those that are not, ascending; see Has
	walked  bool
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
// was common before; otherwise the first call walks the changes that are not in the past.
func (p *Past) Has(pos int) bool {
	if pos < int(p.floor) || int(p.g.nodes[pos].actor) == p.own || slices.Contains(p.deps, uint32(pos)) {
		return true
	}
	if !p.walked {
		p.walked = true
		known := make([]Hash, len(p.deps))
		for i, d := range p.deps {
			known[i] = p.g.nodes[d].hash
		}
		p.outside = p.g.Since(known)
	}
	_, found := slices.BinarySearch(p.outside, pos)
	return !found
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
