package doc_test

import (
	"testing"

	"tombolo/doc"
)

// Whatever two devices do to a Go array, it has its length on both.
func TestArraysKeepTheirLength(t *testing.T) {
	type shape struct {
		At   [3]int       `doc:"at"`
		Grid [2][2]string `doc:"grid"`
	}
	a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
	put := func(d *doc.Doc, s shape) { operations(t, d, "", s) }
	want := func(want ...shape) {
		t.Helper()
		merge(t, a, b)
		got, err := doc.Get[shape](a, "")
		must(t, err)
		for _, w := range want {
			if got == w {
				return
			}
		}
		t.Fatalf("it is %v, want one of %v", got, want)
	}
	one := shape{At: [3]int{1, 2, 3}, Grid: [2][2]string{{"a", "b"}, {"c", "d"}}}
	two := shape{At: [3]int{4, 5, 6}, Grid: [2][2]string{{"e", "f"}, {"g", "h"}}}
	put(a, one)
	put(b, two)
	merge(t, a, b) // of each field one of them counts
	put(a, one)
	want(one)

	// Shifted by one: the shortest difference would delete an element and insert one.
	left, right := one, one
	left.At, right.At = [3]int{2, 3, 4}, [3]int{0, 1, 2}
	put(a, left)
	put(b, right)
	merge(t, a, b)
	got, err := doc.Get[shape](b, "")
	must(t, err)
	for i, n := range got.At {
		if n != left.At[i] && n != right.At[i] {
			t.Errorf("element %d is %d, of %v and %v", i, n, left.At, right.At)
		}
	}
	left.Grid[0][0], right.Grid[1][1] = "A", "D"
	left.At, right.At = got.At, got.At
	put(a, left)
	put(b, right)
	both := left
	both.Grid[1][1] = "D"
	want(both)

	// Removed and set again, apart; and over a list of another length.
	edit(t, a, func(tx *doc.Tx) error { return tx.Remove("at") })
	merge(t, a, b)
	put(a, one)
	put(b, one)
	want(one)
	edit(t, a, func(tx *doc.Tx) error { return tx.Set("at", []int{1, 2, 3, 4}) })
	put(a, two)
	want(two)
}
