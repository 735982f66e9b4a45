package doc_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tombolo/doc"
)

type task struct {
	Title string           `doc:"title,text"`
	Done  bool             `doc:"done"`
	Votes int              `doc:"votes,counter"`
	Tags  doc.Set[string]  `doc:"tags,omitempty"`
	Steps []string         `doc:"steps"`
	Sub   map[string]int64 `doc:"sub,omitempty"`
}

var tasks = doc.MustTable[task]("/tasks")

// editAt runs fn as an edit made some seconds after noon.
func editAt(t fataler, d *doc.Doc, seconds int, fn func(*doc.Tx) error) doc.Edited {
	t.Helper()
	e, err := d.Edit(doc.Note{Message: "test", Time: noon.Add(time.Duration(seconds) * time.Second)}, fn)
	must(t, err)
	return e
}

// newTask adds a record.
func newTask(t fataler, d *doc.Doc, seconds int, id string, rec task) string {
	t.Helper()
	editAt(t, d, seconds, func(tx *doc.Tx) (err error) {
		id, err = tasks.Create(tx, id, rec)
		return err
	})
	return id
}

func dropTask(t fataler, d *doc.Doc, seconds int, id string) doc.Edited {
	t.Helper()
	return editAt(t, d, seconds, func(tx *doc.Tx) error { return tasks.Delete(tx, id) })
}

func editTask(t fataler, d *doc.Doc, seconds int, id string, fn func(*task)) doc.Edited {
	t.Helper()
	return editAt(t, d, seconds, func(tx *doc.Tx) error {
		return tasks.Update(tx, id, func(rec *task) error { fn(rec); return nil })
	})
}

func taskIn(t fataler, v doc.View, id string) doc.Record[task] {
	t.Helper()
	rec, err := tasks.Get(v, id)
	must(t, err)
	return rec
}

func taskIDs(recs []doc.Record[task]) []string {
	out := []string{}
	for _, r := range recs {
		out = append(out, r.ID)
	}
	return out
}

func wantIDs(t fataler, list func(doc.View) ([]doc.Record[task], error), v doc.View, want ...string) {
	t.Helper()
	recs, err := list(v)
	must(t, err)
	if got := taskIDs(recs); !slices.Equal(got, want) {
		t.Fatalf("records %q, want %q", got, want)
	}
}

func wantTime(t fataler, what string, got time.Time, seconds int) {
	t.Helper()
	if want := noon.Add(time.Duration(seconds) * time.Second); !got.Equal(want) {
		t.Fatalf("%s at %v, want %v", what, got, want)
	}
}

func TestTable(t *testing.T) {
	d := open(t, doc.ID{1})
	wantIDs(t, tasks.List, d)
	milk := newTask(t, d, 0, "", task{Title: "milk"})
	bread := newTask(t, d, 1, "", task{Title: "bread", Steps: []string{"go", "buy"}, Votes: 2})
	eggs := newTask(t, d, 2, "eggs", task{Title: "eggs"})
	if len(milk) != 20 || milk >= bread {
		t.Errorf("IDs %q and %q", milk, bread)
	}
	wantIDs(t, tasks.List, d, milk, bread, eggs)

	rec := taskIn(t, d, bread)
	if rec.ID != bread || rec.Value.Title != "bread" || rec.Value.Votes != 2 || !slices.Equal(rec.Value.Steps, []string{"go", "buy"}) || rec.IsDeleted() {
		t.Errorf("it reads %+v", rec)
	}
	wantTime(t, "created", rec.Created, 1)
	wantTime(t, "updated", rec.Updated, 1)

	editTask(t, d, 10, bread, func(rec *task) { rec.Done = true })
	dropTask(t, d, 20, bread)
	wantIDs(t, tasks.List, d, milk, eggs)
	wantIDs(t, tasks.Deleted, d, bread)
	gone, err := tasks.Deleted(d)
	must(t, err)
	wantTime(t, "created", gone[0].Created, 1)
	wantTime(t, "updated", gone[0].Updated, 10)
	wantTime(t, "deleted", gone[0].Deleted, 20)

	before := d.Len()
	dropTask(t, d, 30, bread)
	if d.Len() != before {
		t.Error("deleting twice wrote something")
	}
	editAt(t, d, 40, func(tx *doc.Tx) error { return tasks.Restore(tx, bread) })
	editAt(t, d, 41, func(tx *doc.Tx) error { return tasks.Restore(tx, bread) })
	if rec := taskIn(t, d, bread); rec.IsDeleted() || !rec.Value.Done || rec.Value.Votes != 2 || rec.Updated != gone[0].Updated {
		t.Errorf("restored it reads %+v", rec)
	}
}

