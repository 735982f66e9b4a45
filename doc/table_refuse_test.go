package doc_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tombolo/doc"
)

func TestTableRefuses(t *testing.T) {
	d := open(t, doc.ID{1})
	a := newTask(t, d, 0, "a", task{})
	b := newTask(t, d, 0, "", task{})
	dropTask(t, d, 1, a)
	editAt(t, d, 0, func(tx *doc.Tx) error {
		_, err := tasks.Create(tx, "byPath", task{Title: "x"})
		must(t, err)
		must(t, tx.Remove("/tasks/byPath"))
		return tx.Set("/tasks/scalar", 5)
	})
	boom := errors.New("boom")
	before, heads := d.Hash, d.Heads()
	want, err := before()
	must(t, err)
	nothing := func(*task) error { return nil }
	createID := func(id string) func(tx *doc.Tx) error {
		return func(tx *doc.Tx) error { _, err := tasks.Create(tx, id, task{}); return err }
	}
	for name, c := range map[string]struct {
		fn   func(tx *doc.Tx) error
		want error
	}{
		"create, in use":          {createID(b), doc.ErrRecordExists},
		"create, deleted":         {createID(a), doc.ErrRecordDeleted},
		"create, removed by path": {createID("byPath"), doc.ErrRecordDeleted},
		"create, scalar there":    {createID("scalar"), nil},
		"create, reserved":        {createID("$x"), nil},
		"create, not UTF-8":       {createID("\xff"), nil},
		"create, bad value":       {func(tx *doc.Tx) error { _, err := tasks.Create(tx, "", task{Title: "\xff"}); return err }, nil},
		"update, deleted":         {func(tx *doc.Tx) error { return tasks.Update(tx, a, nothing) }, doc.ErrRecordDeleted},
		"update, none":            {func(tx *doc.Tx) error { return tasks.Update(tx, "none", nothing) }, doc.ErrNoRecord},
		"update, fails":           {func(tx *doc.Tx) error { return tasks.Update(tx, b, func(*task) error { return boom }) }, boom},
		"update, bad value": {func(tx *doc.Tx) error {
			return tasks.Update(tx, b, func(r *task) error { r.Title = "\xff"; return nil })
		}, nil},
		"update, no record":        {func(tx *doc.Tx) error { return tasks.Update(tx, "scalar", nothing) }, nil},
		"delete, none":             {func(tx *doc.Tx) error { return tasks.Delete(tx, "none") }, doc.ErrNoRecord},
		"delete, reserved":         {func(tx *doc.Tx) error { return tasks.Delete(tx, "$x") }, doc.ErrNoRecord},
		"delete, removed by path":  {func(tx *doc.Tx) error { return tasks.Delete(tx, "byPath") }, doc.ErrNoRecord},
		"restore, removed by path": {func(tx *doc.Tx) error { return tasks.Restore(tx, "byPath") }, doc.ErrNoRecord},
		"restore, scalar":          {func(tx *doc.Tx) error { return tasks.Restore(tx, "scalar") }, nil},
		"get, deleted":             {func(tx *doc.Tx) error { _, err := tasks.Get(tx, a); return err }, doc.ErrRecordDeleted},
		"get, none":                {func(tx *doc.Tx) error { _, err := tasks.Get(tx, "none"); return err }, doc.ErrNoRecord},
	} {
		_, err := d.Edit(doc.Note{}, c.fn)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if got, _ := d.Hash(); got != want || !slices.Equal(d.Heads(), heads) {
			t.Errorf("%s: it left a trace", name)
		}
	}
	// The record that cannot be read does not keep the others from being read.
	recs, err := tasks.List(d)
	if err == nil || !strings.Contains(err.Error(), "/tasks/scalar") || !slices.Equal(taskIDs(recs), []string{b}) {
		t.Errorf("%q, %v", taskIDs(recs), err)
	}
	var walked []string
	for rec, err := range tasks.All(d) {
		walked = append(walked, fmt.Sprint(rec.ID, err == nil))
	}
	if !slices.Equal(walked, []string{b + "true", "false"}) {
		t.Errorf("walked %q", walked)
	}
	for range tasks.All(d) {
		break
	}

	var over *doc.Tx
	editAt(t, d, 0, func(tx *doc.Tx) error { over = tx; return nil })
	_, err1 := tasks.Create(over, "", task{})
	_, err2 := tasks.List(over)
	for _, err := range []error{err1, err2, tasks.Update(over, b, nothing), tasks.Delete(over, b), tasks.Restore(over, b)} {
		if err == nil {
			t.Error("a transaction that is over was used")
		}
	}
	d.Close()
	_, err3 := tasks.List(d)
	_, err4 := tasks.Changed(d, nil)
	for _, err := range []error{err3, err4} {
		if !errors.Is(err, doc.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	}
	n := 0
	for _, err := range tasks.All(d) {
		if n++; !errors.Is(err, doc.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d records of a closed document", n)
	}
}

func TestTableTypes(t *testing.T) {
	for name, err := range map[string]error{
		"root":        errOf(doc.NewTable[task]("")),
		"bad pointer": errOf(doc.NewTable[task]("/~2")),
		"marks":       errOf(doc.NewTable[task]("/$m/x")),
		"empty key":   errOf(doc.NewTable[task]("/a//b")),
		"int":         errOf(doc.NewTable[int]("/t")),
		"map":         errOf(doc.NewTable[map[string]any]("/t")),
		"time":        errOf(doc.NewTable[time.Time]("/t")),
		"pointer":     errOf(doc.NewTable[*task]("/t")),
		"func":        errOf(doc.NewTable[struct{ F func() }]("/t")),
		"reserved": errOf(doc.NewTable[struct {
			A int `doc:"$deleted"`
		}]("/t")),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("MustTable accepted it")
		}
	}()
	doc.MustTable[int]("/t")
}

func errOf[T any](_ T, err error) error { return err }

// Where something else stands, there is no table, and nothing is written over it.
func TestTableElsewhere(t *testing.T) {
	d := open(t, doc.ID{1})
	deep, err := doc.NewTable[task]("/app/tasks")
	must(t, err)
	if deep.Path() != "/app/tasks" {
		t.Errorf("path %q", deep.Path())
	}
	editAt(t, d, 0, func(tx *doc.Tx) error {
		_, err := deep.Create(tx, "a", task{Title: "x"})
		must(t, err)
		return tx.Set("/tasks", []any{int64(1)})
	})
	wantIDs(t, deep.List, d, "a")
	for name, fn := range map[string]func(tx *doc.Tx) error{
		"create":     func(tx *doc.Tx) error { return errOf(tasks.Create(tx, "", task{})) },
		"create, id": func(tx *doc.Tx) error { return errOf(tasks.Create(tx, "a", task{})) },
		"list":       func(tx *doc.Tx) error { return errOf(tasks.List(tx)) },
		"delete":     func(tx *doc.Tx) error { return tasks.Delete(tx, "a") },
	} {
		if _, err := d.Edit(doc.Note{}, fn); err == nil || !strings.Contains(err.Error(), "/tasks") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, err := range tasks.All(d) {
		if err == nil {
			t.Error("it walks over a list")
		}
	}
	if _, err := tasks.Changed(d, nil); err == nil {
		t.Error("a list has changed records")
	}
	within, err := doc.NewTable[task]("/tasks/0")
	must(t, err)
	if _, err := within.List(d); err == nil {
		t.Error("a table in a list")
	}
	// A table that was removed as a whole is empty, and comes back with its next record.
	editAt(t, d, 0, func(tx *doc.Tx) error { return tx.Remove("/app") })
	wantIDs(t, deep.List, d)
	editAt(t, d, 0, func(tx *doc.Tx) error { return errOf(deep.Create(tx, "b", task{})) })
	wantIDs(t, deep.List, d, "b")
}
