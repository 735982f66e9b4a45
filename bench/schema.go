package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"tombolo/doc"
	"tombolo/schema"
)

func benchSchema(report func(row)) error {
	for _, f := range []func(func(row)) error{viewing, editing, opened, fleet} {
		if err := f(report); err != nil {
			return err
		}
	}
	return nil
}

// issues is an issue tracker in three versions, with a step of each kind that costs something.
var issues = schema.MustNew("bench",
	schema.V(1,
		schema.Object(schema.Root,
			schema.Text("title"), schema.Bool("done"), schema.Text("body"), schema.String("fullName"), schema.String("assignee"), schema.String("color"),
			schema.List("tags", schema.String("")), schema.Table("todos", "Todo"), schema.Nested("settings", "Settings")),
		schema.Object("Todo", schema.Text("text"), schema.Int("due"), schema.String("owner")),
		schema.Object("Settings", schema.String("theme", schema.Default("light")))),
	schema.V(2,
		schema.Rename(schema.Root, "title", "name"),
		schema.Map(schema.Root, "done", "status", schema.Lens[bool, string]{
			Rev: 1,
			Up: func(done bool, prev *string) (string, error) {
				if prev != nil && ended(*prev) == done {
					return *prev, nil
				}
				return statusOf(done), nil
			},
			Down: func(status string, _ bool) (bool, error) { return ended(status), nil },
		}, schema.Enum("todo", "doing", "done", "archived")),
		schema.Hoist(schema.Root, "settings.theme", "theme"),
		schema.Add(schema.Root, schema.Int("priority", schema.Default(3))),
		schema.Remove(schema.Root, "color"),
		schema.Rename("Todo", "owner", "who")),
	schema.V(3,
		schema.Group(schema.Root, schema.Lens[oldName, newName]{
			Rev: 1,
			Up: func(o oldName, _ *newName) (newName, error) {
				first, last, _ := strings.Cut(o.Full, " ")
				return newName{first, last}, nil
			},
			Down: func(n newName, _ oldName) (oldName, error) {
				return oldName{strings.TrimSpace(n.First + " " + n.Last)}, nil
			},
		}),
		schema.Wrap(schema.Root, "assignee", "assignees"),
		schema.Add("Todo", schema.Text("notes"))))

func ended(status string) bool { return status == "done" || status == "archived" }

func statusOf(done bool) string {
	if done {
		return "done"
	}
	return "todo"
}

type oldName struct {
	Full string `doc:"fullName"`
}

type newName struct {
	First string `doc:"first"`
	Last  string `doc:"last"`
}

type issueV1 struct {
	Title    string            `doc:"title"`
	Done     bool              `doc:"done"`
	Body     string            `doc:"body"`
	FullName string            `doc:"fullName"`
	Assignee string            `doc:"assignee"`
	Color    string            `doc:"color"`
	Tags     []string          `doc:"tags"`
	Todos    map[string]todoV1 `doc:"todos"`
	Settings struct {
		Theme string `doc:"theme"`
	} `doc:"settings"`
}

type todoV1 struct {
	Text  string `doc:"text"`
	Due   int    `doc:"due"`
	Owner string `doc:"owner"`
}

type issueV2 struct {
	Name     string            `doc:"name"`
	Status   string            `doc:"status"`
	Body     string            `doc:"body"`
	FullName string            `doc:"fullName"`
	Assignee string            `doc:"assignee"`
	Theme    string            `doc:"theme"`
	Priority int               `doc:"priority"`
	Tags     []string          `doc:"tags"`
	Todos    map[string]todoV2 `doc:"todos"`
}

type todoV2 struct {
	Text string `doc:"text"`
	Due  int    `doc:"due"`
	Who  string `doc:"who"`
}

type issueV3 struct {
	Name      string            `doc:"name"`
	Status    string            `doc:"status"`
	Body      string            `doc:"body"`
	First     string            `doc:"first"`
	Last      string            `doc:"last"`
	Assignees []string          `doc:"assignees"`
	Theme     string            `doc:"theme"`
	Priority  int               `doc:"priority"`
	Tags      []string          `doc:"tags"`
	Todos     map[string]todoV3 `doc:"todos"`
}

type todoV3 struct {
	Text  string `doc:"text"`
	Notes string `doc:"notes"`
	Due   int    `doc:"due"`
	Who   string `doc:"who"`
}

