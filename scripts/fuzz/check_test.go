package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// scratch is a trial on the whole of a seed.
func scratch(t *testing.T, inputs ...entry) *trial {
	t.Helper()
	s := testCorpus(t).seeds[1]
	return &trial{kind: "test", seed: s, past: s.whole(), inputs: inputs, rng: rand.New(rand.NewPCG(4, 4))}
}

// TestNotices shows that each flaw of the gate would be found.
func TestNotices(t *testing.T) {
	tr := scratch(t)
	next := tr.seed.next
	for _, c := range []struct {
		name   string
		honest bool
		input  entry
		want   string
	}{
		{"an honest change", true, entry{raw: next[0]}, ""},
		{"an honest change that is refused", true, entry{raw: next[0][:20]}, refused},
		{"a known one", true, entry{raw: tr.seed.raws[0]}, ""},
		{"a bomb that passes", false, entry{raw: next[1], refused: true}, differs},
		{"a mutant that is refused", false, entry{raw: next[0][:20]}, ""},
	} {
		tr.honest, tr.inputs = c.honest, []entry{c.input}
		var kinds []string
		for _, f := range tr.run(func() {}).faults {
			kinds = append(kinds, f.kind)
		}
		if strings.Join(kinds, " ") != c.want {
			t.Errorf("%s: found %q, want %q", c.name, kinds, c.want)
		}
	}
}

// TestNoticesPoison shows that the checks of the core find what the gate is there to prevent.
func TestNoticesPoison(t *testing.T) {
	tr := scratch(t)
	c := forger{tr.rng}.bare(tr.past.view)
	c.seq = 1000 // the core takes this, and what it then saves does not load
	c.ops = []op{{keyed: true, key: "k", action: actSet}}
	d, bad := tr.load()
	if bad != nil {
		t.Fatal(bad)
	}
	if err := applied(d, c.raw()); err != nil {
		t.Fatal(err)
	}
	value, err := coreValue(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, bad := reload(d, value, coreHeads(d)); bad == nil || bad.kind != unloadable {
		t.Errorf("a poisoned document: %+v", bad)
	}
	if bad := same(d, append(value, ' '), coreHeads(d), unapplied); bad == nil || bad.kind != differs {
		t.Errorf("another value: %+v", bad)
	}
	if bad := same(d, value, []gate.Hash{{}}, unapplied); bad == nil || bad.kind != unapplied {
		t.Errorf("other heads: %+v", bad)
	}
	if err := applied(automerge.New(), []byte("garbage")); err == nil {
		t.Error("garbage is applied")
	}
}

// TestSameWords shows that both readers write every type in the same words, and tell all values apart.
func TestSameWords(t *testing.T) {
	var seen [][]byte
	for _, s := range testCorpus(t).seeds {
		tr := &trial{seed: s, past: s.whole(), rng: rand.New(rand.NewPCG(5, 5))}
		if tr.prepare() != nil {
			continue // a finding of the fuzz, not of this test
		}
		d, bad := tr.load()
		if bad != nil {
			t.Fatal(bad)
		}
		have, err := coreValue(d)
		if err != nil || string(have) != string(tr.past.value) {
			t.Errorf("%s (%v): %s", s.name, err, apart(tr.past.value, have))
		}
		seen = append(seen, have)
	}
	all := string(slices.Concat(seen...))
	for _, word := range []string{"null", "true", "false", "int -", "uint ", "float NaN", "bytes ", "counter ", "time ", "text ", "[", "{"} {
		if !strings.Contains(all, word) {
			t.Errorf("no document has %q", word)
		}
	}
}
