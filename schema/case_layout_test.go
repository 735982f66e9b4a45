package schema_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/doc/gate"
	"tombolo/schema"
)

// everyPlace is an issue that has something in every kind of place: one change by each of two versions, as the actors 1 and 3.
func everyPlace(t testing.TB, s *schema.Schema) *doc.Doc {
	t.Helper()
	one, three := schema.MustBind[issue1](s, 1), schema.MustBind[issue3](s, 3)
	a := docOf(t, 1)
	update(t, one, a, func(i *issue1) {
		i.Title, i.FullName, i.Assignee, i.Body, i.Tags, i.Votes = "Bug", "Ann Lee", "ann", "It fails", []string{"x", "y"}, 2
		i.Todos = map[string]todo1{"t1": {Text: "look"}, "t2": {Text: "mend", Ticked: true}}
		i.Settings.Theme = "dark"
	})
	b := copyOf(t, a, 3)
	update(t, three, b, func(i *issue3) {
		i.State, i.Archived, i.Last, i.Body, i.Assignees = "doing", true, "Quinn", "It fails often", []string{"ann", "bob"}
		i.Todos["t1"] = todo3{Text: "look", Notes: "twice"}
	})
	return b
}

// goldenHashes are those of layout 1: genesis, containers at fixed paths, those in records, seeds, and the edits. They never change.
const goldenHashes = `
86824426090fd755 91abe33a 3
c537238bd6b263f9 5136866f 1
6a4093a8b714634e b892d55a 1
5605640dafcadcf4 fef60f48 1
da1160192722d8b5 7917a545 1
23ec33d3d3500927 629255e2 1
507f94876cb4de4f 12e4910b 1
5963cf1a5b47ada2 a4bb321c 1
4f5f8d9f5a2fa191 77074617 1
a5791dd73935db4e 59ac7cc3 1
07ff750f850e8504 01010101 20
1989e7405ce523ba fc662663 1
e5ae6c9382a1b8d1 c48f05f9 9
f5cbe712ca4b7099 777f5dd5 1
905bbe71cab55bca 03030303 33
`

// TestCase06GoldenHashes: what devices make apart and alike is the same bytes for ever.
func TestCase06GoldenHashes(t *testing.T) {
	d, got := everyPlace(t, issues()), "\n"
	for _, raw := range changesOf(t, d) {
		c, err := gate.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		got += fmt.Sprintf("%s %s %d\n", hex.EncodeToString(c.Hash[:8]), hex.EncodeToString(c.Actor[:4]), c.Ops)
	}
	if got != goldenHashes {
		t.Errorf("layout 1 changed: documents that exist already will not merge with new ones.\n got %s\nwant %s", got, goldenHashes)
	}
}

// TestCase07MapOrder: declarations and writes with many keys give the same bytes every time.
func TestCase07MapOrder(t *testing.T) {
	var first [][]byte
	for n := range 100 {
		s := issues()
		d := everyPlace(t, s)
		err := try(whole(t, s, 3), d, func(i *map[string]any) {
			rows := (*i)["todos"].(map[string]any)
			for r := range 12 {
				rows[fmt.Sprint("r", r)] = map[string]any{"text": doc.Text(fmt.Sprint(r)), "ticked": true, "notes": doc.Text("n")}
			}
			delete(rows, "t2")
			(*i)["assignees"] = map[string]any{"a": true, "b": true, "c": true, "d": true}
			(*i)["first"], (*i)["last"], (*i)["state"], (*i)["theme"] = "F", "L", "todo", "light"
		})
		if err != nil {
			t.Fatal(err)
		}
		changes := changesOf(t, d)
		if n == 0 {
			first = changes
		}
		if !slices.EqualFunc(first, changes, bytes.Equal) || s.Fingerprint(3) != issues().Fingerprint(3) {
			t.Fatalf("run %d wrote other bytes", n)
		}
	}
}

