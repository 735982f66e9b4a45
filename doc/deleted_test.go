package doc_test

import (
	"crypto/rand"
	"testing"
	"time"

	"tombolo/doc"
)

var dusk = time.Date(2026, 11, 21, 12, 0, 0, 123_000_000, time.UTC)

func deleted(at time.Time) func(*doc.Tx) error {
	return func(tx *doc.Tx) error { return tx.SetDeleted(at) }
}

func deletion(t *testing.T, d *doc.Doc) doc.Deletion {
	t.Helper()
	del, err := d.Deletion()
	must(t, err)
	m, err := d.Marks()
	must(t, err)
	if !m.Deleted.Equal(del.Time) || (len(del.By) == 0) != del.Time.IsZero() {
		t.Errorf("the marks say %v, the deletion is %+v", m.Deleted, del)
	}
	return del
}

// A deletion is a mark beside the value: it comes and goes, and the value stays.
func TestDeletion(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, set("", m{"n": 1}))
	if del := deletion(t, d); !del.Time.IsZero() {
		t.Errorf("deleted from the start: %+v", del)
	}
	edit(t, d, deleted(dusk.Add(456*time.Microsecond)))
	del := deletion(t, d)
	if !del.Time.Equal(dusk) || len(del.By) != 1 || del.By[0] != d.Heads()[0] {
		t.Errorf("deleted: %+v, heads %v", del, d.Heads())
	}
	wantJSON(t, d, `{"n":1}`)
	n, before := d.Len(), d.Heads()
	edit(t, d, deleted(dusk.Add(time.Hour)))
	if d.Len() != n {
		t.Error("deleting twice is a change")
	}
	edit(t, d, set("/n", 2))
	edit(t, d, deleted(time.Time{}))
	if del := deletion(t, d); !del.Time.IsZero() {
		t.Errorf("still deleted: %+v", del)
	}
	if n = d.Len(); n == 0 {
		t.Error("no changes")
	}
	edit(t, d, deleted(time.Time{}))
	if d.Len() != n {
		t.Error("undeleting twice is a change")
	}
	patches, err := d.Diff(before, d.Heads())
	must(t, err)
	if got := told(t, patches); got != "replace /n 1 2" {
		t.Errorf("the diff tells of the mark: %s", got)
	}
	_, err = d.Revert(before, doc.Note{})
	must(t, err)
	if del := deletion(t, d); !del.Time.IsZero() {
		t.Errorf("a revert of the value deleted the document: %+v", del)
	}
	wantJSON(t, d, `{"n":1}`)
}

// What devices do apart: edits survive a deletion, one who takes a deletion back takes back those it knows.
func TestDeletionApart(t *testing.T) {
	a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
	merge(t, a, b)
	edit(t, a, deleted(dusk))
	edit(t, b, set("/late", true))
	merge(t, a, b)
	if deletion(t, b).Time.IsZero() {
		t.Error("an edit took the deletion back")
	}
	edit(t, b, deleted(time.Time{}))
	wantJSON(t, b, `{"late":true}`)
	merge(t, a, b)

	edit(t, a, deleted(dusk)) // both at once
	edit(t, b, deleted(dusk.Add(time.Minute)))
	merge(t, a, b)
	if del := deletion(t, a); len(del.By) != 2 {
		t.Errorf("two deletions: %+v", del)
	}
	edit(t, a, deleted(time.Time{}))
	merge(t, a, b)
	if del := deletion(t, b); !del.Time.IsZero() {
		t.Errorf("one of two deletions stayed: %+v", del)
	}

	edit(t, a, deleted(dusk)) // b does not know of the first deletion, nor that it was taken back
	edit(t, a, deleted(time.Time{}))
	edit(t, b, deleted(dusk))
	merge(t, a, b)
	if deletion(t, a).Time.IsZero() {
		t.Error("a deletion that was not known was taken back")
	}
}

func TestDeletionRefuses(t *testing.T) {
	var kept *doc.Tx
	d := open(t, doc.ID{1})
	edit(t, d, func(tx *doc.Tx) error { kept = tx; return nil })
	if err := kept.SetDeleted(dusk); err == nil {
		t.Error("deleted after the end of the edit")
	}
	bare, err := doc.New(doc.ID{2}, rand.Reader)
	must(t, err)
	if _, err := bare.Edit(doc.Note{}, deleted(dusk)); err == nil {
		t.Error("a document without a genesis was deleted")
	}
	if del := deletion(t, bare); !del.Time.IsZero() {
		t.Errorf("a document without a genesis is deleted: %+v", del)
	}
	if _, err := d.Edit(doc.Note{}, deleted(time.Unix(1<<62, 0))); err == nil {
		t.Error("a time beyond milliseconds was kept")
	}
	must(t, d.Close())
	if _, err := d.Deletion(); err == nil {
		t.Error("a closed document answers")
	}
}
