package doc_test

import (
	"testing"

	"tombolo/doc"
	"tombolo/doc/gate"
)

// A change that begins as a seed and goes on otherwise is none: history shows it.
func TestDisguisedAsSeed(t *testing.T) {
	a := open(t, doc.ID{1})
	e := seeded(t, a, seed("title", doc.Text("hi")))
	s, err := gate.Parse(e.Changes[0].Raw)
	must(t, err)
	disguised, err := gate.Encode(gate.Change{Deps: s.Deps, Actor: s.Actor, Others: s.Others, Seq: 1, StartOp: s.StartOp}, func(yield func(*gate.Op) bool) {
		for op := range s.Operations() {
			if !yield(op) {
				return
			}
		}
		yield(&gate.Op{Key: "secret", Action: gate.ActSet, Type: gate.TypeTrue})
	})
	must(t, err)
	b := open(t, doc.ID{1})
	_, err = b.Apply(disguised)
	must(t, err)
	for e := range b.History() {
		if e.Ops == 4 && e.Structural {
			t.Error("history takes it for a seed")
		}
	}
	for e := range a.History() {
		if e.Hash == s.Hash && !e.Structural {
			t.Error("history does not know a seed")
		}
	}
}

// Whoever takes the place of a seed with something else keeps that seed from being made, and nothing more: the edit is an error, and the document goes on.
func TestSeedIsTaken(t *testing.T) {
	a := open(t, doc.ID{1})
	s, err := gate.Parse(seeded(t, a, seed("title", doc.Text("hi"))).Changes[0].Raw)
	must(t, err)
	taken, err := gate.Encode(gate.Change{Deps: s.Deps, Actor: s.Actor, Seq: 1, StartOp: s.StartOp}, func(yield func(*gate.Op) bool) {
		yield(&gate.Op{Key: "other", Action: gate.ActSet, Type: gate.TypeTrue})
	})
	must(t, err)
	b := open(t, doc.ID{1})
	_, err = b.Apply(taken)
	must(t, err)
	heads := b.Heads()
	_, err = b.Edit(doc.Note{}, func(tx *doc.Tx) error {
		must(t, tx.Set("box", m{}))
		return tx.Seed("title", doc.Text("hi"))
	})
	if err == nil {
		t.Error("it was seeded")
	}
	t.Log(err)
	if got := b.Heads(); len(got) != 1 || got[0] != heads[0] {
		t.Errorf("a failed edit left %v", got)
	}
	edit(t, b, set("title", doc.Text("hi")))
	edit(t, b, seed("note", doc.Text("hi")))
	wantJSON(t, b, `{"note":{"$text":"hi"},"other":true,"title":{"$text":"hi"}}`)
}
