package schema_test

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/schema"
)

// TestCase26UnknownKeys: what a version does not know stays where it is, in the document, in nested objects and in records.
func TestCase26UnknownKeys(t *testing.T) {
	for _, view := range []func(d *doc.Doc){
		func(d *doc.Doc) {
			update(t, view1, d, func(i *issue1) {
				i.Color, i.Settings.Theme, i.Todos["t"], i.Todos["u"] = "red", "dark", todo1{Text: "x"}, todo1{Text: "new"}
			})
		},
		func(d *doc.Doc) {
			err := try(whole(t, issues(), 1), d, func(o *object) {
				(*o)["color"], (*o)["settings"] = "red", object{"theme": "dark"}
				(*o)["todos"] = object{"t": object{"text": doc.Text("x")}, "u": object{"text": doc.Text("new")}}
			})
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		d := docOf(t, 1)
		raw(t, d, func(tx *doc.Tx) error {
			return tx.Put(map[string]any{
				"future": map[string]any{"deep": []any{1, "two"}}, "settings": map[string]any{"future": true, "theme": "light"},
				"todos": map[string]any{"t": map[string]any{"future": doc.Text("kept"), "text": doc.Text("")}},
			})
		})
		view(d)
		got, err := d.Get("")
		if err != nil {
			t.Fatal(err)
		}
		want(t, "stored", got, object{
			"future": object{"deep": []any{1, "two"}}, "settings": object{"future": true, "theme": "dark"}, "color": "red",
			"todos": object{"t": object{"future": "kept", "text": "x"}, "u": object{"text": "new"}},
		})
	}
}

// TestCase26NestedNeverReplaced: devices that edit different fields of one nested object or record at the same time edit the same object.
func TestCase26NestedNeverReplaced(t *testing.T) {
	s, v := small(t,
		schema.V(1, schema.Object(schema.Root, schema.Nested("in", "In"), schema.Table("rows", "In")), schema.Object("In", schema.String("a"), schema.String("b"), schema.Nested("deep", "Deep")),
			schema.Object("Deep", schema.Set("c"))),
		schema.V(2, schema.Add("In", schema.List("l", schema.Int("")))))
	a, b := docOf(t, 1), docOf(t, 2)
	whole := func(field, value string, elem string) object {
		return object{field: value, "deep": object{"c": object{elem: true}}}
	}
	set(t, v(1), a, "in", whole("a", "1", "x"), "rows", object{"r": whole("a", "1", "x")})
	set(t, v(2), b, "in", whole("b", "2", "y"), "rows", object{"r": whole("b", "2", "y")})
	share(t, a, b)
	set(t, v(1), a, "in", object{"a": "3"}) // with fields left out
	set(t, v(2), b, "in", object{"l": []any{int64(1)}})
	share(t, a, b)
	sameViews(t, s, a, b)
	o, _, err := v(2).Read(a)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "both", o, object{
		"in":   object{"a": "3", "b": "2", "deep": object{"c": object{"x": true, "y": true}}, "l": []int{1}},
		"rows": object{"r": object{"a": "1", "b": "2", "deep": object{"c": object{"x": true, "y": true}}, "l": []int{}}},
	})
	if at, err := a.AllConflicts(); err != nil || len(at) > 0 {
		t.Error("there are conflicts at", at, err)
	}
}