// rawV3 is issueV3 for a document without a schema, where a struct says more.
type rawV3 struct {
	Name      string               `doc:"name,text"`
	Status    string               `doc:"status"`
	Body      string               `doc:"body,text"`
	First     string               `doc:"first"`
	Last      string               `doc:"last"`
	Assignees doc.Set[string]      `doc:"assignees"`
	Theme     string               `doc:"theme"`
	Priority  int                  `doc:"priority"`
	Tags      []string             `doc:"tags"`
	Todos     map[string]rawV3Todo `doc:"todos"`
}

type rawV3Todo struct {
	Text  string `doc:"text,text"`
	Notes string `doc:"notes,text"`
	Due   int    `doc:"due"`
	Who   string `doc:"who"`
}

var (
	viewV1 = schema.MustBind[issueV1](issues, 1)
	viewV2 = schema.MustBind[issueV2](issues, 2)
	viewV3 = schema.MustBind[issueV3](issues, 3)
)

// tracked is an issue with todos as version 3 shows it, written by version 1 and gone on with by version 3; and the same in a document without a schema.
func tracked(todos int) (view, raw *doc.Doc, err error) {
	begin := func(app string) (*doc.Doc, error) {
		d, err := doc.New(doc.ID{3}, rand.Reader)
		if err == nil {
			_, err = d.Apply(doc.Genesis(d.ID(), app))
		}
		return d, err
	}
	if view, err = begin(issues.App()); err != nil {
		return nil, nil, err
	}
	ctx := context.Background()
	err = viewV1.Update(ctx, schema.Of(view, nil), "", func(i *issueV1) error {
		i.Title, i.Body, i.FullName, i.Assignee, i.Tags = "Login fails", "It says no.", "Ann Quinn", "ann", []string{"bug", "web"}
		i.Todos = map[string]todoV1{}
		for n := range todos {
			i.Todos[fmt.Sprintf("todo-%d", n)] = todoV1{Text: fmt.Sprint("thing ", n), Due: n, Owner: "ann"}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	var shown issueV3
	err = viewV3.Update(ctx, schema.Of(view, nil), "", func(i *issueV3) error {
		i.Status, i.First, i.Theme, i.Priority = "doing", "Zoe", "dark", 1
		i.Assignees = append(i.Assignees, "ben")
		shown = *i
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if raw, err = begin("raw"); err != nil {
		return nil, nil, err
	}
	same := rawV3{
		shown.Name, shown.Status, shown.Body, shown.First, shown.Last, doc.SetOf(shown.Assignees...), shown.Theme, shown.Priority, shown.Tags,
		map[string]rawV3Todo{},
	}
	for id, t := range shown.Todos {
		same.Todos[id] = rawV3Todo(t)
	}
	_, err = raw.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Put(same) })
	return view, raw, err
}

// beside measures two things in turn, since the machine's mood changes, and gives the medians in microseconds.
func beside(n int, ours, raw func() error) (a, b float64, failed error) {
	measure := func(f func() error) float64 {
		runtime.GC()
		return micros(n, func() {
			for range n {
				failed = errors.Join(failed, f())
			}
		})
	}
	var as, bs []float64
	for range 3 * repeats {
		as, bs = append(as, measure(ours)), append(bs, measure(raw))
	}
	return middle(as), middle(bs), failed
}

// viewing compares reading through a view with reading a document that has the same without a schema.
func viewing(report func(row)) error {
	for _, c := range []struct {
		todos, n int
		work     string
	}{
		{2, 2000, "read an issue through version 3"},
		{1000, 10, "read an issue with 1,000 records through version 3"},
	} {
		view, raw, err := tracked(c.todos)
		if err != nil {
			return err
		}
		d := schema.Of(view, nil)
		ours, plain, err := beside(c.n,
			func() error { _, _, err := viewV3.Read(d); return err },
			func() error { var v rawV3; return raw.Read("", &v) })
		if err != nil {
			return err
		}
		report(row{Work: c.work, Unit: "µs", Ours: ours, Beside: plain, Name: "without a schema", Goal: 1.5})
	}
	return nil
}

// editing compares writing one field through a view with setting its key in a document without a schema. A struct of the whole issue is read and compared
// as a whole, as it is without a schema: so it stands beside that, too.
func editing(report func(row)) error {
	type onlyTheme struct {
		Theme string `doc:"theme"`
	}
	type onlyFirst struct {
		First string `doc:"first"`
	}
	theme, first := schema.MustBind[onlyTheme](issues, 3), schema.MustBind[onlyFirst](issues, 3)
	ctx := context.Background()
	count := 0
	next := func() string { count++; return fmt.Sprint(count) }
	setKey := func(key string) func(d *doc.Doc, n int) error {
		return func(d *doc.Doc, _ int) error {
			_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set(key, next()) })
			return err
		}
	}
	whole := func(change func(*rawV3)) func(d *doc.Doc, n int) error {
		return func(d *doc.Doc, _ int) error {
			_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
				var v rawV3
				if err := tx.Read("", &v); err != nil {
					return err
				}
				change(&v)
				return tx.Put(v)
			})
			return err
		}
	}
	oneTheme := func(d schema.Document, _ int) error {
		return theme.Update(ctx, d, "", func(v *onlyTheme) error { v.Theme = next(); return nil })
	}
	oneFirst := func(d schema.Document, _ int) error {
		return first.Update(ctx, d, "", func(v *onlyFirst) error { v.First = next(); return nil })
	}
	allTheme := func(d schema.Document, _ int) error {
		return viewV3.Update(ctx, d, "", func(v *issueV3) error { v.Theme = next(); return nil })
	}
	allFirst := func(d schema.Document, _ int) error {
		return viewV3.Update(ctx, d, "", func(v *issueV3) error { v.First = next(); return nil })
	}
	typeTitle := func(d schema.Document, n int) error { return viewV3.Text(d, "name").Splice(ctx, n, 0, "a") }
	for _, c := range []struct {
		work, name string
		goal       float64
		todos      int
		ours       func(d schema.Document, n int) error
		raw        func(d *doc.Doc, n int) error
	}{
		{"update a moved field, struct of it alone", "set its key", 2, 2, oneTheme, setKey("theme")},
		{"update a moved field beside 1,000 records", "set its key", 2, 1000, oneTheme, setKey("theme")},
		{"update a moved field, the whole issue on both sides", "read, change and put the struct", 2, 2, allTheme, whole(func(v *rawV3) { v.Theme = next() })},
		{"type a character into a renamed text", "splice it", 2, 2, typeTitle, func(d *doc.Doc, n int) error {
			_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Text("name").Splice(n, 0, "a") })
			return err
		}},
		{"update a field of a lens, struct of it alone", "set its key", 5, 2, oneFirst, setKey("first")},
		{"update a field of a lens, the whole issue on both sides", "read, change and put the struct", 5, 2, allFirst, whole(func(v *rawV3) { v.First = next() })},
	} {
		view, raw, err := tracked(c.todos)
		if err != nil {
			return err
		}
		d := schema.Of(view, nil)
		n, m := 0, 0
		ours, key, err := beside(300,
			func() error { n++; return c.ours(d, n) },
			func() error { m++; return c.raw(raw, m) })
		if err != nil {
			return err
		}
		report(row{Work: c.work, Unit: "µs", Ours: ours, Beside: key, Name: c.name, Goal: c.goal})
	}
	return nil
}

// opened counts what opening, reading and updating a program write.
func opened(report func(row)) error {
	view, _, err := tracked(10)
	if err != nil {
		return err
	}
	before, err := view.Changes()
	if err != nil {
		return err
	}
	d, err := doc.Load(view.ID(), before, rand.Reader)
	if err != nil {
		return err
	}
	known := schema.Of(d, nil)
	if _, _, err = viewV1.Read(known); err == nil {
		if _, _, err = viewV2.Read(known); err == nil {
			_, _, err = viewV3.Read(known)
		}
	}
	if err != nil {
		return err
	}
	if _, err := issues.Inspect(known); err != nil {
		return err
	}
	after, err := d.Changes()
	report(row{Work: "written by opening a document and reading it in all versions", Unit: "B", Ours: float64(length(after) - length(before)), Beside: 1, Name: "a byte", Goal: 0})
	return err
}

func length(changes [][]byte) (n int) {
	for _, c := range changes {
		n += len(c)
	}
	return n
}
