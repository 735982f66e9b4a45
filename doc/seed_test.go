package doc_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/doc/gate"
)

func seed(path string, v any) func(*doc.Tx) error {
	return func(tx *doc.Tx) error { return tx.Seed(path, v) }
}

// seeded is a document in which fn seeded, with what Edit says of it.
func seeded(t fataler, d *doc.Doc, fns ...func(*doc.Tx) error) doc.Edited {
	t.Helper()
	e, err := d.Edit(doc.Note{Message: "test", Time: noon}, func(tx *doc.Tx) error {
		for _, fn := range fns {
			if err := fn(tx); err != nil {
				return err
			}
		}
		return nil
	})
	must(t, err)
	return e
}

// Two devices seed the same apart and go on writing in it: it is there once, with what both wrote.
func TestSeedsMadeApartMerge(t *testing.T) {
	start := []func(*doc.Tx) error{
		seed("title", doc.Text("héllo")),
		seed("/votes", doc.Counter(3)),
		set("/box", m{}),
		seed("/box/list", []any{"a", m{"in": doc.Text("x")}}),
		seed("/box/map", m{"b": 1, "a": m{"t": doc.Text("y")}}),
		seed("/box/done", true),
	}
	a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
	first, second := seeded(t, a, start...), seeded(t, b, start...)
	if len(first.Changes) != 6 || !slices.Equal(first.Heads, second.Heads) || !slices.Equal(first.Heads, a.Heads()) {
		t.Errorf("%d changes, heads %v and %v", len(first.Changes), first.Heads, second.Heads)
	}
	want := `{"box":{"done":true,"list":["a",{"in":{"$text":"x"}}],"map":{"a":{"t":{"$text":"y"}},"b":1}},"title":{"$text":"héllo"},"votes":{"$counter":3}}`
	wantJSON(t, a, want)
	edit(t, a, func(tx *doc.Tx) error {
		must(t, tx.Text("title").Splice(5, 0, " Ann"))
		must(t, tx.Add("votes", 1))
		must(t, tx.List("/box/list").Append("Ann"))
		must(t, tx.Text("/box/list/1/in").Splice(0, 0, "Ann "))
		return tx.Set("/box/map/a/n", m{"A": 1})
	})
	edit(t, b, func(tx *doc.Tx) error {
		must(t, tx.Text("title").Splice(0, 0, "Bob "))
		must(t, tx.Add("votes", 10))
		must(t, tx.List("/box/list").Insert(0, "Bob"))
		must(t, tx.Set("/box/map/a/n", m{"B": 2}))
		return tx.Remove("/box/done")
	})
	merge(t, a, b)
	wantJSON(t, a, `{"box":{"list":["Bob","a",{"in":{"$text":"Ann x"}},"Ann"],"map":{"a":{"n":{"A":1,"B":2},"t":{"$text":"y"}},"b":1}},`+
		`"title":{"$text":"Bob héllo Ann"},"votes":{"$counter":14}}`)
	saved, err := doc.ReadSaved(a.MustSave(t), nil)
	must(t, err)
	if len(saved) != a.Len() {
		t.Errorf("the core has %d changes of %d", len(saved), a.Len())
	}
	loaded, err := doc.Load(doc.ID{1}, all(t, b), sevens{})
	must(t, err)
	if ha, hl := hashOf(t, a), hashOf(t, loaded); ha != hl {
		t.Error("it loads as something else")
	}
}

func hashOf(t fataler, d *doc.Doc) [32]byte {
	t.Helper()
	h, err := d.Hash()
	must(t, err)
	return h
}

