package tombolo_test

import (
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/schema"
)

// fixtureSchema is what the document "issue" of recorded directories was written by. Never change it.
var fixtureSchema = schema.MustNew("fixture",
	schema.V(1, schema.Object(schema.Root, schema.Text("title"), schema.Bool("done"), schema.String("fullName"), schema.String("owner"),
		schema.Counter("votes"), schema.Table("todos", "Todo")),
		schema.Object("Todo", schema.Text("text"))),
	schema.V(2, schema.Rename(schema.Root, "title", "name"),
		schema.Map(schema.Root, "done", "status", schema.Lens[bool, string]{
			Rev: 1,
			Up: func(done bool, prev *string) (string, error) {
				if prev != nil && (*prev != "todo") == done {
					return *prev, nil
				}
				return map[bool]string{false: "todo", true: "done"}[done], nil
			},
			Down: func(status string, _ bool) (bool, error) { return status != "todo", nil },
		}, schema.Enum("todo", "done", "archived"))),
	schema.V(3, schema.Wrap(schema.Root, "owner", "owners"), schema.Add("Todo", schema.Text("notes")),
		schema.Group(schema.Root, schema.Lens[fixtureFull, fixtureNames]{
			Rev: 1,
			Up: func(o fixtureFull, _ *fixtureNames) (fixtureNames, error) {
				first, last, _ := strings.Cut(o.FullName, " ")
				return fixtureNames{first, last}, nil
			},
			Down: func(n fixtureNames, _ fixtureFull) (fixtureFull, error) {
				return fixtureFull{n.First + " " + n.Last}, nil
			},
		})),
)

type fixtureFull struct {
	FullName string `doc:"fullName"`
}

type fixtureNames struct {
	First string `doc:"first"`
	Last  string `doc:"last"`
}

// fixtureViews are what its versions show.
var fixtureViews = []string{
	`{"done":true,"fullName":"Ann Quinn","owner":"cem","title":{"$text":"Bug!"},"todos":{"t1":{"text":{"$text":"look"}}},"votes":{"$counter":3}}`,
	`{"fullName":"Ann Quinn","name":{"$text":"Bug!"},"owner":"cem","status":"archived","todos":{"t1":{"text":{"$text":"look"}}},"votes":{"$counter":3}}`,
	`{"first":"Ann","last":"Quinn","name":{"$text":"Bug!"},"owners":{"bob":true,"cem":true},"status":"archived","todos":{"t1":{"notes":{"$text":"twice"},"text":{"$text":"look"}}},"votes":{"$counter":3}}`,
}

type tree = map[string]any

// recordIssue writes the document "issue" by versions 1, 3, 2 and 1 again.
func recordIssue(t *testing.T, e *tombolo.Engine) {
	t.Helper()
	h, err := e.Home().Open(t.Context(), "issue")
	must(t, err)
	update := func(version int, change func(tree)) {
		t.Helper()
		view := schema.MustBind[tree](fixtureSchema, version)
		must(t, view.Update(t.Context(), h, "", func(v *tree) error { change(*v); return nil }))
	}
	update(1, func(v tree) {
		v["title"], v["fullName"], v["owner"], v["votes"] = doc.Text("Bug"), "Ann Lee", "ann", doc.Counter(2)
		v["todos"] = tree{"t1": tree{"text": doc.Text("look")}}
	})
	update(3, func(v tree) {
		v["status"], v["last"], v["owners"] = "archived", "Quinn", tree{"ann": true, "bob": true}
		v["todos"].(tree)["t1"].(tree)["notes"] = doc.Text("twice")
	})
	update(2, func(v tree) { v["name"], v["votes"] = doc.Text("Bug!"), doc.Counter(3) })
	update(1, func(v tree) { v["owner"] = "cem" })
	must(t, h.Close())
}

// holdsIssue reads that document in every version.
func holdsIssue(t *testing.T, e *tombolo.Engine) {
	t.Helper()
	h, err := e.Home().Find(t.Context(), "fixture", "issue")
	must(t, err)
	defer h.Close()
	for i, want := range fixtureViews {
		v, report, err := schema.MustBind[tree](fixtureSchema, i+1).Read(h)
		must(t, err)
		got, err := doc.EncodeJSON(v)
		if must(t, err); string(got) != want || len(report.Invalid) > 0 {
			t.Errorf("version %d shows %s and reports %v, want %s", i+1, got, report.Invalid, want)
		}
	}
	s, err := h.Status(t.Context())
	if must(t, err); len(s.Schema) != 3 {
		t.Errorf("its status names the versions %v", s.Schema)
	}
}
