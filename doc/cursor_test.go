package doc_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
)

func cursor(t fataler, d *doc.Doc, path string, at int) doc.Cursor {
	t.Helper()
	c, err := d.Cursor(path, at)
	must(t, err)
	b, err := c.MarshalText()
	must(t, err)
	var back doc.Cursor
	must(t, back.UnmarshalText(b))
	if back != c {
		t.Fatalf("%s reads back as %v", b, back)
	}
	return back
}

func wantPosition(t fataler, d *doc.Doc, c doc.Cursor, want int) {
	t.Helper()
	if got, err := d.Position(c); err != nil || got != want {
		t.Fatalf("the cursor stands at %d, %v, want %d", got, err, want)
	}
}

func TestCursorStays(t *testing.T) {
	a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
	edit(t, a, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"t": doc.Text("h😀llo"), "rows": []any{[]any{1, 2, 3}}})
	})
	merge(t, a, b)
	l, end, elem := cursor(t, a, "t", 2), cursor(t, a, "t", 5), cursor(t, a, "/rows/0", 1)
	edit(t, b, func(tx *doc.Tx) error {
		return errors.Join(tx.Text("t").Splice(0, 1, "¡H"), tx.Text("t").Splice(6, 0, "!"), tx.List("/rows/0").Insert(0, 0))
	})
	merge(t, a, b)
	for _, d := range []*doc.Doc{a, b} {
		wantPosition(t, d, l, 3)
		wantPosition(t, d, end, 7)
		wantPosition(t, d, elem, 2)
	}
	edit(t, a, func(tx *doc.Tx) error {
		must(t, tx.Text("t").Splice(1, 4, ""))
		must(t, tx.List("/rows/0").Delete(2, 1))
		if at, err := tx.Position(l); err != nil || at != 1 {
			t.Errorf("in the transaction it stands at %d, %v", at, err)
		}
		return nil
	})
	wantPosition(t, a, l, 1) // where its character was
	wantPosition(t, a, elem, 2)
	wantPosition(t, b, cursor(t, b, "t", 2), 2)
}

// A character that was deleted and brought back by an undo is the same one.
func TestCursorAfterUndo(t *testing.T) {
	d, u := open(t, doc.ID{1}), doc.NewUndo(0)
	edit(t, d, func(tx *doc.Tx) error { return tx.Set("t", doc.Text("abcd")) })
	c := cursor(t, d, "t", 2)
	e, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Text("t").Splice(1, 2, "") })
	must(t, err)
	u.Did(e)
	wantPosition(t, d, c, 1)
	_, err = d.Undo(u, doc.Note{})
	must(t, err)
	wantPosition(t, d, c, 2)
}

// Whatever others do, a cursor stays before its character as long as that is there, and within the text always.
func TestCursorAmongOthers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
		const start = "abcdefgh"
		_, err := a.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("t", doc.Text(start)) })
		must(rt, err)
		merge(rt, a, b)
		at := rapid.IntRange(0, len(start)-1).Draw(rt, "at")
		c := cursor(rt, a, "t", at)
		for range rapid.IntRange(0, 8).Draw(rt, "edits") {
			d := rapid.SampledFrom([]*doc.Doc{a, b}).Draw(rt, "device")
			_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
				v, err := tx.Get("t")
				must(rt, err)
				n := len([]rune(v.(doc.Text)))
				from := rapid.IntRange(0, n).Draw(rt, "from")
				del := rapid.IntRange(0, min(3, n-from)).Draw(rt, "del")
				return tx.Text("t").Splice(from, del, rapid.SampledFrom([]string{"", "X", "é😀"}).Draw(rt, "text"))
			})
			must(rt, err)
		}
		merge(rt, a, b)
		v, err := b.Get("t")
		must(rt, err)
		text := []rune(v.(doc.Text))
		got, err := b.Position(c)
		must(rt, err)
		if got < 0 || got > len(text) {
			rt.Fatalf("it stands at %d in %q", got, string(text))
		}
		for i, r := range text {
			if r == rune(start[at]) && got != i {
				rt.Fatalf("it stands at %d in %q, was before %q", got, string(text), r)
			}
		}
	})
}

func TestCursorErrors(t *testing.T) {
	d, other := open(t, doc.ID{1}), open(t, doc.ID{1})
	edit(t, d, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"t": doc.Text("abc"), "l": []any{doc.Text("x")}, "k": 1, "m": map[string]any{}})
	})
	for _, c := range []struct {
		path string
		at   int
	}{{"t", -1}, {"t", 4}, {"k", 0}, {"m", 0}, {"", 0}, {"no", 0}, {"/~", 0}} {
		if _, err := d.Cursor(c.path, c.at); err == nil {
			t.Errorf("%v", c)
		}
	}
	in, inner := cursor(t, d, "t", 1), cursor(t, d, "/l/0", 0)
	for _, c := range []doc.Cursor{{}, in, inner} {
		if at, err := other.Position(c); !errors.Is(err, doc.ErrCursorGone) {
			t.Errorf("in a document without the text: %d, %v", at, err)
		}
	}
	var kept *doc.Tx
	edit(t, d, func(tx *doc.Tx) error {
		kept = tx
		must(t, tx.Text("t").Splice(0, 0, "new"))
		if _, err := tx.Cursor("t", 0); err == nil {
			t.Error("a cursor at what has no name yet")
		}
		if c, err := tx.Cursor("t", 4); err != nil || c != in {
			t.Errorf("%v, %v", c, err)
		}
		must(t, tx.Set("/l/-", doc.Text("")))
		if _, err := tx.Cursor("/l/1", 0); err == nil {
			t.Error("a cursor in a text that has no name yet")
		}
		return nil
	})
	if _, err := kept.Cursor("t", 0); err == nil {
		t.Error("the transaction is over")
	}
	if _, err := kept.Position(in); err == nil {
		t.Error("the transaction is over")
	}
	wantPosition(t, d, in, 4)
	edit(t, d, func(tx *doc.Tx) error { return errors.Join(tx.Remove("t"), tx.List("l").Delete(0, 1)) })
	for _, c := range []doc.Cursor{in, inner} {
		if at, err := d.Position(c); !errors.Is(err, doc.ErrCursorGone) {
			t.Errorf("in a removed text: %d, %v", at, err)
		}
	}
	for _, text := range []string{"x", "1@aa", "1@aa/", "0@aa/end", "1@aa/2", "1@AA/end", "01@aa/end", "1@/end", "1@aa/end/", "99999999999@aa/end", "1@a/end"} {
		c := in
		if err := c.UnmarshalText([]byte(text)); err == nil || c != in {
			t.Errorf("%q reads as %v", text, c)
		}
	}
	if c := in; c.UnmarshalText(nil) != nil || c != (doc.Cursor{}) {
		t.Error("nothing is the zero Cursor")
	}
	if b, err := (doc.Cursor{}).MarshalText(); err != nil || len(b) > 0 {
		t.Errorf("the zero Cursor is %q, %v", b, err)
	}
}