// The same value makes the same change, whatever Go types say it and in whatever order Go's maps come.
func TestSeedFollowsFromContent(t *testing.T) {
	type both struct {
		Z int             `doc:"z"`
		A doc.Set[string] `doc:"a"`
	}
	for _, same := range [][]any{
		{int64(5), uint64(5), int8(5), uint(5)},
		{math.NaN(), math.Float64frombits(math.Float64bits(math.NaN()) | 7)},
		{[]any{1, "x"}, [2]any{1, "x"}},
		{m{"z": 1, "a": m{"p": true, "q": true}}, both{1, doc.SetOf("q", "p")}, &both{1, doc.SetOf("p", "q")}},
		{noon, noon.Local()},
	} {
		var heads []doc.Hash
		for i, v := range append(same, same...) {
			d := open(t, doc.ID{1})
			heads = seeded(t, d, seed("k", v)).Heads
			if i > 0 {
				merge(t, d, openWith(t, same[0]))
			}
			if len(heads) != 1 || heads[0] != openWith(t, same[0]).Heads()[0] {
				t.Errorf("%T %v makes another change than %v", v, v, same[0])
			}
		}
	}
	actors := map[string]any{}
	for _, v := range []any{
		nil, true, false, 1, 1.0, "1", doc.Text("1"), doc.Counter(1), []byte("1"), noon, uint64(math.MaxUint64), 0.0, math.Copysign(0, -1),
		[]any{},
		m{},
		[]any{1},
		m{"a": 1},
		m{"$text": "1"},
		"", doc.Text(""),
	} {
		d := openWith(t, v)
		e, err := d.Entry(d.Heads()[0])
		must(t, err)
		if was, ok := actors[string(e.Actor)]; ok || len(e.Actor) != 16 || e.Seq != 1 || !e.Time.IsZero() || e.Message != "" {
			t.Errorf("%T %v: %+v, the actor of %v", v, v, e, was)
		}
		actors[string(e.Actor)] = v
		if got, err := d.Get("k"); err != nil || !doc.Equal(got, v) && fmt.Sprint(got) != fmt.Sprint(v) {
			t.Errorf("%T %v reads %v, %v", v, v, got, err)
		}
	}
}

func openWith(t *testing.T, v any) *doc.Doc {
	t.Helper()
	d := open(t, doc.ID{1})
	seeded(t, d, seed("k", v))
	return d
}

// Whatever is seeded reads as it was given, is the same change everywhere, and is taken by the core, too.
func TestSeedAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := genTree(3).Draw(rt, "value")
		a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
		e := seeded(rt, a, set("/in", m{}), seed("/in/k", v))
		seeded(rt, b, set("/in", m{}), seed("/in/k", v))
		merge(rt, a, b)
		if got, err := a.Get("/in/k"); err != nil || !doc.Equal(got, v) || a.Len() != 3 {
			rt.Fatalf("it reads %v, %v; want %v", got, err, v)
		}
		last := e.Changes[1]
		if len(last.Deps) != 1 || last.Deps[0] != e.Changes[0].Hash || last.StartOp != e.Changes[0].StartOp+1 || len(last.Others) != 1 {
			rt.Fatalf("a change %+v", last)
		}
		if n := a.Len(); len(seeded(rt, a, seed("/in/k", v)).Changes) != 0 || a.Len() != n {
			rt.Fatal("seeding again wrote something")
		}
		saved, err := a.Save(nil)
		must(rt, err)
		read, err := doc.ReadSaved(saved, nil)
		must(rt, err)
		c, err := doc.Load(doc.ID{1}, read, sevens{})
		must(rt, err)
		if hashOf(rt, a) != hashOf(rt, c) {
			rt.Fatal("through the core it is something else")
		}
	})
}

