package gate

import (
	"hash/maphash"
	"slices"
)

// Graph is the causal index of one document: which changes there are, what they build on and in which order they were added. Adding
// demands the dependencies first, so the order of positions is a causal order. It is pure data, takes about 60 to 90 bytes a change, and is
// not safe for concurrent use.
type Graph struct {
	nodes  []node
	deps   []uint32 // the dependencies of all changes, one after the other, as positions
	heads  []uint32 // contains the positions nobody builds on, ascending; see addHead
	stale  int      // how many of heads are heads no more
	actors []actor
	byID   map[string]uint32 // actor ID to its place in actors
	index  index
	reach  []uint64 // bits for descends, all zero between calls
}

// node is one change. Positions and counters fit 32 bits: the first by the memory they would need, the second by MaxCounter.
type node struct {
	hash    Hash
	actor   uint32
	maxOp   uint32 // the highest operation counter in this change and its past
	depsEnd uint32 // deps[previous node's depsEnd:depsEnd] are ours
	floor   uint32 // every position below it is in this change's past; see Past
	built   bool   // some other change builds on this one
}

// actor is a writer. Its changes form a chain (Add sees to it), so their number is also the last sequence number.
type actor struct {
	id    string
	count uint32
	last  uint32 // the position of its newest change
}

// Actor is the writer of the change at a position, as a number: writers are numbered from 0 in the order of their first change.
func (g *Graph) Actor(pos int) int { return int(g.nodes[pos].actor) }

// Actors is how many writers the document has had.
func (g *Graph) Actors() int { return len(g.actors) }

// ActorID is the ID of the writer with a number.
func (g *Graph) ActorID(n int) string { return g.actors[n].id }

// ActorNumber is the number of a writer; false when no change here is its.
func (g *Graph) ActorNumber(id []byte) (int, bool) {
	n, ok := g.byID[string(id)]
	return int(n), ok
}

// Count is how many changes of a writer are here: the sequence number of its newest.
func (g *Graph) Count(actor int) int { return int(g.actors[actor].count) }

// Deps are the changes that the one at a position builds on, ascending. The slice is the caller's.
func (g *Graph) Deps(pos int) []Hash {
	deps := g.depsOf(uint32(pos))
	out := make([]Hash, len(deps))
	for i, d := range deps {
		out[i] = g.nodes[d].hash
	}
	return out
}

// NewGraph is a graph without changes.
func NewGraph() *Graph {
	return &Graph{byID: map[string]uint32{}, index: index{seed: maphash.MakeSeed()}}
}

// Len is the number of changes; positions run from 0 to Len()-1.
func (g *Graph) Len() int { return len(g.nodes) }

// At is the hash of the change at a position. It panics when there is none, like an index into a slice.
func (g *Graph) At(pos int) Hash { return g.nodes[pos].hash }

// Has says whether a change is in the graph.
func (g *Graph) Has(h Hash) bool { _, ok := g.Position(h); return ok }

// Position is where a change stands in the order of adding.
func (g *Graph) Position(h Hash) (int, bool) {
	pos, ok := g.index.find(g.nodes, h)
	return int(pos), ok
}

// Heads are the changes nobody builds on, ascending: the version of the document. The slice is the caller's.
func (g *Graph) Heads() []Hash {
	hs := make([]Hash, 0, len(g.heads)-g.stale)
	for _, pos := range g.heads {
		if !g.nodes[pos].built {
			hs = append(hs, g.nodes[pos].hash)
		}
	}
	slices.SortFunc(hs, Hash.Compare)
	return hs
}

// MaxOp is the highest operation counter in the document, at most [MaxCounter]; 0 when it is empty. The next local change starts
// behind it, and a writer that has no room left must not begin: the core would end the process.
func (g *Graph) MaxOp() uint64 {
	var m uint32
	for _, pos := range g.heads {
		m = max(m, g.nodes[pos].maxOp)
	}
	return uint64(m)
}

// MaxOpOf is the highest operation counter in the change at a position and its past.
func (g *Graph) MaxOpOf(pos int) uint64 { return uint64(g.nodes[pos].maxOp) }

// Missing are those of hs that are not in the graph, in their order.
func (g *Graph) Missing(hs []Hash) []Hash {
	var out []Hash
	for _, h := range hs {
		if !g.Has(h) {
			out = append(out, h)
		}
	}
	return out
}

// Add admits a change that came from [Parse] and returns its position. The errors are [ErrKnown] (with the position), [*MissingError]
// and [*SequenceError]; nothing is recorded on an error.
//
// It costs the number of dependencies when the actor's previous change is among them, as in every document that one program writes and
// others merge; otherwise it looks for that change among those added since.
func (g *Graph) Add(c Change) (int, error) {
	if pos, ok := g.Position(c.Hash); ok {
		return pos, ErrKnown
	}
	deps, _, err := g.check(c)
	if err != nil {
		return 0, err
	}
	pos := uint32(len(g.nodes))
	who, ok := g.byID[string(c.Actor)]
	if !ok {
		who = uint32(len(g.actors))
		id := string(c.Actor)
		g.byID[id] = who
		g.actors = append(g.actors, actor{id: id})
	}
	g.actors[who].count++
	g.actors[who].last = pos
	g.deps = append(g.deps, deps...)
	end := uint32(c.StartOp + c.Ops - 1) // without operations, that of the past
	g.nodes = append(g.nodes, node{hash: c.Hash, actor: who, maxOp: end, depsEnd: uint32(len(g.deps)), floor: g.floor(deps)})
	g.index.insert(g.nodes, pos)
	g.addHead(pos, deps)
	return int(pos), nil
}

