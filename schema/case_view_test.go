package schema_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

// TestNotOurs: a document of another application, or one without a beginning, is neither read nor written.
func TestNotOurs(t *testing.T) {
	id := doc.NamedID(app, "test")
	empty, err := doc.New(id, bytes.NewReader(make([]byte, 16)))
	if err != nil {
		t.Fatal(err)
	}
	other, err := doc.Load(id, [][]byte{doc.Genesis(id, "com.example.other")}, bytes.NewReader(make([]byte, 16)))
	if err != nil {
		t.Fatal(err)
	}
	s, ctx := issues(), context.Background()
	for _, d := range []*doc.Doc{empty, other} {
		unchanged(t, d, "a document of others", func() {
			_, _, read := view3.Read(d)
			_, settled := s.Settle(ctx, schema.Of(d, nil))
			_, conflicts := s.Conflicts(d)
			for what, err := range map[string]error{
				"Read": read, "Update": try(view3, d, func(i *issue3) { i.Name = "x" }), "Settle": settled, "Conflicts": conflicts,
				"Splice": view3.Text(schema.Of(d, nil), "name").Splice(ctx, 0, 0, "x"),
			} {
				if !errors.Is(err, schema.ErrNotOurs) {
					t.Errorf("%s gives %v", what, err)
				}
			}
			if st, err := s.Inspect(d); err != nil || st.Writable || !errors.Is(st.Why, schema.ErrNotOurs) {
				t.Error("Inspect gives", st, err)
			}
		})
	}
}

// TestCountersBegunApart: counters that several devices begin to count at the same time are one counter.
func TestCountersBegunApart(t *testing.T) {
	a, b, c := docOf(t, 1), docOf(t, 2), docOf(t, 3)
	update(t, view1, a, func(i *issue1) { i.Votes = 2 })
	update(t, view3, b, func(i *issue3) { i.Votes = 3 })
	update(t, view3, c, func(i *issue3) { i.Votes = -1 })
	share(t, a, b, c)
	for _, d := range []*doc.Doc{a, b, c} {
		if got := read(t, view3, d).Votes; got != 4 {
			t.Errorf("the devices counted 2, 3 and -1, which is shown as %d", got)
		}
	}
	update(t, view1, a, func(i *issue1) { i.Votes-- })
	update(t, view3, b, func(i *issue3) { i.Votes = 10 })
	share(t, a, b, c)
	if got := read(t, view1, c).Votes; got != 9 {
		t.Errorf("the devices went on by -1 and 6 from 4, which is shown as %d", got)
	}
}

// TestWrap: a set that was one string shows that among its elements, and gives older versions one to show.
func TestWrap(t *testing.T) {
	a, b := docOf(t, 1), docOf(t, 2)
	elements := func(want ...string) {
		t.Helper()
		if got := read(t, view3, a).Assignees; !slices.Equal(got, want) {
			t.Errorf("the set shows %q, want %q", got, want)
		}
	}
	elements()
	update(t, view1, a, func(i *issue1) { i.Assignee = "ann" })
	elements("ann")
	share(t, a, b)
	update(t, view3, b, func(i *issue3) { i.Assignees = append(i.Assignees, "bob") })
	update(t, view1, a, func(i *issue1) { i.Assignee = "kim" }) // in the place of ann
	share(t, a, b)
	elements("bob", "kim")
	update(t, view3, a, func(i *issue3) { i.Assignees = []string{"bob"} })
	elements("bob")
	if got := read(t, view1, a).Assignee; got != "bob" {
		t.Errorf("version 1 shows %q", got)
	}
	update(t, view3, a, func(i *issue3) { i.Assignees = nil })
	elements()
	if got := read(t, view1, a).Assignee; got != "" {
		t.Errorf("version 1 shows %q", got)
	}
	update(t, view1, a, func(i *issue1) { i.Assignee = "zoe" })
	elements("zoe")
	unchanged(t, a, "an empty element", func() {
		if err := try(view3, a, func(i *issue3) { i.Assignees = []string{""} }); err == nil {
			t.Error("it was taken")
		}
	})
}

