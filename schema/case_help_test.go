package schema_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"tombolo/doc"
	"tombolo/schema"
)

// failer is what the tests of one story and those of many have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// docOf is a document with its genesis whose changes have the actor that is n sixteen times.
func docOf(t failer, n byte) *doc.Doc {
	t.Helper()
	d, err := doc.New(doc.NamedID(app, "test"), bytes.NewReader(bytes.Repeat([]byte{n}, 16)))
	if err == nil {
		_, err = d.Apply(doc.Genesis(d.ID(), app))
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// copyOf is a document with the same changes and another actor.
func copyOf(t failer, d *doc.Doc, n byte) *doc.Doc {
	t.Helper()
	out, err := doc.Load(d.ID(), changesOf(t, d), bytes.NewReader(bytes.Repeat([]byte{n}, 16)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func changesOf(t failer, d *doc.Doc) [][]byte {
	t.Helper()
	out, err := d.Changes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// unchanged wants that what fn does leaves no trace in a document.
func unchanged(t failer, d *doc.Doc, what string, fn func()) {
	t.Helper()
	before, hash := changesOf(t, d), hashOf(t, d)
	fn()
	if after := changesOf(t, d); !slices.EqualFunc(before, after, bytes.Equal) || hashOf(t, d) != hash {
		t.Fatalf("%s wrote: there were %d changes and are %d", what, len(before), len(after))
	}
}

func hashOf(t failer, d *doc.Doc) [32]byte {
	t.Helper()
	h, err := d.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// try changes a document through a view.
func try[T any](v *schema.View[T], d *doc.Doc, f func(*T)) error {
	return v.Update(context.Background(), schema.Of(d, nil), "", func(x *T) error { f(x); return nil })
}

// raw changes a document past all versions, as a program without a schema does, or a faulty one.
func raw(t failer, d *doc.Doc, fn func(tx *doc.Tx) error) {
	t.Helper()
	if _, err := d.Edit(doc.Note{}, fn); err != nil {
		t.Fatal(err)
	}
}

// whole is a view of all fields.
func whole(t failer, s *schema.Schema, version int) *schema.View[map[string]any] {
	t.Helper()
	v, err := schema.Bind[map[string]any](s, version)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// shownBy is what a version shows of all its fields, in canonical JSON.
func shownBy(t failer, s *schema.Schema, version int, d schema.Readable) string {
	t.Helper()
	got, _, err := whole(t, s, version).Read(d)
	if err != nil {
		t.Fatalf("read at version %d: %v", version, err)
	}
	out, err := doc.EncodeJSON(got)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// sameViews wants all documents to show the same in every version.
func sameViews(t failer, s *schema.Schema, docs ...*doc.Doc) {
	t.Helper()
	for v := 1; v <= s.Newest(); v++ {
		want := shownBy(t, s, v, docs[0])
		for i, d := range docs[1:] {
			if got := shownBy(t, s, v, d); got != want {
				t.Fatalf("at version %d device %d shows\n%s\nand device 0\n%s", v, i+1, got, want)
			}
		}
	}
	for i, d := range docs[1:] {
		if hashOf(t, d) != hashOf(t, docs[0]) {
			t.Fatalf("device %d holds something else than device 0", i+1)
		}
	}
}

// pass gives one document the first n changes of another.
func pass(t failer, from, to *doc.Doc, n int) {
	t.Helper()
	applied, err := to.Apply(changesOf(t, from)[:n]...)
	if err != nil || len(applied.Missing) > 0 {
		t.Fatal(err, applied.Missing)
	}
}

// share gives documents each other's changes.
func share(t failer, docs ...*doc.Doc) {
	t.Helper()
	for _, from := range docs {
		for _, to := range docs {
			if from != to {
				pass(t, from, to, from.Len())
			}
		}
	}
}

// text is a Go value for comparing: what is empty and what is not there are the same.
func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return strings.NewReplacer("null", "-", "[]", "-", "{}", "-").Replace(string(out))
}

// want wants two values to be the same.
func want(t testing.TB, what string, got, want any) {
	t.Helper()
	if text(got) != text(want) {
		t.Errorf("%s:\n got %s\nwant %s", what, text(got), text(want))
	}
}

// now is a moment that no document of these tests has in it.
var now = time.UnixMilli(1_800_000_000_000)
