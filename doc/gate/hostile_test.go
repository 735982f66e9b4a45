package gate_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc/gate"
)

// Past says of every change, in whatever order it is asked, what walking all dependencies says.
func TestPastIsTheCausalPast(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := gate.NewGraph()
		type made struct {
			c    gate.Change
			past []bool
		}
		var all []made
		next := func() made {
			n := len(all)
			actor := fmt.Sprint("a", rapid.IntRange(0, 6).Draw(rt, "actor"))
			m := made{past: make([]bool, n)}
			var deps []gate.Hash
			build := func(i int) {
				if m.past[i] = true; !slices.Contains(deps, all[i].c.Hash) {
					deps = append(deps, all[i].c.Hash)
				}
				for j, is := range all[i].past {
					m.past[j] = m.past[j] || is
				}
			}
			seq, start := uint64(1), uint64(0)
			for i := range all {
				if string(all[i].c.Actor) == actor {
					seq++
					if i+1 == n || rapid.Bool().Draw(rt, "direct") {
						build(i)
					}
				}
			}
			for i := n - 1; i >= 0 && seq > 1; i-- { // the writer's newest must be in the past
				if string(all[i].c.Actor) == actor {
					build(i)
					break
				}
			}
			if n > 0 {
				for range rapid.IntRange(0, 3).Draw(rt, "deps") {
					build(rapid.IntRange(max(0, n-70), n-1).Draw(rt, "dep"))
				}
			}
			for i, is := range m.past {
				if is {
					start = max(start, all[i].c.StartOp)
				}
			}
			m.c = change(n, actor, seq, start+1, deps...)
			return m
		}
		for range rapid.IntRange(0, 150).Draw(rt, "changes") {
			m := next()
			if err := g.Check(m.c); err != nil {
				rt.Fatal(err)
			}
			p := g.Past(m.c)
			for range rapid.IntRange(0, 8).Draw(rt, "questions") {
				if len(all) == 0 {
					break
				}
				pos := rapid.IntRange(0, len(all)-1).Draw(rt, "pos")
				if got := p.Has(pos); got != m.past[pos] {
					rt.Fatalf("change %d of %d: it says %v, and it is %v", pos, len(all), got, m.past[pos])
				}
			}
			pos, err := g.Add(m.c)
			if err != nil {
				rt.Fatal(err)
			}
			if g.MaxOpOf(pos) != m.c.StartOp {
				rt.Fatalf("its highest counter is %d", g.MaxOpOf(pos))
			}
			all = append(all, m)
		}
	})
}
