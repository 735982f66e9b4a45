package schematest_test

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"tombolo/schema"
	"tombolo/schema/schematest"
)

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
		switch {
		case o.Status == "archived" && prev != nil:
			return status3{prev.State, true}, nil
		case o.Status == "archived":
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

// issues is a schema in four versions with every step.
func issues(app string) *schema.Schema {
	return schema.MustNew(app,
		schema.V(1,
			schema.Object(schema.Root, schema.Text("title"), schema.Bool("done"), schema.String("fullName"), schema.String("assignee"), schema.String("color"),
				schema.String("body"), schema.List("tags", schema.String("")), schema.Table("todos", "Todo"), schema.Nested("settings", "Settings"),
				schema.Counter("votes"), schema.Bytes("icon"), schema.Set("watchers")),
			schema.Object("Todo", schema.Text("text"), schema.Bool("ticked"), schema.Int("minutes"), schema.Time("due")),
			schema.Object("Settings", schema.String("theme", schema.Default("light")), schema.Int("size", schema.Check(1, small))),
		),
		schema.V(2,
			schema.Rename(schema.Root, "title", "name"),
			schema.Add(schema.Root, schema.Int("priority", schema.Default(3)), schema.List("places", schema.Nested("", "Place"))),
			schema.Object("Place", schema.Float("x"), schema.Float("y")),
			schema.Hoist(schema.Root, "settings.theme", "theme"),
			schema.Map(schema.Root, "done", "status", doneStatus, schema.Enum("todo", "doing", "done", "archived")),
			schema.TextFromString(schema.Root, "body"),
			schema.Remove(schema.Root, "color"),
			schema.Map("Todo", "minutes", "hours", schema.Lens[int64, float64]{
				Rev: 1,
				Up:  func(m int64, _ *float64) (float64, error) { return float64(m) / 60, nil },
				Down: func(h float64, m int64) (int64, error) {
					if float64(m)/60 == h || math.IsNaN(h) || math.Abs(h) > 1e15 {
						return m, nil
					}
					return int64(math.Round(h * 60)), nil
				},
			}),
		),
		schema.V(3,
			schema.Add("Todo", schema.Text("notes"), schema.Table("steps", "Todo")),
			schema.Wrap(schema.Root, "assignee", "assignees"),
			schema.Group(schema.Root, splitName),
			schema.Group(schema.Root, statusState, schema.String("state", schema.Enum("todo", "doing", "done"))),
			schema.Plunge(schema.Root, "priority", "settings.priority"),
			schema.Add(schema.Root, schema.String("color", schema.Enum("red", "green"))),
			schema.Alter("Settings", schema.Int("size", schema.Default(12))),
		),
		schema.V(4,
			schema.Add(schema.Root, schema.Int("points", schema.Default(0))),
			schema.Map(schema.Root, "points", "estimate", schema.Lens[int64, string]{
				Rev: 1,
				Up:  func(n int64, _ *string) (string, error) { return strconv.FormatInt(n, 10) + " points", nil },
			}),
		),
	)
}

func small(n int64) error {
	if n < 0 || n > 5000 {
		return errors.New("it must be between 0 and 5000")
	}
	return nil
}

// strict is a schema whose last version takes a step without a way back.
func strict() *schema.Schema {
	return schema.MustNew("strict",
		schema.V(1, schema.Object(schema.Root, schema.Text("title"), schema.Int("a"), schema.Int("b"))),
		schema.V(2, schema.Add(schema.Root, schema.Set("tags"))),
		schema.V(3, schema.Group(schema.Root, schema.Lens[struct {
			A int64 `doc:"a"`
			B int64 `doc:"b"`
		}, struct {
			Sum int64 `doc:"sum"`
		}]{Rev: 1, Up: func(o struct {
			A int64 `doc:"a"`
			B int64 `doc:"b"`
		}, _ *struct {
			Sum int64 `doc:"sum"`
		}) (n struct {
			Sum int64 `doc:"sum"`
		}, err error,
		) {
			n.Sum = o.A + o.B
			return n, nil
		}}), schema.RequireWriter(3)),
	)
}

// transformed is a schema of which lenses make every field other ones: the worst case.
func transformed() *schema.Schema {
	return schema.MustNew("transformed",
		schema.V(1, schema.Object(schema.Root, schema.Bool("done"), schema.String("fullName"), schema.String("assignee"), schema.String("body"))),
		schema.V(2, schema.Map(schema.Root, "done", "status", doneStatus, schema.Enum("todo", "doing", "done", "archived")), schema.TextFromString(schema.Root, "body")),
		schema.V(3, schema.Wrap(schema.Root, "assignee", "assignees"), schema.Group(schema.Root, splitName),
			schema.Group(schema.Root, statusState, schema.String("state", schema.Enum("todo", "doing", "done")))),
	)
}

// The fleet over schemas with every step: go test ./schema/schematest -run Fleet -v -seeds 1000
func TestFleet(t *testing.T) {
	for _, s := range []*schema.Schema{issues("issues"), strict(), transformed()} {
		t.Run(s.App(), func(t *testing.T) { schematest.Fleet(t, s, schematest.Options{Seeds: 150 / slow}) })
	}
}

func TestLaws(t *testing.T) {
	for _, s := range []*schema.Schema{issues("issues"), strict()} {
		t.Run(s.App(), func(t *testing.T) { schematest.Laws(t, s, schematest.Options{}) })
	}
}

func TestFailures(t *testing.T) {
	for _, s := range []*schema.Schema{issues("issues"), strict()} {
		t.Run(s.App(), func(t *testing.T) { schematest.Failures(t, s, schematest.Options{}) })
	}
}