// An older version has the records as they were, with the times of then; reverting to it takes deletions back.
func TestTableAtVersion(t *testing.T) {
	d := open(t, doc.ID{1})
	id := newTask(t, d, 1, "", task{Title: "milk"})
	v, err := d.At(d.Heads())
	must(t, err)
	editTask(t, d, 2, id, func(rec *task) { rec.Done = true })
	newTask(t, d, 3, "later", task{})
	dropTask(t, d, 4, id)

	wantIDs(t, tasks.List, v, id)
	rec := taskIn(t, v, id)
	wantTime(t, "updated", rec.Updated, 1)
	if rec.Value.Done || rec.IsDeleted() {
		t.Errorf("it was %+v", rec)
	}
	_, err = d.Revert(v.Heads(), doc.Note{Time: noon})
	must(t, err)
	wantIDs(t, tasks.List, d, id)

	d.Close()
	if _, err := tasks.List(v); !errors.Is(err, doc.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// A transaction sees its own records, with the times they will have.
func TestTableInTransaction(t *testing.T) {
	d := open(t, doc.ID{1})
	var seen []doc.Record[task]
	editAt(t, d, 5, func(tx *doc.Tx) error {
		a, err := tasks.Create(tx, "", task{Title: "a"})
		must(t, err)
		b, err := tasks.Create(tx, "", task{Title: "b"})
		must(t, err)
		g, err := tasks.Create(tx, "given", task{})
		must(t, err)
		if a >= b {
			t.Errorf("%s was made before %s", a, b)
		}
		must(t, tasks.Delete(tx, b))
		wantIDs(t, tasks.List, tx, a, g)
		for rec, err := range tasks.All(tx) { // changing what is walked over
			must(t, err)
			must(t, tasks.Delete(tx, rec.ID))
			must(t, tasks.Restore(tx, rec.ID))
		}
		seen, err = tasks.List(tx)
		return err
	})
	after, err := tasks.List(d)
	must(t, err)
	if fmt.Sprint(after) != fmt.Sprint(seen) {
		t.Errorf("inside\n%v\nafter\n%v", seen, after)
	}
	wantTime(t, "created", after[0].Created, 5)
}

// twoWith is two devices with one document, which both have the record.
func twoWith(t testing.TB, id string, rec task) (a, b *doc.Doc, given string) {
	t.Helper()
	a, b = open(t, doc.ID{1}), open(t, doc.ID{1})
	given = newTask(t, a, 0, id, rec)
	merge(t, a, b)
	return a, b, given
}

// Two devices that create the same record apart have created one, with the containers of both.
func TestSameIDTwice(t *testing.T) {
	a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
	newTask(t, a, 3, "x", task{Title: "A", Steps: []string{"a"}, Tags: doc.SetOf("red")})
	newTask(t, b, 7, "x", task{Title: "B", Steps: []string{"b"}, Tags: doc.SetOf("blue"), Done: true})
	merge(t, a, b)
	for _, d := range []*doc.Doc{a, b} {
		rec := taskIn(t, d, "x")
		if v := rec.Value; len(v.Title) != 2 || len(v.Steps) != 2 || !maps.Equal(v.Tags, doc.SetOf("red", "blue")) {
			t.Errorf("it reads %+v", v)
		}
		wantTime(t, "updated", rec.Updated, 7)
		if rec.Created != taskIn(t, a, "x").Created {
			t.Error("created at different times")
		}
	}
}

// Deleting wins over an edit made at the same time, and restoring has that edit.
func TestDeleteAndEdit(t *testing.T) {
	for _, given := range []string{"", "given"} {
		a, b, id := twoWith(t, given, task{Title: "milk"})
		dropTask(t, a, 5, id)
		editTask(t, b, 6, id, func(rec *task) { rec.Title, rec.Votes = "oat milk", 3 })
		merge(t, a, b)
		for _, d := range []*doc.Doc{a, b} {
			wantIDs(t, tasks.List, d)
			recs, err := tasks.Deleted(d)
			must(t, err)
			wantTime(t, "deleted", recs[0].Deleted, 5)
			wantTime(t, "updated", recs[0].Updated, 6)
		}
		editAt(t, b, 8, func(tx *doc.Tx) error { return tasks.Restore(tx, id) })
		merge(t, a, b)
		if rec := taskIn(t, a, id); rec.Value.Title != "oat milk" || rec.Value.Votes != 3 {
			t.Errorf("restored it reads %+v", rec.Value)
		}
	}
}

func TestDeleteTwiceAndRestore(t *testing.T) {
	a, b, id := twoWith(t, "", task{})
	dropTask(t, a, 1, id)
	dropTask(t, b, 2, id)
	merge(t, a, b)
	editAt(t, a, 3, func(tx *doc.Tx) error { return tasks.Restore(tx, id) })
	merge(t, a, b)
	wantIDs(t, tasks.List, b, id)

	dropTask(t, a, 4, id)
	merge(t, a, b)
	editAt(t, a, 5, func(tx *doc.Tx) error { return tasks.Restore(tx, id) })
	editAt(t, b, 6, func(tx *doc.Tx) error {
		if err := tasks.Restore(tx, id); err != nil {
			return err
		}
		return tasks.Delete(tx, id)
	})
	merge(t, a, b)
	wantIDs(t, tasks.Deleted, a, id)
	wantIDs(t, tasks.Deleted, b, id)
}

// An older version of the program has fewer fields; what it updates keeps the others, and so do its lists of records.
func TestOlderProgram(t *testing.T) {
	old := doc.MustTable[struct {
		Title string `doc:"title,text"`
	}]("/tasks")
	for _, given := range []string{"", "given"} {
		a, b, id := twoWith(t, given, task{Title: "milk", Done: true, Tags: doc.SetOf("red")})
		editTask(t, a, 1, id, func(rec *task) { rec.Steps = []string{"go"} })
		editAt(t, b, 2, func(tx *doc.Tx) error {
			return old.Update(tx, id, func(rec *struct {
				Title string `doc:"title,text"`
			},
			) error {
				rec.Title += "!"
				return nil
			})
		})
		merge(t, a, b)
		if v := taskIn(t, a, id).Value; v.Title != "milk!" || !v.Done || !v.Tags.Has("red") || len(v.Steps) != 1 {
			t.Errorf("it reads %+v", v)
		}
	}
}

// Fields that hold a container and come late are one container for all devices.
func TestLateContainers(t *testing.T) {
	for _, given := range []string{"", "given"} {
		a, b, id := twoWith(t, given, task{})
		editTask(t, a, 1, id, func(rec *task) { rec.Tags.Add("red"); rec.Sub = map[string]int64{"a": 1} })
		editTask(t, b, 1, id, func(rec *task) { rec.Tags.Add("blue"); rec.Sub = map[string]int64{"b": 2} })
		merge(t, a, b)
		for _, d := range []*doc.Doc{a, b} {
			if v := taskIn(t, d, id).Value; !maps.Equal(v.Tags, doc.SetOf("red", "blue")) || len(v.Sub) != 2 {
				t.Errorf("given ID %q: it reads %+v", given, v)
			}
		}
	}
}

// A container that comes late to a record of the same edit needs no change of its own, nor does one below it.
func TestLateInTheSameEdit(t *testing.T) {
	d := open(t, doc.ID{1})
	newTask(t, d, 0, "", task{})
	e := editAt(t, d, 1, func(tx *doc.Tx) error {
		id, err := tasks.Create(tx, "", task{})
		must(t, err)
		return tasks.Update(tx, id, func(rec *task) error { rec.Tags.Add("red"); return nil })
	})
	if len(e.Changes) != 1 {
		t.Errorf("%d changes", len(e.Changes))
	}
	wantIDs(t, tasks.List, d, taskIDsIn(t, d)...)
}

func taskIDsIn(t testing.TB, d *doc.Doc) []string {
	t.Helper()
	m, err := doc.Get[map[string]any](d, "/tasks")
	must(t, err)
	return slices.Sorted(maps.Keys(m))
}

func TestChanged(t *testing.T) {
	a, b, id := twoWith(t, "", task{Title: "milk", Steps: []string{"one"}})
	other := newTask(t, a, 1, "", task{Title: "other"})
	merge(t, a, b)

	e := editTask(t, a, 2, id, func(rec *task) { rec.Steps = append(rec.Steps, "two") })
	recs, err := tasks.Changed(a, e.Changes)
	must(t, err)
	if len(recs) != 1 || recs[0].ID != id || len(recs[0].Value.Steps) != 2 {
		t.Errorf("changed %+v", recs)
	}
	dropTask(t, a, 3, other)
	given := newTask(t, a, 4, "given", task{Title: "new"})
	editAt(t, a, 5, func(tx *doc.Tx) error {
		return tx.Set("/elsewhere", map[string]any{"a": int64(1)})
	})
	applied, err := b.Apply(all(t, a)...)
	must(t, err)
	recs, err = tasks.Changed(b, applied.New)
	must(t, err)
	if got := taskIDs(recs); !slices.Equal(got, []string{id, other, given}) || !recs[1].IsDeleted() || recs[2].Value.Title != "new" {
		t.Errorf("changed %+v", recs)
	}

	e = editAt(t, a, 9, func(tx *doc.Tx) error { return tx.Remove("/tasks/" + id) })
	recs, err = tasks.Changed(a, e.Changes)
	must(t, err)
	if len(recs) != 1 || recs[0].ID != id {
		t.Fatalf("removed %+v", recs)
	}
	wantTime(t, "removed", recs[0].Deleted, 9)

	e = editAt(t, a, 9, func(tx *doc.Tx) error {
		if err := tx.Set("/tasks/scalar", 5); err != nil {
			return err
		}
		return tx.Set("/tasks/given/done", "no")
	})
	recs, err = tasks.Changed(a, e.Changes)
	if err == nil || len(recs) != 0 || !strings.Contains(err.Error(), "/tasks/given") || !strings.Contains(err.Error(), "/tasks/scalar") {
		t.Errorf("what does not fit: %v, %v", recs, err)
	}
	if _, err := tasks.Changed(b, e.Changes); !errors.Is(err, doc.ErrUnknownChange) {
		t.Errorf("changes of another document: %v", err)
	}
	empty := open(t, doc.ID{2})
	if recs, err := tasks.Changed(empty, nil); err != nil || len(recs) != 0 {
		t.Errorf("no table: %v, %v", recs, err)
	}
}

// A mark that is not a time, and an edit without one.
func TestTableWithoutTimes(t *testing.T) {
	d := open(t, doc.ID{1})
	_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
		_, err := tasks.Create(tx, "a", task{})
		must(t, err)
		_, err = tasks.Create(tx, "b", task{})
		must(t, err)
		must(t, tasks.Delete(tx, "a"))
		return tx.Set("/tasks/b/$deleted", true)
	})
	must(t, err)
	recs, err := tasks.Deleted(d)
	must(t, err)
	for _, rec := range recs {
		if !rec.IsDeleted() || !rec.Created.IsZero() || !rec.Updated.IsZero() || rec.Deleted.Unix() != 0 {
			t.Errorf("%+v", rec)
		}
	}
	if len(recs) != 2 {
		t.Errorf("%d deleted", len(recs))
	}
}

