package doc_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"testing"

	"tombolo/doc"
	"tombolo/doc/gate"
)

// lineage makes the fingerprints of versions out of bytes.
func lineage(of ...byte) (out [][8]byte) {
	for _, b := range of {
		out = append(out, [8]byte(bytes.Repeat([]byte{b}, 8)))
	}
	return out
}

func marks(t fataler, d *doc.Doc) doc.Marks {
	t.Helper()
	m, err := d.Marks()
	must(t, err)
	return m
}

func wantMarks(t *testing.T, d *doc.Doc, minWriter int, lineages ...[][8]byte) {
	t.Helper()
	got := marks(t, d)
	var want []doc.SchemaMark
	for _, l := range lineages {
		want = append(want, doc.SchemaMark{Version: len(l), Print: l[len(l)-1], Lineage: l})
	}
	if !reflect.DeepEqual(got.Versions, want) || got.MinWriter != minWriter {
		t.Errorf("the marks say %v and %d, want %v and %d", got.Versions, got.MinWriter, want, minWriter)
	}
}

func TestSchemaMarks(t *testing.T) {
	a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
	mark := func(d *doc.Doc, minWriter int, of ...byte) {
		edit(t, d, func(tx *doc.Tx) error {
			must(t, tx.MarkSchema(lineage(of...)))
			if minWriter > 0 {
				must(t, tx.RequireWriter(minWriter))
			}
			return nil
		})
	}
	hash, err := a.Hash()
	must(t, err)
	mark(a, 0, 1, 2)
	mark(a, 2, 1)
	mark(b, 0, 1, 2)
	mark(b, 3, 1, 3)
	mark(b, 2, 1, 3) // less is required already
	wantMarks(t, a, 2, lineage(1), lineage(1, 2))
	wantMarks(t, b, 3, lineage(1, 2), lineage(1, 3))
	merge(t, a, b)
	wantMarks(t, a, 3, lineage(1), lineage(1, 2), lineage(1, 3))
	n := a.Len()
	mark(a, 3, 1, 2)
	mark(b, 1, 1, 3)
	if a.Len() != n || b.Len() != n {
		t.Error("marks that are there were written again")
	}
	if then, err := a.Hash(); err != nil || then != hash {
		t.Errorf("marks are in the value: %v", err)
	}
	wantJSON(t, a, `{}`)
	patches, err := a.Diff(nil, a.Heads())
	must(t, err)
	if len(patches) != 0 {
		t.Errorf("patches tell of them: %s", told(t, patches))
	}
	if got, err := a.AllConflicts(); err != nil || len(got) != 0 {
		t.Errorf("they are in conflict: %v, %v", got, err)
	}
	if _, err := doc.ReadSaved(a.MustSave(t), nil); err != nil {
		t.Error(err)
	}
}

// What others wrote into the marks is never an error.
func TestMalformedSchemaMarks(t *testing.T) {
	d := open(t, doc.ID{1})
	two, print := lineage(1, 2), hex.EncodeToString(bytes.Repeat([]byte{2}, 8))
	good := append(two[0][:], two[1][:]...)
	keys := []struct {
		key   string
		typ   gate.ValueType
		value []byte
	}{
		{"v/x", gate.TypeNull, nil},
		{"v/2", gate.TypeBytes, good},
		{"v/0/" + print, gate.TypeBytes, nil},
		{"v/-2/" + print, gate.TypeBytes, good},
		{"v/02/" + print, gate.TypeBytes, good},
		{"v/1048577/" + print, gate.TypeNull, nil},
		{"v/99999999999999999999/" + print, gate.TypeNull, nil},
		{"v/2/" + print[2:], gate.TypeBytes, good},
		{"v/2/" + print + "00", gate.TypeBytes, good},
		{"v/2/" + print + "/", gate.TypeBytes, good},
		{"v/2/0202020202020A02", gate.TypeBytes, good},
		{"v/2/020202020202zz02", gate.TypeBytes, good},
		{"v/2/" + print, gate.TypeString, good},                                  // no bytes
		{"v/3/" + print, gate.TypeBytes, good},                                   // too few
		{"v/1/" + print, gate.TypeBytes, good},                                   // too many
		{"v/2/0303030303030303", gate.TypeBytes, good},                           // another last one
		{"v/2/0404040404040404", gate.TypeNull, nil},                             // nothing
		{"v/1048576/0505050505050505", gate.TypeBytes, []byte{5, 5, 5, 5, 5, 5}}, // a long way
		{"min/x", gate.TypeTrue, nil},
		{"min/", gate.TypeTrue, nil},
		{"min/07", gate.TypeTrue, nil},
		{"min/1048577", gate.TypeTrue, nil},
		{"min/4", gate.TypeTrue, nil},
		{"min/3", gate.TypeTrue, nil},
		{"else", gate.TypeTrue, nil},
	}
	var ops []gate.Op
	for _, k := range keys {
		actor := gate.OpRef{Counter: 1, Actor: 1}
		ops = append(ops, gate.Op{Obj: actor, Key: k.key, Action: gate.ActSet, Type: k.typ, Value: k.value})
	}
	genesis, err := gate.Parse(doc.Genesis(doc.ID{1}, "test"))
	must(t, err)
	raw, err := gate.Encode(gate.Change{Deps: d.Heads(), Actor: []byte{1}, Others: [][]byte{genesis.Actor}, Seq: 1, StartOp: 4}, func(yield func(*gate.Op) bool) {
		for i := range ops {
			yield(&ops[i])
		}
	})
	must(t, err)
	_, err = d.Apply(raw)
	must(t, err)
	got := marks(t, d)
	text := ""
	for _, v := range got.Versions {
		text += fmt.Sprintf("%d %x %v\n", v.Version, v.Print[0], v.Lineage)
	}
	want := "1 2 []\n2 2 []\n2 3 []\n2 4 []\n3 2 []\n1048576 5 []\n"
	if text != want || got.MinWriter != 4 || got.App != "test" {
		t.Errorf("the marks say\n%s%+v", text, got)
	}
	edit(t, d, func(tx *doc.Tx) error { return tx.MarkSchema(lineage(1, 2)) }) // over one that does not read
	if got := marks(t, d).Versions[1]; !reflect.DeepEqual(got.Lineage, lineage(1, 2)) {
		t.Errorf("it stayed as it was: %+v", got)
	}
}