// TestCase26RowDeleted: a record stays deleted, whatever a newer version writes into it meanwhile; restored, it has all of that. Its ID is used up.
func TestCase26RowDeleted(t *testing.T) {
	a, b := docOf(t, 1), docOf(t, 2)
	update(t, view1, a, func(i *issue1) { i.Todos = map[string]todo1{"t": {Text: "look"}, "u": {}} })
	share(t, a, b)
	update(t, view1, a, func(i *issue1) { delete(i.Todos, "t") })
	update(t, view3, b, func(i *issue3) { i.Todos["t"] = todo3{Text: "look up", Notes: "twice"} })
	share(t, a, b)
	sameViews(t, issues(), a, b)
	if got := read(t, view3, b).Todos; len(got) != 1 {
		t.Errorf("the record is still there: %v", got)
	}
	for _, d := range []*doc.Doc{a, b} {
		unchanged(t, d, "an ID used again", func() {
			err := try(view3, d, func(i *issue3) { i.Todos["t"] = todo3{Text: "new"}; i.Priority = 9 })
			if !errors.Is(err, doc.ErrRecordDeleted) {
				t.Error(err)
			}
			if err := view3.Text(schema.Of(d, nil), "todos", "t", "notes").Splice(context.Background(), 0, 0, "x"); !errors.Is(err, doc.ErrNoRecord) && !errors.Is(err, doc.ErrRecordDeleted) {
				t.Error(err)
			}
		})
	}
	rows := doc.MustTable[rawTodo3]("/todos")
	raw(t, a, func(tx *doc.Tx) error { return rows.Restore(tx, "t") })
	share(t, a, b)
	if got := read(t, view3, b).Todos["t"]; got != (todo3{Text: "look up", Notes: "twice"}) {
		t.Errorf("restored is %+v", got)
	}
	unchanged(t, a, "a refused ID", func() {
		for _, id := range []string{"", "$x", "$deleted"} {
			if err := try(view3, a, func(i *issue3) { i.Todos[id] = todo3{} }); err == nil {
				t.Errorf("the ID %q was taken", id)
			}
		}
	})
	update(t, view3, a, func(i *issue3) { i.Todos = nil })
	if got := read(t, view1, a).Todos; len(got) != 0 {
		t.Errorf("after all were deleted there are %v", got)
	}
}

// TestCase27Unicode: a text that is set as a whole is edited by code points, so what others write in it meanwhile stays in its place.
func TestCase27Unicode(t *testing.T) {
	for _, c := range []struct{ old, left, right, both string }{
		{"a👍b", "a👍🏽b", "a👍bc", "a👍🏽bc"},
		{"👩‍👧x", "👩‍👩‍👧x", "👩‍👧x!", "👩‍👩‍👧x!"},
		{"cafe", "cafe\u0301", "a cafe", "a cafe\u0301"},
		{"e\u0301te", "\u00e9te", "e\u0301te\u0301", "\u00e9te\u0301"},
		{"one\r\ntwo", "one\ntwo", "one\r\ntwo\r\n", "one\ntwo\r\n"},
		{"日本", "日本語", "大日本", "大日本語"},
		{"", "\x00\u2028\ufeff", "", "\x00\u2028\ufeff"},
	} {
		a, b := docOf(t, 1), docOf(t, 2)
		update(t, view1, a, func(i *issue1) { i.Title, i.Todos = c.old, map[string]todo1{"t": {Text: c.old}} })
		share(t, a, b)
		update(t, view1, a, func(i *issue1) { i.Title, i.Todos["t"] = c.left, todo1{Text: c.left} })
		update(t, view3, b, func(i *issue3) { i.Name, i.Todos["t"] = c.right, todo3{Text: c.right} })
		share(t, a, b)
		one, three := read(t, view1, b), read(t, view3, a)
		if one.Title != c.both || three.Name != c.both || one.Todos["t"].Text != c.both {
			t.Errorf("%q edited to %q and %q shows %q, %q and %q", c.old, c.left, c.right, one.Title, three.Name, one.Todos["t"].Text)
		}
	}
}

// TestCase27AnyText: what is set is what is read, and positions count code points.
func TestCase27AnyText(t *testing.T) {
	letters := rapid.SliceOfN(rapid.SampledFrom([]rune("ab \r\né\u0301👍🏽\u200d日")), 0, 12)
	rapid.Check(t, func(t *rapid.T) {
		d, ctx := docOf(t, 1), context.Background()
		for range 4 {
			s := string(letters.Draw(t, "text"))
			if err := try(view3, d, func(i *issue3) { i.Name, i.Body = s, s }); err != nil {
				t.Fatal(err)
			}
			at := rapid.IntRange(0, len([]rune(s))).Draw(t, "at")
			del := rapid.IntRange(0, len([]rune(s))-at).Draw(t, "del")
			ins := string(letters.Draw(t, "insert"))
			for _, field := range []string{"name", "body"} {
				if err := view3.Text(schema.Of(d, nil), field).Splice(ctx, at, del, ins); err != nil {
					t.Fatal(err)
				}
			}
			want := string([]rune(s)[:at]) + ins + string([]rune(s)[at+del:])
			got, _, err := view3.Read(d)
			if err != nil || got.Name != want || got.Body != want {
				t.Fatalf("%q and %q instead of %q, %v", got.Name, got.Body, want, err)
			}
		}
	})
}
