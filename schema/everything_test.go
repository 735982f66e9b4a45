package schema_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tombolo/schema"
)

type nameBefore struct {
	Full  string  `doc:"fullName"`
	Title *string `doc:"salutation"`
}

type nameAfter struct {
	First string `doc:"first"`
	Last  string `doc:"last"`
}

// turned is a lens between a bool and its opposite.
var turned = schema.Lens[bool, bool]{
	Rev:  1,
	Up:   func(old bool, _ *bool) (bool, error) { return !old, nil },
	Down: func(nw bool, _ bool) (bool, error) { return !nw, nil },
}

// everything is a history with every kind of field, option and step.
func everything() []schema.Version {
	born := time.UnixMilli(1_700_000_000_123)
	short := func(s string) error {
		if len(s) > 100 {
			return errors.New("longer than 100 bytes")
		}
		return nil
	}
	even := func(n int8) error {
		if n%2 != 0 {
			return fmt.Errorf("%d is odd", n)
		}
		return nil
	}
	v1 := schema.V(
		1,
		schema.Object(
			schema.Root,
			schema.Text("title"), schema.String("color", schema.Enum("red", "green"), schema.Default("red"), schema.OnInvalid(schema.KeepRaw)),
			schema.Int("size", schema.Check(1, even), schema.Default(4)), schema.Float("weight", schema.Default(1)),
			schema.Bool("done", schema.Default(false)), schema.Time("born", schema.Default(born)), schema.Bytes("image", schema.Default([]byte{1, 2})),
			schema.Counter("votes", schema.OnInvalid(schema.FailRead)), schema.Set("labels"), schema.List("tags", schema.String("", schema.Check(2, short))),
			schema.List("line", schema.Nested("", "Point")), schema.Table("todos", "Todo"), schema.Nested("settings", "Settings"),
			schema.String("fullName"), schema.String("salutation"), schema.String("assignee"), schema.String("body"),
		),
		schema.Object("Todo", schema.Text("text"), schema.Bool("done"), schema.Nested("place", "Place"), schema.Table("parts", "Todo")),
		schema.Object("Settings", schema.String("theme", schema.Default("light")), schema.Nested("home", "Place"), schema.Bool("dense")),
		schema.Object("Place", schema.String("street"), schema.Bool("public"), schema.Nested("geo", "Geo")),
		schema.Object("Geo", schema.Float("lat"), schema.Float("lon")),
		schema.Object("Point", schema.Float("x"), schema.Float("y")),
	)
	v2 := schema.V(
		2,
		schema.Rename(schema.Root, "title", "name"),
		schema.Add(schema.Root, schema.Int("priority", schema.Default(3))),
		schema.Hoist(schema.Root, "settings.theme", "theme"),
		schema.Hoist(schema.Root, "settings.home.geo.lat", "latitude"),
		schema.Remove(schema.Root, "color"),
		schema.Alter(schema.Root, schema.Int("size", schema.Default(6), schema.OnInvalid(schema.FailRead))),
		schema.Map(schema.Root, "done", "status", schema.Lens[bool, string]{
			Rev: 1,
			Up: func(done bool, prev *string) (string, error) {
				if prev != nil && (*prev == "done") == done {
					return *prev, nil
				}
				return map[bool]string{true: "done", false: "todo"}[done], nil
			},
			Down: func(status string, _ bool) (bool, error) { return status == "done", nil },
		}, schema.Enum("todo", "doing", "done"), schema.Default("todo")),
		schema.Map("Place", "public", "private", turned),
		schema.Add("Place", schema.Text("notes"), schema.String("zip")),
	)
	v3 := schema.V(
		3,
		schema.Wrap(schema.Root, "assignee", "assignees"),
		schema.Group(schema.Root, schema.Lens[nameBefore, nameAfter]{
			Rev: 2,
			Up: func(o nameBefore, _ *nameAfter) (nameAfter, error) {
				first, last, _ := strings.Cut(o.Full, " ")
				return nameAfter{first, last}, nil
			},
		}, schema.String("last", schema.Check(3, short))),
		schema.RequireWriter(3),
		schema.TextFromString(schema.Root, "body"),
		schema.Plunge(schema.Root, "priority", "settings.home.priority"),
		schema.Add(schema.Root, schema.Table("log", "Entry"), schema.String("color"), schema.Nested("office", "Place")),
		schema.Object("Entry", schema.Time("at"), schema.Nested("where", "Place")),
		schema.Rename("Geo", "lat", "north"),
		schema.Map(schema.Root, "status", "open", schema.Lens[string, bool]{
			Rev: 1,
			Up:  func(status string, _ *bool) (bool, error) { return status != "done", nil },
			Down: func(open bool, prev string) (string, error) {
				return map[bool]string{true: "todo", false: "done"}[open], nil
			},
		}),
		schema.Map("Place", "private", "public", turned),
	)
	return []schema.Version{v1, v2, v3}
}
