package gate_test

import (
	"slices"
	"testing"

	"tombolo/doc/gate"
)

func TestAdmit(t *testing.T) {
	var raws [][]byte
	for _, c := range history(t) {
		raws = append(raws, c.Save())
	}
	g := gate.NewGraph()
	fresh, missing, err := gate.Admit(g, raws[:5])
	if len(fresh) != 5 || missing != nil || err != nil {
		t.Fatalf("%d fresh, missing %v, %v", len(fresh), missing, err)
	}
	if fresh, missing, err = gate.Admit(g, raws[3:7]); len(fresh) != 2 || missing != nil || err != nil {
		t.Errorf("two of four were known: %d fresh, missing %v, %v", len(fresh), missing, err)
	}
	skipped, err := gate.Parse(raws[7])
	if err != nil {
		t.Fatal(err)
	}
	if fresh, missing, err = gate.Admit(g, raws[8:9]); len(fresh) != 0 || !slices.Contains(missing, skipped.Hash) || err != nil {
		t.Errorf("a gap: %d fresh, missing %v, %v", len(fresh), missing, err)
	}
	heads := g.Heads()
	if _, _, err = gate.Admit(g, [][]byte{raws[7], []byte("garbage")}); err == nil || g.Len() != 7 || !slices.Equal(g.Heads(), heads) {
		t.Errorf("%v, and %d changes", err, g.Len())
	}
	if fresh, missing, err = gate.Admit(g, raws); len(fresh) != len(raws)-7 || missing != nil || err != nil {
		t.Errorf("everything at last: %d fresh, missing %v, %v", len(fresh), missing, err)
	}
}
