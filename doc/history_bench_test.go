package doc_test

import (
	"testing"

	"tombolo/doc"
)

// large is a document with a text of 20,000 characters, typed one by one.
func large(b *testing.B) *doc.Doc {
	d := open(b, doc.ID{1})
	edit(b, d, func(tx *doc.Tx) error { return tx.Set("t", doc.Text("")) })
	for i := range 20_000 {
		edit(b, d, func(tx *doc.Tx) error { return tx.Text("t").Splice(i, 0, "x") })
	}
	return d
}

// The newest 50 entries of 20,000.
func BenchmarkHistory(b *testing.B) {
	d := large(b)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range d.History() {
			if n++; n == 50 {
				break
			}
		}
	}
}

// One word taken back and done again.
func BenchmarkUndo(b *testing.B) {
	d, u := large(b), doc.NewUndo(0)
	e, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Text("t").Splice(100, 5, "seven") })
	must(b, err)
	u.Did(e)
	b.ReportAllocs()
	for b.Loop() {
		_, err := d.Undo(u, doc.Note{})
		must(b, err)
		_, err = d.Redo(u, doc.Note{})
		must(b, err)
	}
}

func BenchmarkPosition(b *testing.B) {
	d := large(b)
	c, err := d.Cursor("t", 10_000)
	must(b, err)
	b.ReportAllocs()
	for b.Loop() {
		_, err := d.Position(c)
		must(b, err)
	}
}