// Rows of random IDs, rows of given ones, maps in lists and maps in seeds hold seeds as well.
func TestSeedInside(t *testing.T) {
	a := open(t, doc.ID{1})
	id := newTask(t, a, 0, "", task{Title: "milk"})
	newTask(t, a, 0, "given", task{})
	edit(t, a, set("/list", []any{m{}}))
	seeded(t, a, seed("/s", m{"in": m{}}))
	b := open(t, doc.ID{1})
	merge(t, a, b)
	for i, d := range []*doc.Doc{a, b} {
		for _, path := range []string{"/tasks/" + id + "/notes", "/tasks/given/notes", "/list/0/notes", "/s/in/notes"} {
			if e := seeded(t, d, seed(path, doc.Text("-"))); len(e.Changes) != 1 || len(e.Changes[0].Deps) != 1 {
				t.Errorf("%s: %d changes", path, len(e.Changes))
			}
			edit(t, d, func(tx *doc.Tx) error { return tx.Text(path).Splice(i, 0, fmt.Sprint(i)) })
		}
	}
	merge(t, a, b)
	for _, path := range []string{"/tasks/" + id, "/tasks/given", "/list/0", "/s/in"} {
		if got, err := a.JSON(path + "/notes"); err != nil || string(got) != `{"$text":"0-1"}` {
			t.Errorf("%s has %s, %v", path, got, err)
		}
	}
	if got, err := a.AllConflicts(); err != nil || len(got) != 0 {
		t.Errorf("conflicts: %v, %v", got, err)
	}
}

// Two seeds of other content are a conflict, and all devices show the same one.
func TestSeedsOfOtherContent(t *testing.T) {
	a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
	seeded(t, a, seed("title", doc.Text("Ann")))
	seeded(t, b, seed("title", doc.Text("Bob")))
	merge(t, a, b)
	got, err := a.Conflicts("title")
	must(t, err)
	other, err := b.Conflicts("title")
	must(t, err)
	if len(got) != 2 || len(other) != 2 || got[0].Value == got[1].Value || got[1].Value != other[1].Value {
		t.Fatalf("conflicts: %v and %v", got, other)
	}
	if shown, err := a.Get("title"); err != nil || shown != got[1].Value {
		t.Errorf("it shows %v, %v", shown, err)
	}
	for _, d := range []*doc.Doc{a, b} {
		for _, v := range got {
			if e := seeded(t, d, seed("title", v.Value)); len(e.Changes) != 0 { // both are there
				t.Errorf("seeding %v again wrote something", v.Value)
			}
		}
		if _, err := d.Edit(doc.Note{}, seed("title", doc.Text("Cleo"))); err == nil {
			t.Error("a third one was seeded over two")
		}
	}
	edit(t, a, set("title", "both"))
	merge(t, a, b)
	wantJSON(t, b, `{"title":{"$text":"both"}}`)
}

// Where there can be no shared change, a seed is an ordinary write.
func TestSeedOrdinary(t *testing.T) {
	bare, err := doc.New(doc.ID{1}, sevens{})
	must(t, err)
	if e := seeded(t, bare, seed("/t", doc.Text("x"))); len(e.Changes) != 1 || string(e.Changes[0].Actor) != strings.Repeat("\a", 16) {
		t.Errorf("without a genesis: %d changes", len(e.Changes))
	}
	d := open(t, doc.ID{1})
	last := func(e doc.Edited) string { return e.Changes[len(e.Changes)-1].Message }
	if e := seeded(t, d, set("/n", 1), seed("/after", doc.Text("draft")), seed("/n2", 2)); last(e) != "test" || len(e.Changes) != 2 {
		t.Errorf("after a write: %d changes", len(e.Changes))
	}
	e := seeded(t, d, func(tx *doc.Tx) error {
		id, err := tasks.Create(tx, "", task{})
		if err != nil {
			return err
		}
		return tx.Seed("/tasks/"+id+"/notes", doc.Text("new"))
	})
	if last(e) != "test" {
		t.Error("a seed in a new row is none of the row's change")
	}
	e = seeded(t, d, seed("/s", m{"a": doc.Text("x")}), set("/s/n", 1), seed("/s", m{"a": doc.Text("x")}))
	if len(e.Changes) != 2 || e.Changes[0].Message != "" {
		t.Errorf("the same seed after it was changed, in one edit: %d changes", len(e.Changes))
	}

	edit(t, d, set("/k", nil)) // was seeded, was removed
	edit(t, d, remove("/k"))
	seeded(t, d, seed("/k", "v"))
	edit(t, d, remove("/k"))
	if e := seeded(t, d, seed("/k", "v")); last(e) != "test" {
		t.Error("a seed that was removed is back by itself")
	}
	if got, err := d.Get("/k"); err != nil || got != "v" {
		t.Errorf("%v, %v", got, err)
	}
}

