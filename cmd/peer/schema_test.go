package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tombolo"
	"tombolo/doc"
	"tombolo/schema"
)

var (
	noteV1 = schema.V(1, schema.Object(schema.Root, schema.String("title")))
	noteV2 = schema.V(2, schema.Add(schema.Root, schema.String("color")))
	noteV3 = schema.V(3, schema.Add(schema.Root, schema.Int("stars")), schema.RequireWriter(3))

	// programs are the versions of a program that stories have write: 2x is another definition of 2.
	programs = map[string]*schema.Schema{
		"1":  schema.MustNew("com.example.notes", noteV1),
		"2":  schema.MustNew("com.example.notes", noteV1, noteV2),
		"2x": schema.MustNew("com.example.notes", noteV1, schema.V(2, schema.Add(schema.Root, schema.Bool("color")))),
		"3":  schema.MustNew("com.example.notes", noteV1, noteV2, noteV3),
	}
)

// writes has a version of a program write to its document "note" in a directory that nobody else has open.
func writes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || programs[args[1]] == nil {
		ts.Fatalf("usage: writes DIR VERSION")
	}
	ctx, s := context.Background(), programs[args[1]]
	view, err := schema.Bind[map[string]any](s, s.Newest())
	ts.Check(err)
	e, err := tombolo.Open(ctx, ts.MkAbs(args[0]), &tombolo.Options{App: s.App(), Offline: true})
	ts.Check(err)
	h, err := e.Home().Open(ctx, "note")
	if err == nil {
		err = h.Change(ctx, "write", func(tx *doc.Tx) error {
			return view.Edit(tx, func(m *map[string]any) error {
				(*m)["title"] = "by " + args[1]
				return nil
			})
		})
		err = errors.Join(err, h.Close())
	}
	ts.Check(errors.Join(err, e.Close()))
}

// The status says why a document is read-only that is so by itself.
func TestStatusNamesProblems(t *testing.T) {
	var out strings.Builder
	(&peer{now: time.Now}).printStatus(&out, tombolo.Status{Documents: []tombolo.DocumentStatus{
		{URL: "tombolo:a", State: tombolo.StateReadOnly, Problem: "persist: layout 2 is not known; update\x1b"},
		{URL: "tombolo:b", State: tombolo.StateReadOnly},
	}})
	if got := out.String(); !strings.Contains(got, "\ntombolo:a is read-only: layout 2 is not known; update\uFFFD\n") || strings.Contains(got, "tombolo:b is") {
		t.Errorf("the status is:\n%s", got)
	}
}
