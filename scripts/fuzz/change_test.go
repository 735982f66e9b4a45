package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc/gate"
)

// TestTakenApart shows that honest changes come back with the bytes they had: what the mutator alters is then all that differs.
func TestTakenApart(t *testing.T) {
	n := 0
	for _, s := range testCorpus(t).seeds {
		for _, raw := range slices.Concat(s.raws, s.next) {
			plain, err := gate.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			c, err := parse(raw)
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if !bytes.Equal(c.raw(), plain.Raw) {
				t.Errorf("%s: a change comes back with other bytes:\n%s", s.name, tell(raw))
			}
			if again, err := parse(deflated(plain.Raw)); err != nil || !bytes.Equal(again.raw(), plain.Raw) {
				t.Errorf("%s: a deflated change comes back with other bytes (%v)", s.name, err)
			}
			n++
		}
	}
	if n < 300 {
		t.Errorf("only %d changes tried", n)
	}
}

// TestColumns shows that what is spelled out is what was spelled.
func TestColumns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.Custom(func(t *rapid.T) cell {
			return rapid.SampledFrom([]cell{{null: true}, {}, {num: 1}, {num: 1 << 40}, {num: -3}}).Draw(t, "cell")
		})
		rows := rapid.SliceOfN(row, 1, 30).Draw(t, "rows")
		if !slices.ContainsFunc(rows, func(c cell) bool { return !c.null }) {
			return // such a column is left out
		}
		for name, back := range map[string]func() ([]cell, error){
			"unsigned": func() ([]cell, error) { return decodeRuns(encodeRuns(rows, unsigned), unsigned) },
			"signed":   func() ([]cell, error) { return decodeRuns(encodeRuns(rows, signed), signed) },
			"deltas":   func() ([]cell, error) { return decodeDeltas(encodeDeltas(rows)) },
		} {
			if got, err := back(); err != nil || !slices.Equal(got, rows) {
				t.Fatalf("%s: %v becomes %v (%v)", name, rows, got, err)
			}
		}
		words := make([]cell, len(rows))
		bools := make([]bool, len(rows))
		for i, r := range rows {
			words[i] = cell{null: r.null, str: string(rune('a' + r.num%7&7))}
			if r.null {
				words[i].str = ""
			}
			bools[i] = r.null
		}
		if got, err := decodeRuns(encodeRuns(words, text), text); err != nil || !slices.Equal(got, words) {
			t.Fatalf("text: %v becomes %v (%v)", words, got, err)
		}
		if got, err := decodeBools(encodeBools(bools)); err != nil || !slices.Equal(got, bools) {
			t.Fatalf("bools: %v becomes %v (%v)", bools, got, err)
		}
	})
}

// TestNotTakenApart shows that bytes of any kind are refused, not suffered.
func TestNotTakenApart(t *testing.T) {
	whole := testCorpus(t).seeds[1].raws[0]
	for i := range whole {
		if _, err := parse(whole[:i]); !errors.Is(err, errForm) {
			t.Fatalf("the first %d bytes: %v", i, err)
		}
	}
	f := forger{rand.New(rand.NewPCG(1, 1))}
	for range 3000 {
		raw, _ := f.garble(whole)
		if c, err := parse(raw); err == nil {
			c.raw()
		}
	}
	for _, content := range [][]byte{{0x80}, {2}, {0x7e, 1}, {0, 0xff, 0xff, 0xff, 0x7f}, {0xff, 0xff, 0xff, 0xff, 0x07, 1}} {
		if rows, err := decodeRuns(content, unsigned); err == nil {
			t.Errorf("column %x is read as %d rows", content, len(rows))
		}
	}
	if _, err := decodeBools([]byte{0xff, 0xff, 0xff, 0x7f}); err == nil {
		t.Error("a column of a huge run of bools is read")
	}
}