// A seed shows again what was removed, and what holds it.
func TestSeedReveals(t *testing.T) {
	text := doc.Text("new")
	for name, c := range map[string]struct {
		start, remove string
		v             any
		want          string
		changes       int
	}{
		"a text at the path":         {"/a/t", "/a/t", text, `{"a":{"t":{"$text":"new"}}}`, 1},
		"a text and what holds it":   {"/a/t", "/a", text, `{"a":{"t":{"$text":"new"}}}`, 1},
		"an empty text":              {"/a/t", "/a/t", doc.Text(""), `{"a":{"t":{"$text":""}}}`, 1},
		"a scalar for a text":        {"/a/t", "/a/t", 5, `{"a":{"t":5}}`, 1},
		"a key beside it":            {"/a/other", "/a", text, `{"a":{"t":{"$text":"new"}}}`, 2},
		"an empty text beside it":    {"/a/other", "/a", doc.Text(""), `{"a":{"t":{"$text":""}}}`, 2},
		"beside what stays as it is": {"/a/other", "/a/other", text, `{"a":{"t":{"$text":"new"}}}`, 1},
	} {
		d := open(t, doc.ID{1})
		edit(t, d, set("/a", m{}))
		edit(t, d, set(c.start, doc.Text("old")))
		edit(t, d, remove(c.remove))
		if e := seeded(t, d, seed("/a/t", c.v)); len(e.Changes) != c.changes {
			t.Errorf("%s: %d changes", name, len(e.Changes))
		}
		wantJSON(t, d, c.want)
		edit(t, d, set("/a/t", doc.Text("")))
		wantJSON(t, d, `{"a":{"t":{"$text":""}}}`) // it stays when it is empty
	}
	// A seed of its own, cleared and seeded once more.
	d := open(t, doc.ID{1})
	seeded(t, d, seed("/t", text))
	edit(t, d, remove("/t"))
	wantJSON(t, d, `{}`)
	seeded(t, d, seed("/t", text))
	wantJSON(t, d, `{"t":{"$text":"new"}}`)
	// In an edit that wrote before, where the map is hidden.
	edit(t, d, set("/a", m{"x": m{}}))
	edit(t, d, remove("/a"))
	seeded(t, d, set("/n", 1), seed("/a/x/t", text))
	wantJSON(t, d, `{"a":{"x":{"t":{"$text":"new"}}},"n":1,"t":{"$text":"new"}}`)
}

// What an edit seeded goes with it when it fails.
func TestSeedTakenBack(t *testing.T) {
	d := open(t, doc.ID{1})
	n, boom := d.Len(), errors.New("boom")
	for _, end := range []func(*doc.Tx) error{
		func(*doc.Tx) error { return boom },
		func(tx *doc.Tx) error { return errors.Join(tx.Set("/n", 1), boom) },
	} {
		_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
			must(t, tx.Seed("/t", doc.Text("x")))
			if got, err := tx.Get("/t"); err != nil || got != doc.Text("x") {
				t.Errorf("the transaction reads %v, %v", got, err)
			}
			return end(tx)
		})
		if !errors.Is(err, boom) || d.Len() != n {
			t.Errorf("%v, %d changes", err, d.Len())
		}
		wantJSON(t, d, `{}`)
	}
	seeded(t, d, seed("/t", doc.Text("x")))
	wantJSON(t, d, `{"t":{"$text":"x"}}`)
}

