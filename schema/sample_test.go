package schema_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
)

const app = "com.example.issues"

type fullName struct {
	Full string `doc:"fullName"`
}

type names struct {
	First string `doc:"first"`
	Last  string `doc:"last"`
}

type status2 struct {
	Status string `doc:"status"`
}

type status3 struct {
	State    string `doc:"state"`
	Archived bool   `doc:"archived"`
}

var doneStatus = schema.Lens[bool, string]{
	Rev: 1,
	Up: func(done bool, prev *string) (string, error) {
		if prev != nil && (*prev == "done" || *prev == "archived") == done {
			return *prev, nil
		}
		if done {
			return "done", nil
		}
		return "todo", nil
	},
	Down: func(s string, _ bool) (bool, error) { return s == "done" || s == "archived", nil },
}

var splitName = schema.Lens[fullName, names]{
	Rev: 1,
	Up: func(o fullName, _ *names) (names, error) {
		first, last, _ := strings.Cut(o.Full, " ")
		return names{first, last}, nil
	},
	Down: func(n names, _ fullName) (fullName, error) {
		return fullName{strings.TrimSpace(n.First + " " + n.Last)}, nil
	},
}

var statusState = schema.Lens[status2, status3]{
	Rev: 1,
	Up: func(o status2, prev *status3) (status3, error) {
		if o.Status == "archived" {
			if prev != nil {
				return status3{prev.State, true}, nil
			}
			return status3{"done", true}, nil
		}
		return status3{o.Status, false}, nil
	},
	Down: func(n status3, _ status2) (status2, error) {
		if n.Archived {
			return status2{"archived"}, nil
		}
		return status2{n.State}, nil
	},
}

// issues is a schema in three versions with the common steps.
func issues() *schema.Schema {
	return schema.MustNew(app,
		schema.V(1,
			schema.Object(schema.Root, schema.Text("title"), schema.Bool("done"), schema.String("fullName"), schema.String("assignee"), schema.String("color"), schema.String("body"),
				schema.List("tags", schema.String("")), schema.Table("todos", "Todo"), schema.Nested("settings", "Settings"), schema.Counter("votes")),
			schema.Object("Todo", schema.Text("text"), schema.Bool("ticked")),
			schema.Object("Settings", schema.String("theme", schema.Default("light"))),
		),
		schema.V(2,
			schema.Rename(schema.Root, "title", "name"),
			schema.Add(schema.Root, schema.Int("priority", schema.Default(3))),
			schema.Hoist(schema.Root, "settings.theme", "theme"),
			schema.Map(schema.Root, "done", "status", doneStatus, schema.Enum("todo", "doing", "done", "archived")),
			schema.TextFromString(schema.Root, "body"),
			schema.Remove(schema.Root, "color"),
		),
		schema.V(3,
			schema.Add("Todo", schema.Text("notes")),
			schema.Wrap(schema.Root, "assignee", "assignees"),
			schema.Group(schema.Root, splitName),
			schema.Group(schema.Root, statusState),
		),
	)
}

type issue1 struct {
	Title    string           `doc:"title"`
	Done     bool             `doc:"done"`
	FullName string           `doc:"fullName"`
	Assignee string           `doc:"assignee"`
	Color    string           `doc:"color"`
	Body     string           `doc:"body"`
	Tags     []string         `doc:"tags"`
	Todos    map[string]todo1 `doc:"todos"`
	Settings struct {
		Theme string `doc:"theme"`
	} `doc:"settings"`
	Votes int `doc:"votes"`
}

type todo1 struct {
	Text   string `doc:"text"`
	Ticked bool   `doc:"ticked"`
}

type issue2 struct {
	Name     string   `doc:"name"`
	Status   string   `doc:"status"`
	FullName string   `doc:"fullName"`
	Assignee string   `doc:"assignee"`
	Body     string   `doc:"body"`
	Priority int      `doc:"priority"`
	Theme    string   `doc:"theme"`
	Tags     []string `doc:"tags"`
}

type issue3 struct {
	Name      string           `doc:"name"`
	State     string           `doc:"state"`
	Archived  bool             `doc:"archived"`
	First     string           `doc:"first"`
	Last      string           `doc:"last"`
	Assignees []string         `doc:"assignees"`
	Body      string           `doc:"body"`
	Priority  int              `doc:"priority"`
	Theme     string           `doc:"theme"`
	Tags      []string         `doc:"tags"`
	Todos     map[string]todo3 `doc:"todos"`
	Votes     int              `doc:"votes"`
}

type todo3 struct {
	Text   string `doc:"text"`
	Ticked bool   `doc:"ticked"`
	Notes  string `doc:"notes"`
}

// newDoc is a document with its genesis alone.
func newDoc(t testing.TB) *doc.Doc {
	t.Helper()
	d, err := doc.New(doc.NamedID(app, "test"), rand.Reader)
	if err == nil {
		_, err = d.Apply(doc.Genesis(d.ID(), app))
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// update changes a document through a view.
func update[T any](t testing.TB, v *schema.View[T], d *doc.Doc, f func(*T)) {
	t.Helper()
	err := v.Update(context.Background(), schema.Of(d, nil), "", func(x *T) error { f(x); return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// read reads a document through a view, and wants nothing to report.
func read[T any](t testing.TB, v *schema.View[T], d *doc.Doc) T {
	t.Helper()
	out, report, err := v.Read(d)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Invalid) > 0 {
		t.Fatalf("reported: %v", report.Invalid)
	}
	return out
}

// merge gives documents each other's changes.
func merge(t testing.TB, docs ...*doc.Doc) {
	t.Helper()
	for _, from := range docs {
		changes, err := from.Changes()
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range docs {
			if to == from {
				continue
			}
			if applied, err := to.Apply(changes...); err != nil || len(applied.Missing) > 0 {
				t.Fatal(err, applied.Missing)
			}
		}
	}
}