// TestCase08CreatedTwice: a document that two devices create apart, with two versions, is one document.
func TestCase08CreatedTwice(t *testing.T) {
	a, b := docOf(t, 1), docOf(t, 2)
	update(t, view1, a, func(i *issue1) {
		i.Title, i.Tags, i.Votes, i.Todos = "One", []string{"a"}, 1, map[string]todo1{"t": {Text: "left"}, "u": {}}
	})
	update(t, view3, b, func(i *issue3) {
		i.Name, i.Tags, i.Votes, i.Todos = "Two", []string{"b"}, 2, map[string]todo3{"t": {Notes: "right"}, "w": {}}
	})
	share(t, a, b)
	sameViews(t, issues(), a, b)
	got := read(t, view3, a)
	if len(got.Name) != 6 || len(got.Tags) != 2 || got.Votes != 3 || len(got.Todos) != 3 || got.Todos["t"] != (todo3{Text: "left", Notes: "right"}) {
		t.Errorf("of both is left %+v", got)
	}
}

// TestCase08InitTwice: what a program begins each document with is there once, whoever begins it.
func TestCase08InitTwice(t *testing.T) {
	id := doc.NamedID(app, "test")
	begin := view3.Create(func(i *issue3) error {
		i.Name, i.State, i.First, i.Tags, i.Votes, i.Assignees = "New", "doing", "Ann", []string{"x"}, 5, []string{"ann"}
		i.Todos = map[string]todo3{"t1": {Text: "look", Notes: "well"}}
		return nil
	})
	first, err := doc.Init(id, app, now, begin)
	if err != nil {
		t.Fatal(err)
	}
	again, err := doc.Init(id, app, now, begin)
	if err != nil || !slices.EqualFunc(first, again, bytes.Equal) {
		t.Fatal("the second device began with other bytes", err)
	}
	a, err := doc.Load(id, first, bytes.NewReader(bytes.Repeat([]byte{1}, 16)))
	if err != nil {
		t.Fatal(err)
	}
	b := docOf(t, 2)
	update(t, view1, b, func(i *issue1) { i.Tags = []string{"y"} })
	share(t, a, b)
	sameViews(t, issues(), a, b)
	want(t, "both", read(t, view3, b), issue3{
		Name: "New", State: "doing", First: "Ann", Tags: read(t, view3, a).Tags, Votes: 5, Assignees: []string{"ann"}, Priority: 3, Theme: "light",
		Todos: map[string]todo3{"t1": {Text: "look", Notes: "well"}},
	})
}

// TestCase09FirstUseApart: containers that a newer version is the first to need in an old record, and epochs, may be begun by several devices at once.
func TestCase09FirstUseApart(t *testing.T) {
	a, b := docOf(t, 1), docOf(t, 2)
	var id string
	rows := doc.MustTable[rawTodo3]("/todos")
	raw(t, a, func(tx *doc.Tx) (err error) { // a record under an ID of its own
		id, err = rows.Create(tx, "", rawTodo3{Ticked: true})
		return err
	})
	update(t, view1, a, func(i *issue1) { i.FullName, i.Body = "Ann Lee", "It" })
	share(t, a, b)
	edit := func(d *doc.Doc, note, name, body string) {
		update(t, view3, d, func(i *issue3) {
			i.Todos[id] = todo3{Ticked: true, Notes: note}
			if name == "Zoe" {
				i.First = name
			} else {
				i.Last = name
			}
			i.Body += body
		})
	}
	edit(a, "left", "Zoe", "1")
	edit(b, "right", "Quinn", "2")
	share(t, a, b)
	sameViews(t, issues(), a, b)
	got := read(t, view3, a)
	if note := got.Todos[id].Notes; note != "leftright" && note != "rightleft" {
		t.Errorf("the notes are %q", note)
	}
	if got.First != "Zoe" || got.Last != "Quinn" {
		t.Errorf("the name is %q %q", got.First, got.Last)
	}
	if got.Body != "It12" && got.Body != "It21" {
		t.Errorf("the body is %q", got.Body)
	}
	edit(a, "left", "Zoe", "3")
	if got := read(t, view3, a); len(got.Body) != 5 {
		t.Errorf("the body is %q", got.Body)
	}
}

