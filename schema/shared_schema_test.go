package schema_test

import (
	"fmt"
	"sync"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// TestConflictPaths: conflicts have the paths of the newest version, also in nested objects and after a field was renamed or moved.
func TestConflictPaths(t *testing.T) {
	s, v := small(t,
		schema.V(1, schema.Object(schema.Root, schema.Nested("in", "In"), schema.Bool("done")), schema.Object("In", schema.Bool("done"))),
		schema.V(2, schema.Map("In", "done", "status", doneStatus), schema.Map(schema.Root, "done", "status", doneStatus)),
		schema.V(3, schema.Rename("In", "status", "now"), schema.Hoist(schema.Root, "in.now", "inner"), schema.Rename(schema.Root, "status", "outer")))
	a, b := docOf(t, 1), docOf(t, 2)
	set(t, v(2), a, "in", object{"status": "doing"}, "status", "doing")
	share(t, a, b)
	set(t, v(2), a, "in", object{"status": "archived"}, "status", "archived")
	set(t, v(2), b, "in", object{"status": "done"}, "status", "done")
	share(t, a, b)
	set(t, v(1), a, "in", object{"done": false}, "done", false)
	got, err := s.Conflicts(a)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 {
		t.Error(got)
	}
	for _, c := range got {
		if c.Path != "/inner" && c.Path != "/outer" {
			t.Error("path", c.Path)
		}
	}
}

// TestParallelDocuments: documents that share a schema are read and written at the same time.
func TestParallelDocuments(t *testing.T) {
	var docs []*doc.Doc
	for k := range 4 {
		d := docOf(t, byte(k+1))
		update(t, view1, d, func(i *issue1) { i.FullName, i.Done, i.Body = fmt.Sprint("Ann ", k), k%2 == 0, fmt.Sprint(k) })
		update(t, view3, d, func(i *issue3) { i.First, i.State, i.Body = fmt.Sprint("F", k), "doing", fmt.Sprint("x", k) })
		docs = append(docs, d)
	}
	var wg sync.WaitGroup
	for k := range 4 {
		for range 2 {
			wg.Go(func() {
				for n := range 200 {
					got, _, err := view3.Read(docs[k])
					if err != nil || got.First[:1] != "F" || got.Last != fmt.Sprint(k) || got.State != "doing" {
						t.Error(got, err)
					}
					if n%50 == 0 {
						if err := try(view3, docs[k], func(i *issue3) { i.First = fmt.Sprint("F", n) }); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
	}
	wg.Wait()
}

// TestEditsInOneTransaction: each edit of a transaction sees those before it, also of other versions.
func TestEditsInOneTransaction(t *testing.T) {
	twice := func(n byte) *doc.Doc {
		d := docOf(t, n)
		raw(t, d, func(tx *doc.Tx) error {
			if err := view3.Edit(tx, func(i *issue3) error { i.First, i.Body, i.State = "a", "x", "doing"; return nil }); err != nil {
				return err
			}
			if err := view3.Edit(tx, func(i *issue3) error {
				if i.First != "a" || i.Body != "x" || i.State != "doing" {
					t.Error("the second sees", i)
				}
				i.Last, i.Body, i.Archived, i.Todos = "b", "xy", true, map[string]todo3{"t": {Notes: "n"}}
				return nil
			}); err != nil {
				return err
			}
			return view1.Edit(tx, func(i *issue1) error { i.FullName = "Kim Quinn"; i.Done = false; return nil })
		})
		return d
	}
	a := twice(1)
	got := read(t, view3, a)
	if got.First != "Kim" || got.Last != "Quinn" || got.Body != "xy" || got.State != "todo" && got.State != "doing" || got.Todos["t"].Notes != "n" {
		t.Errorf("%+v", got)
	}
	b := twice(2)
	share(t, a, b)
	sameViews(t, issues(), a, b)
}
