package gate_test

import (
	"slices"

	"tombolo/doc/gate"
)

// model is the graph as one would first write it: maps, and the ancestors of every change spelled out.
type model struct {
	order []gate.Change
	past  map[gate.Hash]map[gate.Hash]bool // the ancestors of a change and itself
	last  map[string]gate.Change
	maxOp map[gate.Hash]uint64
}

func newModel() *model {
	return &model{past: map[gate.Hash]map[gate.Hash]bool{}, last: map[string]gate.Change{}, maxOp: map[gate.Hash]uint64{}}
}

// add says which kind of verdict a change gets: "", "known", "missing" or "sequence".
func (m *model) add(c gate.Change) string {
	if m.past[c.Hash] != nil {
		return "known"
	}
	past, top := map[gate.Hash]bool{}, uint64(0)
	for _, d := range c.Deps {
		if m.past[d] == nil {
			return "missing"
		}
		top = max(top, m.maxOp[d])
		for a := range m.past[d] {
			past[a] = true
		}
	}
	prev, ok := m.last[string(c.Actor)]
	if c.Seq != prev.Seq+1 || ok && !past[prev.Hash] || c.StartOp <= top || c.StartOp > top+1+gate.MaxSkip || c.Ops == 0 && c.StartOp != top+1 {
		return "sequence"
	}
	past[c.Hash] = true
	m.past[c.Hash], m.last[string(c.Actor)], m.maxOp[c.Hash] = past, c, max(top, c.StartOp+c.Ops-1)
	m.order = append(m.order, c)
	return ""
}

func (m *model) truncate(n int) *model {
	cut := newModel()
	for _, c := range m.order[:n] {
		cut.add(c)
	}
	return cut
}

func (m *model) heads() []gate.Hash {
	built := map[gate.Hash]bool{}
	for _, c := range m.order {
		for _, d := range c.Deps {
			built[d] = true
		}
	}
	var out []gate.Hash
	for _, c := range m.order {
		if !built[c.Hash] {
			out = append(out, c.Hash)
		}
	}
	slices.SortFunc(out, gate.Hash.Compare)
	return out
}

func (m *model) since(known []gate.Hash) []int {
	has := map[gate.Hash]bool{}
	for _, h := range known {
		for a := range m.past[h] {
			has[a] = true
		}
	}
	var out []int
	for i, c := range m.order {
		if !has[c.Hash] {
			out = append(out, i)
		}
	}
	return out
}
