package doc_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"tombolo/doc"
)

func TestDerivedMarks(t *testing.T) {
	d := open(t, doc.ID{9})
	u := doc.URL{Space: doc.SpaceID{1}, Doc: doc.ID{2}}
	later, other := doc.Source{URL: u, Heads: []doc.Hash{{2}, {1}}}, doc.URL{Space: doc.SpaceID{3}, Doc: doc.ID{4}}
	_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
		return errors.Join(tx.MarkSource(doc.Source{URL: u}), tx.MarkSource(later), tx.MarkDerived(other), tx.Set("/x", 1))
	})
	must(t, err)
	sources, err := d.Sources()
	must(t, err)
	if len(sources) != 2 || sources[0].URL != u || !slices.ContainsFunc(sources, func(s doc.Source) bool {
		return slices.Equal(s.Heads, []doc.Hash{{1}, {2}})
	}) {
		t.Errorf("the sources are %v", sources)
	}
	to, err := d.Derived()
	must(t, err)
	if !slices.Equal(to, []doc.URL{other}) {
		t.Errorf("derived were %v", to)
	}
	again, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return errors.Join(tx.MarkSource(later), tx.MarkDerived(other)) })
	if err != nil || len(again.Changes) != 0 {
		t.Errorf("the same marks once more are %d changes, %v", len(again.Changes), err)
	}
	if got, err := d.JSON(""); err != nil || string(got) != `{"x":1}` {
		t.Errorf("the value is %s, %v", got, err)
	}
	if doc.DerivedID(u.Doc, "a") == doc.DerivedID(u.Doc, "b") || doc.DerivedID(u.Doc, "a") == doc.DerivedID(other.Doc, "a") {
		t.Error("two documents have one ID")
	}
	if got := doc.DerivedID(doc.ID{1}, "a").String(); got != "aexhdnlezm4vjiv6dd4dfxqjtu" {
		t.Errorf("the ID is %s: devices of two versions would derive two documents", got)
	}
}

func TestDerivedMarksRefuse(t *testing.T) {
	d, err := doc.New(doc.ID{1}, rand.Reader)
	must(t, err)
	for _, mark := range []func(*doc.Tx) error{
		func(tx *doc.Tx) error { return tx.MarkSource(doc.Source{}) },
		func(tx *doc.Tx) error { return tx.MarkDerived(doc.URL{}) },
	} {
		if _, err := d.Edit(doc.Note{}, mark); err == nil {
			t.Error("a document without genesis is marked")
		}
	}
	if s, err := d.Sources(); err != nil || s != nil {
		t.Errorf("it has %v, %v", s, err)
	}
	must(t, d.Close())
	if _, err := d.Derived(); !errors.Is(err, doc.ErrClosed) {
		t.Errorf("of a closed document: %v", err)
	}
}