// Whatever two devices do with their tables, with the same changes they have the same records, and nothing that was created is ever lost.
func TestTablesConverge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		docs := []*doc.Doc{open(t, doc.ID{1}), open(t, doc.ID{1})}
		steps, known := map[string]bool{}, map[string]bool{}
		for i := range rapid.IntRange(1, 20).Draw(rt, "edits") {
			d := docs[rapid.IntRange(0, 1).Draw(rt, "device")]
			if rapid.IntRange(0, 3).Draw(rt, "merge") == 0 {
				merge(rt, docs[0], docs[1])
			}
			editAt(rt, d, i, func(tx *doc.Tx) error {
				live, err := tasks.List(tx)
				must(rt, err)
				gone, err := tasks.Deleted(tx)
				must(rt, err)
				if op := rapid.SampledFrom([]string{"create", "update", "delete", "restore"}).Draw(rt, "op"); op == "create" || len(live) == 0 {
					id := rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "id")
					id, err := tasks.Create(tx, id, task{Title: "new", Steps: []string{fmt.Sprint(i)}})
					if errors.Is(err, doc.ErrRecordExists) || errors.Is(err, doc.ErrRecordDeleted) {
						return nil
					}
					must(rt, err)
					known[id], steps[fmt.Sprint(i)] = true, true
				} else if op == "restore" && len(gone) > 0 {
					must(rt, tasks.Restore(tx, rapid.SampledFrom(gone).Draw(rt, "gone").ID))
				} else if one := rapid.SampledFrom(live).Draw(rt, "record").ID; op == "delete" {
					must(rt, tasks.Delete(tx, one))
				} else {
					steps[fmt.Sprint(i)] = true
					must(rt, tasks.Update(tx, one, func(rec *task) error {
						rec.Steps = append(rec.Steps, fmt.Sprint(i))
						rec.Done, rec.Votes = !rec.Done, rec.Votes+1
						rec.Tags.Add(fmt.Sprint(i))
						return nil
					}))
				}
				return nil
			})
		}
		merge(rt, docs[0], docs[1])
		var seen [2]string
		for i, d := range docs {
			live, err := tasks.List(d)
			must(rt, err)
			gone, err := tasks.Deleted(d)
			must(rt, err)
			seen[i] = fmt.Sprint(live, gone)
			lost := maps.Clone(steps)
			for _, rec := range slices.Concat(live, gone) {
				for _, s := range rec.Value.Steps {
					if !lost[s] {
						rt.Fatalf("step %s is there twice", s)
					}
					delete(lost, s)
				}
				if rec.Created.IsZero() || rec.Updated.Before(rec.Created) && rec.ID != "x" && rec.ID != "y" {
					rt.Fatalf("created %v, updated %v", rec.Created, rec.Updated)
				}
			}
			if len(lost) > 0 || len(live)+len(gone) != len(known) {
				rt.Fatalf("lost the steps %v; %d records and %d deleted of %d", lost, len(live), len(gone), len(known))
			}
		}
		if seen[0] != seen[1] {
			rt.Fatalf("one device has\n%s\nthe other\n%s", seen[0], seen[1])
		}
	})
}
