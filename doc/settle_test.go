package doc_test

import (
	"testing"

	"tombolo/doc"
)

// Setting a path to what is shown there settles a conflict, of containers, too, and keeps what is in them; setting what holds it writes nothing.
func TestSettle(t *testing.T) {
	for _, c := range []struct {
		path string
		v    [2]any
	}{
		{"k", [2]any{"one", "two"}},
		{"/l/1", [2]any{"one", "two"}},
		{"/l/1", [2]any{map[string]any{"x": 1}, map[string]any{"y": []any{2}}}},
		{"/l/1", [2]any{doc.Text("ab"), doc.Counter(3)}},
		{"k", [2]any{doc.Text("ab"), 7}},
	} {
		a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
		edit(t, a, func(tx *doc.Tx) error { return tx.Set("l", []any{0, 0}) })
		merge(t, a, b)
		operations(t, a, c.path, c.v[0])
		operations(t, b, c.path, c.v[1])
		merge(t, a, b)
		if cs, err := a.Conflicts(c.path); err != nil || len(cs) != 2 {
			t.Fatalf("%s: %v, %v", c.path, cs, err)
		}
		shown, err := a.Get(c.path)
		must(t, err)
		writesNothing(t, a, "", tree(t, a))
		if n := operations(t, a, c.path, shown); n != 1 {
			t.Errorf("settling takes %d operations", n)
		}
		cs, err := a.Conflicts(c.path)
		if err != nil || len(cs) != 1 || !doc.Equal(cs[0].Value, shown) {
			t.Errorf("%s: %v, %v; want %v alone", c.path, cs, err, shown)
		}
		writesNothing(t, a, c.path, shown)
		merge(t, a, b)
		if paths, err := b.AllConflicts(); err != nil || len(paths) != 0 {
			t.Errorf("%v, %v", paths, err)
		}
	}
}
