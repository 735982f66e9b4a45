package doc_test

import (
	"errors"
	"testing"

	"tombolo/doc"
)

func TestDeleteRecord(t *testing.T) {
	d := open(t, doc.ID{1})
	id := newTask(t, d, 0, "", task{Title: "milk"})
	edit(t, d, set("/other", m{"7": m{"steps": m{"1": m{}}}, "x": 1}))
	editAt(t, d, 5, func(tx *doc.Tx) error { return tx.DeleteRecord("/tasks/" + id) })
	gone, err := tasks.Deleted(d)
	must(t, err)
	if len(gone) != 1 {
		t.Fatalf("%d records are deleted", len(gone))
	}
	wantTime(t, "deleted", gone[0].Deleted, 5)
	n := d.Len()
	editAt(t, d, 6, func(tx *doc.Tx) error { return tx.DeleteRecord("/tasks/" + id) })
	if d.Len() != n {
		t.Error("deleting twice wrote something")
	}
	editAt(t, d, 7, func(tx *doc.Tx) error { return tx.DeleteRecord("/other/7/steps/1") })
	if got, err := d.JSON("/other"); err != nil || string(got) != `{"7":{"steps":{"1":{"$$deleted":{"$time":"2026-11-21T12:00:07.000Z"}}}},"x":1}` {
		t.Errorf("%s, %v", got, err)
	}
	n = d.Len()
	for path, none := range map[string]bool{
		"/tasks/none": true, "/none/1": true, "/tasks/$deleted": true, "/other/x": false, "/other": false, "": false, "/~/x": false, "/$m/gone": false, "/other/x/y": false,
	} {
		_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.DeleteRecord(path) })
		if err == nil || errors.Is(err, doc.ErrNoRecord) != none || d.Len() != n {
			t.Errorf("%s: %v", path, err)
		}
	}
}