// Undo, taking back and reverting leave the marks where they are.
func TestSchemaMarksStay(t *testing.T) {
	u := newUser(t)
	u.edit(set("/n", 1))
	before := u.Heads()
	u.edit(func(tx *doc.Tx) error {
		must(t, tx.MarkSchema(lineage(1)))
		must(t, tx.RequireWriter(2))
		return tx.Set("/n", 2)
	})
	u.undo()
	wantJSON(t, u.Doc, `{"n":1}`)
	wantMarks(t, u.Doc, 2, lineage(1))
	u.redo()
	wantJSON(t, u.Doc, `{"n":2}`)
	u.edit(func(tx *doc.Tx) error { return tx.MarkSchema(lineage(1, 2)) })
	if e := u.undo(); len(e.Changes) != 0 {
		t.Error("the undo of a mark wrote something")
	}
	u.undo()
	_, err := u.TakeBack(doc.Note{}, u.Heads()...)
	must(t, err)
	_, err = u.Revert(before, doc.Note{})
	must(t, err)
	wantMarks(t, u.Doc, 2, lineage(1), lineage(1, 2))
	then, err := u.At(before)
	must(t, err)
	must(t, then.Content(func(c doc.Content) error {
		if m := c.Marks(); m.Versions != nil || m.MinWriter != 0 {
			t.Errorf("they were there before: %+v", m)
		}
		return nil
	}))
}

func TestSchemaMarksRefuse(t *testing.T) {
	d := open(t, doc.ID{1})
	bare, err := doc.New(doc.ID{2}, sevens{})
	must(t, err)
	for name, c := range map[string]struct {
		d  *doc.Doc
		fn func(*doc.Tx) error
	}{
		"no lineage":             {d, func(tx *doc.Tx) error { return tx.MarkSchema(nil) }},
		"too long":               {d, func(tx *doc.Tx) error { return tx.MarkSchema(make([][8]byte, doc.MaxSchemaVersion+1)) }},
		"no version":             {d, func(tx *doc.Tx) error { return tx.RequireWriter(0) }},
		"too great":              {d, func(tx *doc.Tx) error { return tx.RequireWriter(doc.MaxSchemaVersion + 1) }},
		"no genesis":             {bare, func(tx *doc.Tx) error { return tx.MarkSchema(lineage(1)) }},
		"no genesis to be asked": {bare, func(tx *doc.Tx) error { return tx.RequireWriter(1) }},
	} {
		n := c.d.Len()
		if _, err := c.d.Edit(doc.Note{}, c.fn); err == nil || c.d.Len() != n {
			t.Errorf("%s: %v, %d changes", name, err, c.d.Len())
		}
	}
	edit(t, d, func(tx *doc.Tx) error { return tx.MarkSchema(make([][8]byte, 1000)) })
	if got := marks(t, d).Versions; len(got) != 1 || len(got[0].Lineage) != 1000 {
		t.Errorf("a long lineage: %d", len(got))
	}
}
