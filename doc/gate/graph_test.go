package gate_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc/gate"
)

func verdict(err error) string {
	if errors.Is(err, gate.ErrKnown) {
		return "known"
	} else if _, ok := errors.AsType[*gate.MissingError](err); ok {
		return "missing"
	} else if _, ok := errors.AsType[*gate.SequenceError](err); ok {
		return "sequence"
	}
	return fmt.Sprintf("%v", err)
}

// TestGraphIsTheModel makes random histories of a few writers, mostly right, and compares every answer with the model's.
func TestGraphIsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, m := gate.NewGraph(), newModel()
		next := 0
		pick := func(label string) gate.Hash {
			if len(m.order) == 0 || rapid.IntRange(0, 30).Draw(t, label) == 0 {
				return hashOf(1000 + rapid.IntRange(0, 50).Draw(t, "unknown"))
			}
			back := rapid.IntRange(0, min(len(m.order)-1, 12)).Draw(t, "back")
			return m.order[len(m.order)-1-back].Hash
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				actor := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "actor")
				deps := map[gate.Hash]bool{}
				if last, ok := m.last[actor]; ok && rapid.Bool().Draw(t, "own") {
					deps[last.Hash] = true
				}
				for range rapid.IntRange(0, 3).Draw(t, "deps") {
					deps[pick("dep")] = true
				}
				c := change(next, actor, m.last[actor].Seq+1, 1)
				for d := range deps {
					c.Deps, c.StartOp = append(c.Deps, d), max(c.StartOp, m.maxOp[d]+1)
				}
				slices.SortFunc(c.Deps, gate.Hash.Compare)
				c.Ops = uint64(rapid.IntRange(0, 3).Draw(t, "ops"))
				switch rapid.IntRange(0, 12).Draw(t, "fault") {
				case 0:
					c.Seq += uint64(rapid.IntRange(0, 2).Draw(t, "gap"))
				case 1:
					c.Seq = max(1, c.Seq-1)
				case 2:
					c.StartOp = max(1, c.StartOp-1)
				case 3:
					c.StartOp += gate.MaxSkip + uint64(rapid.IntRange(0, 1).Draw(t, "skip"))
				}
				next++
				want := m.add(c)
				pos, err := g.Add(c)
				if err == nil && (want != "" || pos != len(m.order)-1) || err != nil && verdict(err) != want {
					t.Fatalf("position %d, %v; want %q", pos, err, want)
				}
			},
			"again": func(t *rapid.T) {
				if len(m.order) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(m.order)-1).Draw(t, "position")
				if pos, err := g.Add(m.order[i]); pos != i || !errors.Is(err, gate.ErrKnown) {
					t.Fatalf("position %d, %v", pos, err)
				}
			},
			"truncate": func(t *rapid.T) {
				n := len(m.order) - rapid.IntRange(0, min(len(m.order), 3)).Draw(t, "cut")
				g.Truncate(n)
				m = m.truncate(n)
			},
			"since": func(t *rapid.T) {
				var known []gate.Hash
				for range rapid.IntRange(0, 4).Draw(t, "known") {
					known = append(known, pick("known"))
				}
				if got, want := g.Since(known), m.since(known); !slices.Equal(got, want) {
					t.Fatalf("since %v: %v, want %v", known, got, want)
				}
				var missing []gate.Hash
				for _, h := range known {
					if m.past[h] == nil {
						missing = append(missing, h)
					}
				}
				if got := g.Missing(known); !slices.Equal(got, missing) {
					t.Fatalf("missing %v, want %v", got, missing)
				}
			},
			"": func(t *rapid.T) {
				heads := m.heads()
				if g.Len() != len(m.order) || !slices.Equal(g.Heads(), heads) || g.Since(heads) != nil {
					t.Fatalf("%d changes, heads %v; want %d, %v", g.Len(), g.Heads(), len(m.order), heads)
				}
				var top uint64
				for i, c := range m.order {
					top = max(top, m.maxOp[c.Hash])
					if pos, ok := g.Position(c.Hash); !ok || pos != i || g.At(i) != c.Hash {
						t.Fatalf("change %d is at %d, %v", i, pos, ok)
					}
				}
				if g.MaxOp() != top {
					t.Fatalf("highest operation %d, want %d", g.MaxOp(), top)
				}
				for _, h := range g.Sample() {
					if !g.Has(h) || slices.Contains(heads, h) {
						t.Fatalf("sample has %v", h)
					}
				}
			},
		})
	})
}

