package doc_test

import (
	"crypto/rand"
	"encoding/binary"
	"testing"

	"tombolo/doc"
	"tombolo/doc/gate"
)

// A device that leaves more heads than a change may build on does not keep the others from writing: what they write goes with changes that gather
// the heads, which every device and the core take.
func TestEditOverManyHeads(t *testing.T) {
	var id doc.ID
	changes := [][]byte{doc.Genesis(id, "app")}
	for i := range gate.MaxDeps + 10 {
		c := gate.Change{Actor: binary.BigEndian.AppendUint16(nil, uint16(i)), Seq: 1, StartOp: 1}
		raw, err := gate.Encode(c, func(yield func(*gate.Op) bool) { yield(&gate.Op{Key: "k", Action: gate.ActSet}) })
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, raw)
	}
	var devices [2]*doc.Doc
	for i := range devices {
		d, err := doc.Load(id, changes, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		devices[i] = d
	}
	for round := range 2 {
		edited, err := devices[0].Edit(doc.Note{Author: "me"}, func(tx *doc.Tx) error { return tx.Set("title", int64(round)) })
		if err != nil {
			t.Fatal(err)
		}
		if want := 2 - round; len(edited.Changes) != want || len(edited.Heads) != 1 {
			t.Errorf("%d changes leave %d heads; want %d and one", len(edited.Changes), len(edited.Heads), want)
		}
		for _, c := range edited.Changes {
			if _, err := devices[1].Apply(c.Raw); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, err := devices[1].Get("title"); got != int64(1) {
		t.Errorf("the other device has %v (%v)", got, err)
	}
	saved, err := devices[1].Save(nil)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := doc.ReadSaved(saved, nil); err != nil || len(back) != len(changes)+3 {
		t.Errorf("the core gives %d changes back (%v), not %d", len(back), err, len(changes)+3)
	}
}
