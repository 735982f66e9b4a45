package schema_test

import (
	"context"
	"testing"

	"tombolo/doc"
)

// plainWipe is what a program from before all versions does that writes the whole document as one map.
func plainWipe(t *testing.T, d *doc.Doc) {
	t.Helper()
	_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Put(map[string]any{"name": "plan", "tags": []any{"a", "b"}}) })
	plainCheck(t, err)
}

// What a program removes that writes the whole document as one map is reported, and a version from before has it.
func TestPlainWiped(t *testing.T) {
	p := plainSchema(t)
	d := plainLegacyDoc(t)
	h, v, _ := plainOpen(t, p, d)
	v["done"] = true
	plainSave(t, h, v)
	before := d.Heads()
	plainWipe(t, d)
	_, v, r := plainOpen(t, p, d)
	if r.Version != 0 || r.Removed != 3 || r.Future != 0 || v["done"] != false {
		t.Fatal(v, r)
	}
	_, err := d.Revert(before, doc.Note{})
	plainCheck(t, err)
	if _, v, r := plainOpen(t, p, d); r.Removed != 0 || v["done"] != true {
		t.Fatal(v, r)
	}
	plainWipe(t, d)
	h, v, _ = plainOpen(t, p, d) // or one goes on with what there is
	v["log"] = []any{"again"}
	plainSave(t, h, v)
	if _, v, r := plainOpen(t, p, d); r.Removed != 0 || r.Version != 3 || plainMust(t, v["log"]) != `["again"]` || v["done"] != false {
		t.Fatal(v, r)
	}
}

// What is written to a place while another device removes it is no data on its own: half of it would look like all.
func TestPlainWipedMeanwhile(t *testing.T) {
	p := plainSchema(t)
	a := plainLegacyDoc(t)
	h, v, _ := plainOpen(t, p, a)
	v["log"] = []any{"first"}
	plainSave(t, h, v)
	b := plainDoc(t, a)
	plainWipe(t, b)
	v["done"] = true
	plainSave(t, h, v)
	plainMeet(t, a, b)
	for _, d := range []*doc.Doc{a, b} {
		_, v, r := plainOpen(t, p, d)
		if r.Removed != 3 || r.Version != 0 || plainMust(t, v["title"]) != "null" && v["heading"] == nil {
			t.Fatal(v, r)
		}
	}
	h, v, _ = plainOpen(t, p, a)
	v["log"] = []any{"again"}
	plainSave(t, h, v)
	if err := h.Save(context.Background(), v); err != nil {
		t.Fatal(err)
	}
	plainMeet(t, a, b)
	for _, d := range []*doc.Doc{a, b} {
		if _, v, r := plainOpen(t, p, d); r.Removed != 0 || r.Version != 3 || plainMust(t, v["log"]) != `["again"]` {
			t.Fatal(v, r)
		}
	}
}
