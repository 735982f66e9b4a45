package main

import (
	"math/rand/v2"
	"slices"
	"strings"

	"tombolo/doc/gate"
)

// trial is one case: changes put to the gate, on top of a document.
type trial struct {
	kind   string
	seed   *seed
	past   *history
	inputs []entry
	honest bool     // every input must be admitted
	steps  []string // what was done to the inputs
	rng    *rand.Rand
}

// entry is one change put to the gate.
type entry struct {
	raw     []byte
	refused bool // it must be refused
}

// history is a part of a seed's history that inputs are put on top of.
type history struct {
	keep  []int // positions in the seed
	raws  []byte
	view  *view
	gate  *admission // shared by the cases of a process: each takes back what it added
	value []byte     // what the document shows
	saved []byte     // as the core saves it
}

// historyKey names a history: everything that came before a change, or everything that does not build on it.
type historyKey struct {
	cut    int
	prefix bool
}

// history finds or makes one. cut len(s.raws) is the whole seed.
func (s *seed) history(key historyKey) *history {
	if c, ok := s.histories[key]; ok {
		return c
	}
	c := &history{view: over(nil)}
	without := map[gate.Hash]bool{}
	for i, p := range s.parsed {
		if i == key.cut || key.prefix && i > key.cut || slices.ContainsFunc(p.Deps, func(h gate.Hash) bool { return without[h] }) {
			without[p.Hash] = true
			continue
		}
		c.keep = append(c.keep, i)
		c.raws = append(c.raws, s.raws[i]...)
		c.view.add(p.Hash, &s.changes[i])
	}
	s.histories[key] = c
	return c
}

// whole is the context of all the seed's changes.
func (s *seed) whole() *history { return s.history(historyKey{cut: len(s.raws)}) }

// cut picks a change at which the history is cut, one of a few, since what is made of each is kept.
func (s *seed) cut(f forger) int {
	places := 10
	if s.ops > manyOps {
		places = 2
	}
	n := len(s.raws)
	return max(0, n-1-f.IntN(min(n, places))*max(1, n/places))
}

// manyOps is how many operations make a seed a long one.
const manyOps = 600

// trial makes case number n. It depends on the corpus, the random seed and n alone.
func (c *corpus) trial(seed, n uint64) *trial {
	f := forger{rand.New(rand.NewPCG(seed, n))}
	t := &trial{seed: c.seeds[f.IntN(len(c.seeds))], rng: f.Rand}
	for t.seed.ops > manyOps && !f.chance(30) { // they cost more and show little more
		t.seed = c.seeds[f.IntN(len(c.seeds))]
	}
	switch k := f.IntN(100); {
	case k < 5:
		t.control(f)
	case k < 35:
		t.one(f, "mutated", f.mutant)
	case k < 65:
		t.one(f, "forged", f.forged)
	case k < 78:
		t.chain(f)
	case k < 84:
		t.pair(f)
	case k < 91:
		t.one(f, "misspelled", f.misspelled)
	case k < 95:
		t.one(f, "garbled", f.garbled)
	case k < 98:
		t.packed(f)
	case len(c.hostile) > 0:
		t.hostile(f, c.hostile[f.IntN(len(c.hostile))])
	default:
		t.one(f, "garbled", f.garbled)
	}
	return t
}

// story is the case in one line.
func (t *trial) story() string {
	return strings.Join(append([]string{t.kind + " on \"" + t.seed.name + "\""}, t.steps...), ", ")
}