// TestCase10AnyOrder: changes may come in any order. What cannot go in yet is named, and the end is the same.
func TestCase10AnyOrder(t *testing.T) {
	from := everyPlace(t, issues())
	all := changesOf(t, from)
	deliver := func(t failer, order [][]byte) {
		d, err := doc.New(from.ID(), bytes.NewReader(make([]byte, 16)))
		if err != nil {
			t.Fatal(err)
		}
		for waiting := order; len(waiting) > 0; {
			var later [][]byte
			for _, c := range waiting {
				applied, err := d.Apply(c)
				if err != nil {
					t.Fatal(err)
				}
				if len(applied.New) == 0 {
					if len(applied.Missing) == 0 {
						t.Fatal("a change was left out, and nothing is missing")
					}
					later = append(later, c)
				}
			}
			if len(later) == len(waiting) {
				t.Fatal("nothing goes in any more")
			}
			waiting = later
		}
		sameViews(t, issues0, from, d)
	}
	backwards := slices.Clone(all)
	slices.Reverse(backwards)
	deliver(t, backwards)
	rapid.Check(t, func(t *rapid.T) { deliver(t, rapid.Permutation(all).Draw(t, "order")) })
}

// TestCase25NewerLayout: a document of a layout of the future is neither read nor written, and still takes changes in.
func TestCase25NewerLayout(t *testing.T) {
	id := doc.NamedID(app, "test")
	genesis, err := gate.Parse(doc.Genesis(id, app))
	if err != nil {
		t.Fatal(err)
	}
	marks := gate.OpRef{Counter: 1}
	future, err := gate.Encode(gate.Change{Actor: genesis.Actor, Seq: 1, StartOp: 1}, slices.Values([]*gate.Op{
		{Key: "$m", Action: gate.ActMakeMap},
		{Obj: marks, Key: "app", Action: gate.ActSet, Type: gate.TypeString, Value: []byte(app)},
		{Obj: marks, Key: "layout", Action: gate.ActSet, Type: gate.TypeUint, Value: []byte{2}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	d, err := doc.Load(id, [][]byte{future}, bytes.NewReader(make([]byte, 16)))
	if err != nil {
		t.Fatal(err)
	}
	s, ctx := issues(), context.Background()
	unchanged(t, d, "a document of layout 2", func() {
		if _, _, err := view3.Read(d); !errors.Is(err, schema.ErrLayout) {
			t.Error("Read:", err)
		}
		if err := try(view3, d, func(i *issue3) { i.Name = "x" }); !errors.Is(err, schema.ErrLayout) {
			t.Error("Update:", err)
		}
		if err := view3.Text(schema.Of(d, nil), "name").Splice(ctx, 0, 0, "x"); !errors.Is(err, schema.ErrLayout) {
			t.Error("Splice:", err)
		}
		if _, err := s.Settle(ctx, schema.Of(d, nil)); !errors.Is(err, schema.ErrLayout) {
			t.Error("Settle:", err)
		}
		if _, err := s.Conflicts(d); !errors.Is(err, schema.ErrLayout) {
			t.Error("Conflicts:", err)
		}
		if st, err := s.Inspect(d); err != nil || st.Writable || !errors.Is(st.Why, schema.ErrLayout) {
			t.Error("Inspect:", st, err)
		}
	})
	raw(t, d, func(tx *doc.Tx) error { return tx.Set("/x", 1) })
	if applied, err := copyOf(t, d, 9).Apply(changesOf(t, d)...); err != nil || len(applied.Missing) > 0 {
		t.Error("passing it on:", err)
	}
}
