package doc_test

import (
	"maps"
	"slices"
	"testing"

	"tombolo/doc"
)

func TestGetTyped(t *testing.T) {
	d := open(t, doc.ID{1})
	editAt(t, d, 0, func(tx *doc.Tx) error {
		must(t, tx.Set("tags", []string{"a", "b"}))
		tags, err := doc.Get[[]string](tx, "/tags")
		if !slices.Equal(tags, []string{"a", "b"}) {
			t.Errorf("inside %v", tags)
		}
		return err
	})
	if first, err := doc.Get[string](d, "/tags/0"); err != nil || first != "a" {
		t.Errorf("%q, %v", first, err)
	}
	for _, path := range []string{"/none", "/tags", "~"} {
		if _, err := doc.Get[int](d, path); err == nil {
			t.Errorf("%s is an int", path)
		}
	}
}

func TestSet(t *testing.T) {
	var s doc.Set[int]
	if s.Has(1) || s.Len() != 0 || len(slices.Collect(s.All())) != 0 {
		t.Error("a nil set has something")
	}
	s.Delete(1)
	s.Add(3, 1, 2, 1)
	s.Delete(2, 7)
	if !s.Has(1) || s.Has(2) || s.Len() != 2 || !slices.Equal(slices.Sorted(s.All()), []int{1, 3}) {
		t.Errorf("it has %v", s)
	}
}

// What devices add to a set and remove from it at the same time merges by element.
func TestSetsMerge(t *testing.T) {
	type colours struct {
		Set  doc.Set[string] `doc:"set"`
		Nums doc.Set[int8]   `doc:"nums,omitempty"`
	}
	a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
	write := func(d *doc.Doc, fn func(*colours)) {
		t.Helper()
		editAt(t, d, 0, func(tx *doc.Tx) error {
			c, err := doc.Get[colours](tx, "")
			must(t, err)
			fn(&c)
			return tx.Put(c)
		})
	}
	write(a, func(c *colours) { c.Set.Add("red", "green") })
	write(b, func(c *colours) { c.Set.Add("blue", "red"); c.Nums.Add(-1, 5) })
	merge(t, a, b)
	wantJSON(t, a, `{"nums":{"-1":true,"5":true},"set":{"blue":true,"green":true,"red":true}}`)
	write(a, func(c *colours) { c.Set.Delete("red"); c.Nums.Delete(-1, 5) })
	write(b, func(c *colours) { c.Set.Delete("blue"); c.Set.Add("pink") })
	merge(t, a, b)
	wantJSON(t, b, `{"set":{"green":true,"pink":true}}`)
	got, err := doc.Get[colours](a, "")
	must(t, err)
	if !maps.Equal(got.Set, doc.SetOf("green", "pink")) || got.Nums.Len() != 0 {
		t.Errorf("it reads %+v", got)
	}
	if got, err := doc.Get[doc.Set[string]](a, "/set"); err != nil || got.Len() != 2 {
		t.Errorf("%v, %v", got, err)
	}
}
