package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"tombolo/doc/gate"
)

// TestCaseAgain shows that a case can be repeated: two processes make the same of one number.
func TestCaseAgain(t *testing.T) {
	a := testCorpus(t)
	b, err := newCorpus()
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(300) {
		b.trial(7, n+1000) // what came before must not matter
		x, y := a.trial(7, n), b.trial(7, n)
		if x.story() != y.story() || !slices.EqualFunc(x.inputs, y.inputs, func(i, j entry) bool { return bytes.Equal(i.raw, j.raw) }) {
			t.Fatalf("case %d: %q in one process, %q in another", n, x.story(), y.story())
		}
	}
}

// TestForged shows that most forged changes pass: those that do are what the core is tried with.
func TestForged(t *testing.T) {
	f := forger{rand.New(rand.NewPCG(2, 2))}
	passed, tried := 0, 0
	for _, s := range testCorpus(t).seeds {
		h := &trial{seed: s, past: s.whole()}
		if err := h.prepare(); err != nil {
			continue // a finding of the fuzz, not of this test
		}
		for range 20 {
			tried++
			if _, err := h.past.gate.add(f.change(h.past.view).raw()); err == nil {
				passed++
				h.past.gate.set.Truncate(len(h.past.keep))
			}
		}
	}
	if passed*2 < tried {
		t.Errorf("%d of %d forged changes were admitted, want more than half", passed, tried)
	}
}

// TestBombs shows what each bomb is refused for.
func TestBombs(t *testing.T) {
	empty := over(nil)
	f := forger{rand.New(rand.NewPCG(3, 3))}
	for name, raw := range map[string][]byte{
		"bomb": bomb(), "small bomb": smallBomb(), "rows": manyRows(f.bare(empty), gate.MaxOps+1),
	} {
		_, err := gate.Parse(raw)
		if _, ok := errors.AsType[*gate.LimitError](err); !ok {
			t.Errorf("%s of %d bytes: %v, want a limit", name, len(raw), err)
		}
	}
	if _, err := newAdmission().add(manyRows(f.bare(empty), 100)); err == nil {
		t.Error("a hundred values in one slot are admitted")
	}
}

// TestChunks shows that changes are found inside other bytes.
func TestChunks(t *testing.T) {
	s := testCorpus(t).seeds[1]
	content := slices.Concat([]byte("x"+magic), s.raws[0], []byte("between"), deflated(s.raws[1]), s.raws[2][:20])
	got := chunks(content)
	if len(got) != 2 || !bytes.Equal(got[0], s.raws[0]) || !bytes.Equal(got[1], deflated(s.raws[1])) {
		t.Errorf("found %d chunks, want 2", len(got))
	}
}