func TestMissingErrorNamesThem(t *testing.T) {
	g := gate.NewGraph()
	mustAdd(t, g, change(1, "a", 1, 1))
	_, err := g.Add(change(2, "a", 2, 2, hashOf(1), hashOf(8), hashOf(9)))
	e, ok := errors.AsType[*gate.MissingError](err)
	want := slices.SortedFunc(slices.Values([]gate.Hash{hashOf(8), hashOf(9)}), gate.Hash.Compare)
	if !ok || !slices.Equal(e.Missing, want) || e.Change != hashOf(2) || !strings.Contains(err.Error(), want[0].String()[:8]) {
		t.Errorf("%v", err)
	}
}

// Two contents for one actor and number: the first stays, and the refusal names it, so that both can be shown.
func TestSequenceErrorNamesTheHolder(t *testing.T) {
	g := gate.NewGraph()
	mustAdd(t, g, change(1, "a", 1, 1))
	mustAdd(t, g, change(2, "b", 1, 2, hashOf(1)))
	mustAdd(t, g, change(3, "a", 2, 3, hashOf(2)))
	for _, c := range []struct {
		change gate.Change
		holder gate.Hash
		want   string
	}{
		{change(4, "a", 2, 3, hashOf(2)), hashOf(3), "taken"},
		{change(5, "b", 1, 9), hashOf(2), "taken"},
		{change(6, "c", 2, 9, hashOf(3)), gate.Hash{}, "not in its past"},
		{change(7, "b", 3, 9, hashOf(3)), gate.Hash{}, "not in its past"},
		{change(8, "a", 3, 9, hashOf(2)), gate.Hash{}, "previous change"},
		{change(9, "a", 3, 9), gate.Hash{}, "previous change"},
		{change(10, "a", 3, 3, hashOf(3)), gate.Hash{}, "like older ones"},
		{change(11, "a", 3, 5+gate.MaxSkip, hashOf(3)), gate.Hash{}, "skip"},
	} {
		_, err := g.Add(c.change)
		e, ok := errors.AsType[*gate.SequenceError](err)
		if !ok || e.Holder != c.holder || e.Change != c.change.Hash || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.change, err)
		}
	}
	if g.Len() != 3 || !slices.Equal(g.Heads(), []gate.Hash{hashOf(3)}) {
		t.Error("a refused change left a trace")
	}
}

// A refused first change of an actor must not leave the actor behind; a truncated one neither.
func TestTruncateForgetsActors(t *testing.T) {
	g := gate.NewGraph()
	mustAdd(t, g, change(1, "a", 1, 1))
	mustAdd(t, g, change(2, "b", 1, 2, hashOf(1)))
	g.Truncate(1)
	mustAdd(t, g, change(3, "c", 1, 2, hashOf(1)))
	mustAdd(t, g, change(4, "b", 1, 3, hashOf(3)))
	g.Truncate(0)
	if g.Len() != 0 || len(g.Heads()) != 0 || g.Has(hashOf(1)) || g.MaxOp() != 0 || g.Sample() != nil {
		t.Error("something stayed")
	}
	mustAdd(t, g, change(1, "a", 1, 1))
	defer func() {
		if recover() == nil {
			t.Error("positions were forgotten that there are not")
		}
	}()
	g.Truncate(2)
}

func TestSampleReachesTheBeginning(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 0, 2: 1, 3: 2, 1000: 11, 100_000: 18} {
		s := chain(t, n).Sample()
		if len(s) != want || want > 0 && s[len(s)-1] != hashOf(0) {
			t.Errorf("%d hashes of %d changes, want %d", len(s), n, want)
		}
	}
}

func mustAdd(t testing.TB, g *gate.Graph, c gate.Change) {
	t.Helper()
	if _, err := g.Add(c); err != nil {
		t.Fatal(err)
	}
}

// chain is a history of one writer.
func chain(t testing.TB, n int) *gate.Graph {
	t.Helper()
	g := gate.NewGraph()
	for i := range n {
		mustAdd(t, g, link(i))
	}
	return g
}

// link is change i of a chain.
func link(i int) gate.Change {
	c := change(i, "0123456789abcdef", uint64(i)+1, uint64(i)+1)
	if i > 0 {
		c.Deps = []gate.Hash{hashOf(i - 1)}
	}
	return c
}
