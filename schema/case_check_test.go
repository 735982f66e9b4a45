package schema_test

import (
	"errors"
	"slices"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

var errOdd = errors.New("it is odd")

func even(n int64) error {
	if n%2 != 0 {
		return errOdd
	}
	return nil
}

// checked has a number that must be even in every kind of place.
func checked(t testing.TB, policy schema.Policy) (*schema.Schema, func(int) *schema.View[object]) {
	n := schema.Int("n", schema.Check(1, even), schema.Default(4), schema.OnInvalid(policy))
	return small(t, schema.V(1,
		schema.Object(schema.Root, n, schema.String("other"), schema.Nested("in", "In"), schema.Table("rows", "Row"), schema.List("list", schema.Int("", schema.Check(1, even)))),
		schema.Object("In", n, schema.String("other")), schema.Object("Row", n, schema.String("other"), schema.Nested("in", "In"))))
}

// odd writes what the check refuses, as a program that does not know it.
func odd(t testing.TB, d *doc.Doc) {
	raw(t, d, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{
			"n": 1, "in": map[string]any{"n": 3}, "list": []any{2, 5},
			"rows": map[string]any{"a": map[string]any{"n": 7, "in": map[string]any{"n": "x"}}},
		})
	})
}

// TestCase21Check: a check refuses what this program writes, and reports what others wrote, by its path; the value stays.
func TestCase21Check(t *testing.T) {
	for _, policy := range []schema.Policy{schema.UseDefault, schema.KeepRaw} {
		s, v := checked(t, policy)
		view, d := v(1), docOf(t, 1)
		odd(t, d)
		o, report, err := view.Read(d)
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for _, f := range report.Invalid {
			paths = append(paths, f.Path)
			if f.Path != "/rows/a/in/n" && !errors.Is(f, errOdd) {
				t.Error("the report does not say why:", f)
			}
		}
		slices.Sort(paths)
		want(t, "reported paths", paths, []string{"/in/n", "/list/1", "/n", "/rows/a/in/n", "/rows/a/n"})
		shows := map[schema.Policy]int64{schema.UseDefault: 4, schema.KeepRaw: 1}[policy]
		if o["n"] != shows {
			t.Errorf("policy %d shows %v", policy, o["n"])
		}
		if again, err := s.Validate(1, contentOf(t, d)); err != nil || len(again.Invalid) != 5 {
			t.Error("Validate reports", again, err)
		}
		err = try(view, d, func(o *object) {
			(*o)["other"] = "x"
			(*o)["in"].(object)["other"] = "y"
			(*o)["rows"].(object)["a"].(object)["other"] = "z"
		})
		if err != nil {
			t.Fatalf("policy %d: other fields cannot be written: %v", policy, err)
		}
		got, err := d.Get("")
		if err != nil {
			t.Fatal(err)
		}
		want(t, "stored", got, object{
			"n": 1, "other": "x", "in": object{"n": 3, "other": "y"}, "list": []int{2, 5},
			"rows": object{"a": object{"n": 7, "other": "z", "in": object{"n": "x"}}},
		})
		set(t, view, d, "n", int64(8))
		if got := get(t, view, d, "n"); got != int64(8) {
			t.Error("an invalid value cannot be replaced:", got)
		}
	}
}

// TestCase21CheckRefuses: what this program writes is checked in every place, and nothing of a refused edit stays.
func TestCase21CheckRefuses(t *testing.T) {
	_, v := checked(t, schema.UseDefault)
	view, d := v(1), docOf(t, 1)
	set(t, view, d, "rows", object{"a": object{"other": "r"}})
	for path, edit := range map[string]func(o object){
		"/n":           func(o object) { o["n"] = int64(1) },
		"/in/n":        func(o object) { o["in"].(object)["n"] = int64(1) },
		"/rows/a/n":    func(o object) { o["rows"].(object)["a"].(object)["n"] = int64(1) },
		"/rows/a/in/n": func(o object) { o["rows"].(object)["a"].(object)["in"].(object)["n"] = int64(1) },
		"/rows/b/n":    func(o object) { o["rows"].(object)["b"] = object{"n": int64(1)} },
		"/list/1":      func(o object) { o["list"] = []any{int64(2), int64(1)} },
	} {
		unchanged(t, d, "a refused edit", func() {
			err := try(view, d, func(o *object) { (*o)["other"] = "x"; edit(*o) })
			e, ok := errors.AsType[*schema.ValueError](err)
			if !ok || e.Path != path || !errors.Is(err, errOdd) {
				t.Errorf("%s: the error is %v", path, err)
			}
		})
	}
	failed := errors.New("the program's own")
	unchanged(t, d, "an edit that fails", func() {
		err := view.Update(t.Context(), schema.Of(d, nil), "", func(o *object) error { (*o)["n"] = int64(2); return failed })
		if !errors.Is(err, failed) {
			t.Error(err)
		}
	})
}

// TestCase21FailRead: with FailRead there is no value and no edit, and the error names all such fields.
func TestCase21FailRead(t *testing.T) {
	_, v := checked(t, schema.FailRead)
	view, d := v(1), docOf(t, 1)
	odd(t, d)
	unchanged(t, d, "what cannot be read", func() {
		_, _, err := view.Read(d)
		e, ok := errors.AsType[*schema.InvalidError](err)
		if !ok || !errors.Is(err, schema.ErrInvalid) || len(e.Fields) != 4 {
			t.Errorf("reading gives %v", err)
		}
		if err := trySet(view, d, "other", "x"); !errors.Is(err, schema.ErrInvalid) {
			t.Errorf("writing gives %v", err)
		}
	})
	type other struct {
		Other string `doc:"other"`
	}
	s, _ := checked(t, schema.FailRead)
	part := schema.MustBind[other](s, 1) // does not look at the others
	update(t, part, d, func(o *other) { o.Other = "x" })
	if got, err := d.Get("/n"); err != nil || got != int64(1) {
		t.Error("the invalid value became", got, err)
	}
}

// TestCase21ListKeepsElements: an element that does not fit stays when another one of the list is edited.
func TestCase21ListKeepsElements(t *testing.T) {
	_, v := checked(t, schema.UseDefault)
	d := docOf(t, 1)
	odd(t, d)
	err := try(v(1), d, func(o *object) { (*o)["list"] = append((*o)["list"].([]any), int64(8)) })
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Get("/list")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "stored", got, []int{2, 5, 8})
}

// contentOf is a content to be kept: of a snapshot.
func contentOf(t failer, d *doc.Doc) doc.Content {
	t.Helper()
	marks, err := d.Marks()
	if err != nil {
		t.Fatal(err)
	}
	json, err := d.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	s, err := doc.ParseSnapshot(json)
	if err != nil {
		t.Fatal(err)
	}
	return s.Content(d.ID(), marks)
}