// TestMoves: fields that are hoisted and plunged are the same fields, nested and in tables, in all versions.
func TestMoves(t *testing.T) {
	_, v := small(t,
		schema.V(1,
			schema.Object(schema.Root, schema.Text("note"), schema.Nested("in", "In"), schema.Table("rows", "Row")),
			schema.Object("In", schema.Text("a"), schema.Set("b"), schema.Nested("deep", "Deep")), schema.Object("Deep", schema.Int("n"), schema.List("l", schema.String(""))),
			schema.Object("Row", schema.Nested("in", "In"), schema.Counter("c"))),
		schema.V(2, schema.Hoist(schema.Root, "in.a", "a"), schema.Hoist(schema.Root, "in.deep", "deep"), schema.Plunge(schema.Root, "note", "in.note"),
			schema.Hoist("Row", "in.deep.l", "l"), schema.Plunge("Row", "c", "in.deep.c")),
		schema.V(3, schema.Plunge(schema.Root, "a", "deep.a"), schema.Hoist(schema.Root, "in.note", "note"), schema.Rename("Row", "l", "list")))
	a, b := docOf(t, 1), docOf(t, 2)
	set(t, v(1), a, "note", doc.Text("N"), "in", object{"a": doc.Text("A"), "b": object{"x": true}, "deep": object{"n": int64(1), "l": []any{"1"}}},
		"rows", object{"r": object{"in": object{"deep": object{"l": []any{"2"}}}, "c": doc.Counter(1)}})
	share(t, a, b)
	set(t, v(2), a, "a", doc.Text("A2"), "deep", object{"l": []any{"1", "two"}}, "in", object{"note": doc.Text("N2"), "b": object{"x": true, "y": true}},
		"rows", object{"r": object{"l": []any{"2", "two"}, "in": object{"deep": object{"c": doc.Counter(3)}}}})
	set(t, v(3), b, "deep", object{"a": doc.Text("3A"), "l": []any{"three", "1"}}, "note", doc.Text("3N"),
		"rows", object{"r": object{"list": []any{"three", "2"}, "in": object{"deep": object{"c": doc.Counter(5)}}}})
	share(t, a, b)
	one, _, err := v(1).Read(b)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "version 1", one, object{
		"note": "3N2", "in": object{"a": "3A2", "b": object{"x": true, "y": true}, "deep": object{"n": 1, "l": []string{"three", "1", "two"}}},
		"rows": object{"r": object{"c": 7, "in": object{"a": "", "b": object{}, "deep": object{"n": nil, "l": []string{"three", "2", "two"}}}}},
	})
	two, _, _ := v(2).Read(a)
	want(t, "version 2", two, object{
		"a": "3A2", "deep": object{"n": 1, "l": []string{"three", "1", "two"}}, "in": object{"note": "3N2", "b": object{"x": true, "y": true}},
		"rows": object{"r": object{"l": []string{"three", "2", "two"}, "in": object{"a": "", "b": object{}, "deep": object{"n": nil, "c": 7}}}},
	})
}

// TestListOfObjects: elements are written as a whole, and those that are equal stay.
func TestListOfObjects(t *testing.T) {
	type point struct {
		X float64 `doc:"x"`
		Y float64 `doc:"y"`
	}
	type line struct {
		Line []point `doc:"line"`
	}
	v := schema.MustBind[line](schema.MustNew(app, everything()...), 3)
	a, b := docOf(t, 1), docOf(t, 2)
	update(t, v, a, func(l *line) { l.Line = []point{{1, 1}, {2, 2}, {3, 3}} })
	share(t, a, b)
	update(t, v, a, func(l *line) { l.Line = append(l.Line, point{4, 0}) })
	update(t, v, b, func(l *line) { l.Line = slices.Insert(l.Line, 0, point{}) })
	share(t, a, b)
	want(t, "the line", read(t, v, a).Line, []point{{}, {1, 1}, {2, 2}, {3, 3}, {4, 0}})
	update(t, v, a, func(l *line) { l.Line = slices.Delete(l.Line, 1, 3) })
	update(t, v, b, func(l *line) { l.Line[3].Y = 9 })
	share(t, a, b)
	want(t, "the line", read(t, v, b).Line, []point{{}, {3, 9}, {4, 0}})
	unchanged(t, a, "the same line", func() { update(t, v, a, func(l *line) { l.Line = slices.Clone(l.Line) }) })
	m := whole(t, schema.MustNew(app, everything()...), 3)
	unchanged(t, a, "an element that does not fit", func() {
		for _, elem := range []any{"x", object{"z": 1.0}, object{"x": "1"}} {
			if _, ok := errors.AsType[*schema.ValueError](trySet(m, a, "line", []any{elem})); !ok {
				t.Errorf("%v was taken", elem)
			}
		}
	})
}

