package main

import (
	"bytes"
	"slices"

	"tombolo/doc/gate"
)

// control puts honest changes to the gate, in an order that need not be the one they were made in.
func (t *trial) control(f forger) {
	t.kind, t.honest = "honest", true
	if len(t.seed.next) > 0 && f.chance(2) {
		t.past = t.seed.whole()
		for _, i := range f.Perm(len(t.seed.next))[:1+f.IntN(3)] {
			raw := t.seed.next[i]
			if f.chance(4) {
				raw = deflated(raw)
			}
			t.inputs = append(t.inputs, entry{raw: raw})
		}
		return
	}
	t.past = t.seed.history(historyKey{cut: 0, prefix: true})
	for _, i := range f.causalOrder(t.seed.parsed) {
		t.inputs = append(t.inputs, entry{raw: t.seed.raws[i]})
	}
}

// causalOrder is one of the orders in which changes can be added.
func (f forger) causalOrder(all []gate.Change) []int {
	done := map[gate.Hash]bool{}
	var order, open []int
	for i := range all {
		open = append(open, i)
	}
	for len(open) > 0 {
		ready := slices.DeleteFunc(slices.Clone(open), func(i int) bool {
			return slices.ContainsFunc(all[i].Deps, func(h gate.Hash) bool { return !done[h] })
		})
		if len(ready) == 0 {
			return order
		}
		i := choose(f, ready...)
		done[all[i].Hash] = true
		order = append(order, i)
		open = slices.DeleteFunc(open, func(j int) bool { return i == j })
	}
	return order
}

// A maker makes one input on top of the view, or of a context of its own choice.
type maker func(t *trial) []byte

func (t *trial) one(f forger, kind string, make maker) {
	t.kind = kind
	t.inputs = append(t.inputs, entry{raw: make(t)})
}

func (t *trial) did(step string) {
	if step != "" {
		t.steps = append(t.steps, step)
	}
}

// mutant is an honest change with a few mutations.
func (f forger) mutant(t *trial) []byte {
	c := t.base(f)
	f.mutate(t, c, t.past.view)
	return f.spell(t, c)
}

func (f forger) mutate(t *trial, c *change, v *view) {
	for range choose(f, 1, 1, 1, 2, 3, 4) {
		if f.chance(5) {
			t.did(choose(f, headMutations...)(f, c, v))
		} else {
			t.did(choose(f, opMutations...)(f, c, v))
		}
	}
}

// spell writes a change, now and then wrongly.
func (f forger) spell(t *trial, c *change) []byte {
	if !f.chance(10) {
		return c.raw()
	}
	return f.spoil(t, c, 1)
}

func (f forger) spoil(t *trial, c *change, n int) []byte {
	s := c.spell()
	for range n {
		sp := choose(f, spoilings...)
		sp.do(f, s)
		t.did(sp.name)
	}
	return frame(s.body())
}

// forged is a change that a writer with part of the history could have made; sometimes it is then mutated.
func (f forger) forged(t *trial) []byte {
	s := t.seed
	t.past = s.whole()
	v := t.past.view
	if len(s.raws) > 1 && f.chance(2) { // who has only a part forges on top of that
		v = s.history(historyKey{s.cut(f), f.chance(2)}).view
		t.did("without a part")
	}
	c := f.change(v)
	if f.chance(4) {
		f.mutate(t, c, v)
	}
	return c.raw()
}

func (f forger) misspelled(t *trial) []byte { return f.spoil(t, t.base(f), 1+f.IntN(2)) }

func (f forger) garbled(t *trial) []byte {
	raw, how := f.garble(t.base(f).raw())
	t.did(how)
	return raw
}

// chain is a mutated or forged change, and others built on it.
func (t *trial) chain(f forger) {
	t.kind = "chain"
	t.past = t.seed.whole()
	v := over(t.past.view)
	n := 2 + f.IntN(3)
	if f.chance(40) {
		n = 20
	}
	for i := range n {
		c := f.change(v)
		if i == 0 && f.chance(2) && len(t.seed.changes) > 0 {
			c = t.seed.changes[f.IntN(len(t.seed.changes))].clone()
			f.rebase(c, v)
		}
		if i == 0 || f.chance(4) {
			f.mutate(t, c, v)
		}
		raw := c.raw()
		v.add(hashOf(raw), c)
		t.inputs = append(t.inputs, entry{raw: raw})
		t.did("next")
	}
}

// pair is two changes that do not know of each other; now and then both take one number of one writer.
func (t *trial) pair(f forger) {
	t.kind = "pair"
	t.past = t.seed.whole()
	v := t.past.view
	a, b := f.change(v), f.change(v)
	if f.chance(2) {
		f.mutate(t, a, v)
	}
	if f.chance(3) {
		b.actor, b.seq = a.actor, a.seq
		t.did("the same number")
	}
	for _, c := range []*change{a, b} {
		t.inputs = append(t.inputs, entry{raw: c.raw()})
	}
	if ra, rb := t.inputs[0].raw, t.inputs[1].raw; f.chance(2) && !bytes.Equal(ra, rb) { // one who has both
		m := over(v)
		m.add(hashOf(ra), a)
		m.add(hashOf(rb), b)
		t.inputs = append(t.inputs, entry{raw: f.change(m).raw()})
		t.did("merged")
	}
}

// packed is a deflated change, whole or spoilt, or something small that becomes large.
func (t *trial) packed(f forger) {
	t.kind = "deflated"
	c := t.base(f)
	switch f.IntN(200) {
	case 0:
		t.did("bomb")
		t.inputs = append(t.inputs, entry{raw: bomb(), refused: true})
	case 1:
		t.did("small bomb")
		t.inputs = append(t.inputs, entry{raw: smallBomb(), refused: true})
	case 2:
		t.did("more operations than a change may have")
		t.inputs = append(t.inputs, entry{raw: manyRows(f.bare(t.past.view), gate.MaxOps+1), refused: true})
	case 3:
		t.did("many operations")
		t.inputs = append(t.inputs, entry{raw: manyRows(f.bare(t.past.view), 5000)})
	default:
		raw, how := f.squeezed(c.raw())
		t.did(how)
		t.inputs = append(t.inputs, entry{raw: raw})
	}
}

// hostile puts the changes of a file that harmed the core to the gate, as they are or altered.
func (t *trial) hostile(f forger, s *seed) {
	t.kind, t.seed = "hostile file", s
	if len(s.raws) > 0 && f.chance(2) {
		f.onHostile(t)
		return
	}
	t.past = s.history(historyKey{cut: 0, prefix: true})
	which := -1
	if f.chance(2) {
		which = f.IntN(len(s.hostile))
	}
	for i, raw := range s.hostile {
		if i == which {
			var how string
			raw, how = f.garble(raw)
			t.did(how)
		}
		t.inputs = append(t.inputs, entry{raw: raw})
	}
}

// onHostile mutates a change of the file on top of those that were admitted.
func (f forger) onHostile(t *trial) {
	t.past = t.seed.whole()
	c, err := parse(choose(f, t.seed.hostile...))
	if err != nil {
		c = *f.change(t.past.view)
	}
	m := c.clone()
	if f.chance(2) {
		f.rebase(m, t.past.view)
	}
	f.mutate(t, m, t.past.view)
	t.inputs = append(t.inputs, entry{raw: f.spell(t, m)})
}