// A document without room takes no seed.
func TestSeedFull(t *testing.T) {
	d := open(t, doc.ID{1})
	n := d.Len()
	d.Limit(d.Size() + 1000)
	if _, err := d.Edit(doc.Note{}, seed("/t", doc.Text(strings.Repeat("x", 1000)))); !errors.Is(err, doc.ErrFull) || d.Len() != n {
		t.Errorf("%v, %d changes", err, d.Len())
	}
}

// What cannot be seeded is refused before anything is written.
func TestSeedRefuses(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, func(tx *doc.Tx) error { return tx.Put(m{"n": 1, "l": []any{1}, "t": doc.Text("x"), "e": m{}}) })
	deep, list := any(1), []any{}
	for range 999 {
		deep = []any{deep}
	}
	edit(t, d, set("/e", m{"d": m{"d": m{}}}))
	for range gate.MaxOps {
		list = append(list, nil)
	}
	var path *doc.PathError
	var limit *gate.LimitError
	var invalid *doc.ValueError
	for name, c := range map[string]struct {
		path string
		v    any
		as   any
	}{
		"the root":              {"", m{}, &path},
		"a bad path":            {"/~", 1, &path},
		"the marks":             {"/$m", 1, &path},
		"in the marks":          {"/$m/x", 1, &path},
		"an empty key":          {"/", 1, &path},
		"a key that is no text": {"/\xff", 1, &path},
		"below nothing":         {"/no/way", 1, &path},
		"below a scalar":        {"/n/x", 1, &path},
		"in a text":             {"/t/0", 1, &path},
		"in a list":             {"/l/0", 1, &path},
		"behind a list":         {"/l/-", 1, &path},
		"over something":        {"/n", 1, &path},
		"over a container":      {"/e", m{}, &path},
		"a channel":             {"/x", make(chan int), &invalid},
		"a bad string inside":   {"/x", m{"a": []any{"\xff"}}, &invalid},
		"an unknown value":      {"/x", doc.Unknown{}, &invalid},
		"nested too deep":       {"/e/d/d/x", deep, &limit},
		"too many operations":   {"/x", list, &limit},
		"too many characters":   {"/x", doc.Text(strings.Repeat("x", gate.MaxOps)), &limit},
		"too many bytes":        {"/x", make([]byte, gate.MaxChangeBytes+1), &limit},
		"too many in a map":     {"/x", m{"a": list[:gate.MaxOps-1], "b": m{"c": 1}}, &limit},
	} {
		n := d.Len()
		_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
			if err := tx.Seed(c.path, c.v); err != nil {
				return err
			}
			t.Errorf("%s: no error", name)
			return nil
		})
		if err == nil || !errors.As(err, c.as) || d.Len() != n {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Undo leaves seeds, which another device may have made as well, and takes back what was written in them.
// After an undo and a redo, edits that seed are as they were.
// What a document begins with may be seeds.
func TestSeedInit(t *testing.T) {
	begin := func() [][]byte {
		changes, err := doc.Init(doc.ID{1}, "test", noon, func(tx *doc.Tx) error {
			must(t, tx.Seed("/t", doc.Text("hello")))
			must(t, tx.MarkSchema(lineage(1)))
			return tx.Set("/n", 1)
		})
		must(t, err)
		return changes
	}
	d, err := doc.Load(doc.ID{1}, begin(), sevens{})
	must(t, err)
	wantJSON(t, d, `{"n":1,"t":{"$text":"hello"}}`)
	applied, err := d.Apply(begin()...)
	must(t, err)
	if len(applied.New) != 0 {
		t.Error("it begins otherwise elsewhere")
	}
}

// The history knows seeds, whatever was written in them since.
func BenchmarkSeed(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n, " characters"), func(b *testing.B) {
			text := doc.Text(strings.Repeat("0123456789", n/10))
			boom := errors.New("boom")
			d := open(b, doc.ID{1})
			b.ReportAllocs()
			for b.Loop() {
				_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return errors.Join(tx.Seed("/t", text), boom) })
				if !errors.Is(err, boom) {
					b.Fatal(err)
				}
			}
		})
	}
}
