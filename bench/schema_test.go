package main

import (
	"slices"
	"testing"

	"tombolo/schema"
)

// What the benchmark compares is the same: a version's view of a document, and the document without a schema.
func TestTracked(t *testing.T) {
	view, raw, err := tracked(3)
	if err != nil {
		t.Fatal(err)
	}
	shown, report, err := viewV3.Read(schema.Of(view, nil))
	if err != nil || len(report.Invalid) > 0 {
		t.Fatal(report, err)
	}
	var same rawV3
	if err := raw.Read("", &same); err != nil {
		t.Fatal(err)
	}
	if shown.Name != same.Name || shown.Status != "doing" || same.First != "Zoe" || shown.First != "Zoe" || len(shown.Todos) != 3 || len(same.Todos) != 3 ||
		shown.Todos["todo-1"] != todoV3(same.Todos["todo-1"]) || !slices.Equal(shown.Tags, same.Tags) || same.Assignees.Len() != 2 {
		t.Errorf("%+v\n%+v", shown, same)
	}
}

// The fleet's edits work in all versions and both ways.
func TestFleetSize(t *testing.T) {
	for seed := range uint64(3) {
		views, err := fleetSize(seed, 40, issues.App(), writeThrough)
		if err != nil {
			t.Fatal(err)
		}
		naive, err := fleetSize(seed, 40, "naive", writeNaive)
		if err != nil {
			t.Fatal(err)
		}
		if views == 0 || naive == 0 {
			t.Errorf("%d and %d bytes", views, naive)
		}
	}
}
