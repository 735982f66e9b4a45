package doc_test

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"tombolo/doc"
	"tombolo/doc/gate"
)

// A document that becomes another one shows the same, what it hides stays hidden, and what is added to that later shows.
func TestImported(t *testing.T) {
	a := open(t, doc.ID{1})
	edit(t, a, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"gone": []any{"x"}, "deep": map[string]any{"gone": doc.Text("y"), "n": 1}})
	})
	edit(t, a, func(tx *doc.Tx) error { return errors.Join(tx.Remove("/gone"), tx.Remove("/deep/gone")) })
	changes, err := a.Changes()
	must(t, err)
	for i := range byte(8) { // by their numbers, the marks of either stand first
		b, err := doc.Imported(doc.ID{2, i}, "app", "list", changes, doc.Note{Message: "import", Time: time.Unix(7, 0)}, rand.Reader)
		must(t, err)
		wantJSON(t, b, `{"deep":{"n":1}}`)
		if m, err := b.Marks(); err != nil || m.App != "app" || m.Name != "list" {
			t.Errorf("marks %+v, %v", m, err)
		}
		edit(t, b, func(tx *doc.Tx) error { return errors.Join(tx.List("gone").Append("z"), tx.Remove("/deep")) })
		wantJSON(t, b, `{"gone":["z"]}`)
		must(t, b.Close())
	}
	// The same document takes nothing but its name, not even that where it has it.
	b, err := doc.Imported(doc.ID{1}, "test", "", changes, doc.Note{}, rand.Reader)
	must(t, err)
	if len(changes) != b.Len() {
		t.Errorf("%d changes more", b.Len()-len(changes))
	}
	must(t, b.Close())
}

func TestImportedRefuses(t *testing.T) {
	genesis, err := gate.Parse(doc.Genesis(doc.ID{1}, "app"))
	must(t, err)
	without, err := gate.Encode(gate.Change{
		Deps: []gate.Hash{genesis.Hash}, Actor: []byte{7}, Others: [][]byte{genesis.Actor}, Seq: 1, StartOp: 4,
	}, func(yield func(*gate.Op) bool) {
		yield(&gate.Op{Key: "$m", Action: gate.ActDelete, Preds: []gate.OpRef{{Counter: 1, Actor: 1}}})
	})
	must(t, err)
	if _, err := doc.Imported(doc.ID{1}, "app", "", [][]byte{genesis.Raw, without}, doc.Note{}, rand.Reader); !errors.Is(err, doc.ErrNoMarks) {
		t.Errorf("a document without its marks: %v", err)
	}
	if _, err := doc.Imported(doc.ID{1}, "app", "", [][]byte{without[1:]}, doc.Note{}, rand.Reader); err == nil {
		t.Error("half a change became a document")
	}
	if _, err := doc.Imported(doc.ID{1}, "app", "bad\xff", nil, doc.Note{}, rand.Reader); err == nil {
		t.Error("a name that is no text was given")
	}
}