// TestConflicts: both kinds of what lost are listed: of concurrent writes of a register, and of a group that versions wrote apart.
func TestConflicts(t *testing.T) {
	s := issues()
	a, b := named(t)
	update(t, view1, a, func(i *issue1) { i.Settings.Theme, i.Todos = "dark", map[string]todo1{"t": {}} })
	update(t, view3, b, func(i *issue3) { i.Theme, i.Todos = "blue", map[string]todo3{"t": {}} })
	share(t, a, b)
	winner := read(t, view3, a).Theme
	lost := map[string]string{"dark": "blue", "blue": "dark"}[winner]
	got, err := s.Conflicts(a)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "conflicts", got, []schema.Conflict{{Path: "/theme", Value: lost}})
	update(t, view3, b, func(i *issue3) { i.Theme = "none" })
	share(t, a, b)
	update(t, view1, a, func(i *issue1) { i.Settings.Theme = "same" })
	update(t, view3, b, func(i *issue3) { i.Theme = "same" })
	share(t, a, b)
	if got, err := s.Conflicts(a); err != nil || len(got) > 0 {
		t.Errorf("of two that wrote the same: %+v, %v", got, err)
	}
	update(t, view1, a, func(i *issue1) { i.Todos["t"] = todo1{Ticked: true} })
	update(t, view3, b, func(i *issue3) { i.Last = "Quinn" })
	for range 10 {
		update(t, view1, a, func(i *issue1) { i.Color += "x" })
	}
	update(t, view1, a, func(i *issue1) { i.FullName = "Zoe Bell" })
	share(t, a, b)
	update(t, view3, a, func(i *issue3) { i.First = "Zoë" }) // a new epoch
	share(t, a, b)
	for _, d := range []*doc.Doc{a, b} {
		got, err := s.Conflicts(d)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 || !slices.ContainsFunc(got, func(c schema.Conflict) bool { return c.Path == "/last" && c.Value == "Quinn" && c.Epoch != "" }) {
			t.Errorf("listed are %+v", got)
		}
		if !slices.IsSortedFunc(got, func(a, b schema.Conflict) int { return bytes.Compare([]byte(a.Path), []byte(b.Path)) }) {
			t.Errorf("not in the order of paths: %+v", got)
		}
	}
}

// pushed is a document in memory that tells its changes when a test says so.
type pushed struct {
	schema.Document
	tell chan []doc.Hash
}

func (p pushed) Versions(ctx context.Context) iter.Seq[[]doc.Hash] {
	return func(yield func([]doc.Hash) bool) {
		for {
			select {
			case heads, open := <-p.tell:
				if !open || !yield(heads) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// TestWatch: the document as it is, and again after each change, also if it cannot be read in between.
func TestWatch(t *testing.T) {
	_, v := checked(t, schema.FailRead)
	d := docOf(t, 1)
	p := pushed{schema.Of(d, nil), make(chan []doc.Hash, 1)}
	n := 0
	for o, err := range v(1).Watch(t.Context(), p) {
		switch n++; n {
		case 1:
			if err != nil || o["n"] != int64(4) {
				t.Fatal(o, err)
			}
			odd(t, d)
		case 2:
			if !errors.Is(err, schema.ErrInvalid) {
				t.Fatal(o, err)
			}
			raw(t, d, func(tx *doc.Tx) error {
				return errors.Join(tx.Set("/n", 8), tx.Set("/in/n", 8), tx.Set("/list", []any{}), tx.Set("/rows", map[string]any{}))
			})
		case 3:
			if err != nil || o["n"] != int64(8) {
				t.Fatal(o, err)
			}
			close(p.tell)
			continue
		}
		p.tell <- d.Heads()
	}
	if n != 3 {
		t.Errorf("%d states were seen", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range view1.Watch(ctx, pushed{schema.Of(d, nil), make(chan []doc.Hash)}) {
		cancel()
	}
	for range view1.Watch(t.Context(), pushed{schema.Of(d, nil), make(chan []doc.Hash)}) {
		break
	}
}