// Check is the verdict of [Graph.Add] without adding.
func (g *Graph) Check(c Change) error {
	if g.Has(c.Hash) {
		return ErrKnown
	}
	_, _, err := g.check(c)
	return err
}

// check finds the dependencies of a change that is not here, and the highest counter in them.
func (g *Graph) check(c Change) (deps []uint32, past uint32, err error) {
	deps = make([]uint32, len(c.Deps))
	for i, h := range c.Deps {
		pos, ok := g.index.find(g.nodes, h)
		if !ok {
			return nil, 0, &MissingError{Change: c.Hash, Missing: g.Missing(c.Deps)}
		}
		deps[i] = pos
		past = max(past, g.nodes[pos].maxOp)
	}
	if reason := g.refusal(c, deps, uint64(past)); reason != "" {
		return nil, 0, &SequenceError{Change: c.Hash, Actor: c.Actor, Seq: c.Seq, Holder: g.holder(c), Reason: reason}
	}
	return deps, past, nil
}

// addHead makes pos the newest head in place of deps. Those leave the list when they fill half of it, so that a change costs the same
// beside one head and beside a hundred thousand.
func (g *Graph) addHead(pos uint32, deps []uint32) {
	for _, d := range deps {
		if !g.nodes[d].built {
			g.nodes[d].built = true
			g.stale++
		}
	}
	g.heads = append(g.heads, pos)
	if g.stale*2 > len(g.heads) {
		g.heads = slices.DeleteFunc(g.heads, func(h uint32) bool { return g.nodes[h].built })
		g.stale = 0
	}
}

// refusal says why a change with known dependencies does not continue its past; empty when it does.
func (g *Graph) refusal(c Change, deps []uint32, past uint64) string {
	var own actor
	if who, ok := g.byID[string(c.Actor)]; ok {
		own = g.actors[who]
	}
	switch {
	case c.Seq <= uint64(own.count):
		return "the number is taken"
	case c.Seq > uint64(own.count)+1:
		return "the numbers before it are not in its past"
	case own.count > 0 && !g.descends(deps, own.last):
		return "it does not build on its writer's previous change"
	case c.StartOp <= past:
		return "its operations are numbered like older ones"
	case c.Ops == 0 && c.StartOp != past+1:
		return "it has no operations and skips numbers" // the core would go on without the gap
	case c.StartOp > past+1+MaxSkip:
		return "its operations skip too many numbers"
	}
	return ""
}

// holder looks for the change that has c's actor and number; zero when there is none. It walks the graph: for errors only.
func (g *Graph) holder(c Change) Hash {
	who, ok := g.byID[string(c.Actor)]
	if !ok {
		return Hash{}
	}
	var seq uint64
	for _, n := range g.nodes {
		if n.actor != who {
			continue
		}
		if seq++; seq == c.Seq {
			return n.hash
		}
	}
	return Hash{}
}

// depsOf are the positions a change builds on.
func (g *Graph) depsOf(pos uint32) []uint32 {
	var from uint32
	if pos > 0 {
		from = g.nodes[pos-1].depsEnd
	}
	return g.deps[from:g.nodes[pos].depsEnd]
}

// Truncate forgets the changes from position n on, for a caller whose append of them failed. It costs a walk over what stays; n outside
// 0 to Len() panics, like a slice bound.
func (g *Graph) Truncate(n int) {
	g.nodes = g.nodes[:n:len(g.nodes)]
	g.deps = g.deps[:0]
	if n > 0 {
		g.deps = g.deps[:g.nodes[n-1].depsEnd]
	}
	for i := range g.actors {
		g.actors[i].count = 0
	}
	actors := 0 // they are numbered in the order of their first change
	for pos := range g.nodes {
		g.nodes[pos].built = false
		a := &g.actors[g.nodes[pos].actor]
		a.count++
		a.last = uint32(pos)
		actors = max(actors, int(g.nodes[pos].actor)+1)
		for _, d := range g.depsOf(uint32(pos)) {
			g.nodes[d].built = true
		}
	}
	for _, a := range g.actors[actors:] {
		delete(g.byID, a.id)
	}
	g.actors = g.actors[:actors]
	g.heads, g.stale = g.heads[:0], 0
	for pos, n := range g.nodes {
		if !n.built {
			g.heads = append(g.heads, uint32(pos))
		}
	}
	g.index.rebuild(g.nodes)
}
