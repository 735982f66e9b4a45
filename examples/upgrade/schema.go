package main

import (
	"strings"

	"tombolo/schema"
)

// issues is what an issue is, in each version that was released. A version never changes once it is out: what is new is a new version below it. So
// the source of version 3 has all three, and that of version 1, which is issues.At(1), had the first.
var issues = schema.MustNew("com.example.issues",
	schema.V(1,
		schema.Object(schema.Root,
			schema.Text("title"),
			schema.Bool("done"),
			schema.String("fullName"), // of who reported it
			schema.String("assignee"),
			schema.List("tags", schema.String("")),
			schema.Table("todos", "Todo"),
			schema.Nested("settings", "Settings"),
			schema.Counter("votes")),
		schema.Object("Todo", schema.Text("text")),
		schema.Object("Settings", schema.String("theme", schema.Default("light"))),
	),
	schema.V(2,
		schema.Rename(schema.Root, "title", "name"),
		schema.Map(schema.Root, "done", "status", doneToStatus, schema.Enum("todo", "doing", "done", "archived")),
		schema.Hoist(schema.Root, "settings.theme", "theme"),
		schema.Add(schema.Root, schema.Int("priority", schema.Default(3))),
	),
	schema.V(3,
		schema.Add("Todo", schema.Text("notes")),
		schema.Wrap(schema.Root, "assignee", "assignees"),
		schema.Group(schema.Root, splitName),
		schema.Group(schema.Root, splitStatus, schema.String("state", schema.Enum("todo", "doing", "done"))),
	),
)

// doneToStatus: a tick says less than a status, so a status that fits the tick stays.
var doneToStatus = schema.Lens[bool, string]{
	Rev: 1,
	Up: func(done bool, prev *string) (string, error) {
		switch {
		case prev != nil && ticked(*prev) == done:
			return *prev, nil
		case done:
			return "done", nil
		}
		return "todo", nil
	},
	Down: func(status string, _ bool) (bool, error) { return ticked(status), nil },
}

func ticked(status string) bool { return status == "done" || status == "archived" }

type wholeName struct {
	Full string `doc:"fullName"`
}

type splitInTwo struct {
	First string `doc:"first"`
	Last  string `doc:"last"`
}

var splitName = schema.Lens[wholeName, splitInTwo]{
	Rev: 1,
	Up: func(old wholeName, _ *splitInTwo) (splitInTwo, error) {
		first, last, _ := strings.Cut(old.Full, " ")
		return splitInTwo{first, last}, nil
	},
	Down: func(nw splitInTwo, _ wholeName) (wholeName, error) {
		return wholeName{strings.TrimSpace(nw.First + " " + nw.Last)}, nil
	},
}

type status struct {
	Status string `doc:"status"`
}

type stateAndArchive struct {
	State    string `doc:"state"`
	Archived bool   `doc:"archived"`
}

// splitStatus stands on doneToStatus: what version 1 ticks comes through both.
var splitStatus = schema.Lens[status, stateAndArchive]{
	Rev: 1,
	Up: func(old status, prev *stateAndArchive) (stateAndArchive, error) {
		if old.Status != "archived" {
			return stateAndArchive{old.Status, false}, nil
		}
		if prev != nil {
			return stateAndArchive{prev.State, true}, nil
		}
		return stateAndArchive{"done", true}, nil
	},
	Down: func(nw stateAndArchive, _ status) (status, error) {
		if nw.Archived {
			return status{"archived"}, nil
		}
		return status{nw.State}, nil
	},
}
