package doc_test

import (
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
)

func TestSeedUndo(t *testing.T) {
	u := newUser(t)
	other := open(t, doc.ID{7})
	u.edit(func(tx *doc.Tx) error {
		must(t, tx.Seed("/t", doc.Text("old text")))
		must(t, tx.Seed("/c", doc.Counter(1)))
		must(t, tx.Seed("/s", "s"))
		must(t, tx.Set("/row", m{}))
		must(t, tx.Text("/t").Splice(0, 3, "new"))
		must(t, tx.Add("/c", 5))
		return tx.Set("/s", "other")
	})
	seeded(t, other, seed("/t", doc.Text("old text")))
	edit(t, other, func(tx *doc.Tx) error { return tx.Text("/t").Splice(8, 0, "!") })
	wantJSON(t, u.Doc, `{"c":{"$counter":6},"row":{},"s":"other","t":{"$text":"new text"}}`)
	u.undo()
	wantJSON(t, u.Doc, `{"c":{"$counter":1},"s":"s","t":{"$text":"old text"}}`)
	merge(t, u.Doc, other)
	u.redo()
	wantJSON(t, u.Doc, `{"c":{"$counter":6},"row":{},"s":"other","t":{"$text":"new text!"}}`)
	u.edit(seed("/alone", m{"a": doc.Text("x")}))
	u.edit(seed("/row/alone", 1))
	for range 2 {
		if e := u.undo(); len(e.Changes) != 0 {
			t.Error("the undo of a seed wrote something")
		}
	}
	if got, err := u.Get("/alone/a"); err != nil || got != doc.Text("x") {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSeedUndoRedo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, u := open(t, doc.ID{1}), doc.NewUndo(0)
		fill(rt, d)
		e, err := d.Edit(doc.Note{Time: noon}, func(tx *doc.Tx) error {
			for range rapid.IntRange(1, 4).Draw(rt, "operations") {
				step(rt, tx) // that it may fail is another test's business
			}
			return nil
		})
		must(rt, err)
		u.Did(e)
		want, before := jsonOf(rt, d), d.Len()
		if !u.CanUndo() {
			return
		}
		back, err := d.Undo(u, doc.Note{})
		must(rt, err)
		if len(back.Changes) == 0 && (jsonOf(rt, d) != want || d.Len() != before) {
			rt.Fatal("an undo without changes changed something")
		}
		if u.CanRedo() {
			_, err = d.Redo(u, doc.Note{})
			must(rt, err)
		}
		if got := jsonOf(rt, d); got != want {
			rt.Fatalf("it is\n%s, was\n%s", got, want)
		}
	})
}

func TestSeedHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, other := open(t, doc.ID{1}), open(t, doc.ID{1})
		v := genTree(2).Draw(rt, "value")
		made := seeded(rt, d, seed("/a", v)).Changes
		edit(t, other, set("/a", 1))
		if rapid.Bool().Draw(rt, "first") {
			merge(rt, d, other)
		}
		made = append(made, seeded(rt, d, set("/b", m{}), seed("/b/a", v)).Changes...)
		for range 3 {
			d.Edit(doc.Note{Message: "test"}, func(tx *doc.Tx) error { return undoable(rt, tx) }) // that it may fail is another test's business
		}
		merge(rt, d, other)
		for _, d := range []*doc.Doc{d, other} {
			for _, c := range made {
				if e, err := d.Entry(c.Hash); err != nil || !e.Structural {
					rt.Fatalf("a seed or container is not known: %+v, %v", e, err)
				}
			}
			for e := range d.History() {
				if e.Structural && e.Message != "" {
					rt.Fatalf("an edit is taken for a seed: %+v", e)
				}
			}
		}
	})
}
