package doc_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tombolo/doc"
)

type initTask struct {
	Title string `doc:"title"`
}

var initTasks = doc.MustTable[initTask]("/tasks")

// beginning is what version n of a program begins a document with: an item, a text and a record, and another of its own.
func beginning(n int) func(*doc.Tx) error {
	return func(tx *doc.Tx) error {
		if err := tx.Set("/items", []any{"milk", map[string]any{"version": n, "list": []any{1}}}); err != nil {
			return err
		}
		if err := tx.Set("/title", doc.Text("list")); err != nil {
			return err
		}
		for _, title := range []string{"first", fmt.Sprint("of version ", n)} {
			if _, err := initTasks.Create(tx, "", initTask{title}); err != nil {
				return err
			}
		}
		return tx.Set("/due", time.Unix(1_700_000_000, 0))
	}
}

var aTime = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// Devices that begin a document apart with the same function have made the same changes.
func TestInitTwice(t *testing.T) {
	a, err := doc.Init(doc.ID{1}, "app", aTime, beginning(1))
	must(t, err)
	b, err := doc.Init(doc.ID{1}, "app", aTime.Add(time.Hour), beginning(1))
	must(t, err)
	if !slices.EqualFunc(a, b, bytes.Equal) {
		t.Fatal("two devices made other changes")
	}
	d, err := doc.Load(doc.ID{1}, slices.Concat(a, b), rand.Reader)
	must(t, err)
	rows, err := initTasks.List(d)
	must(t, err)
	if got, err := d.JSON("/items"); err != nil || string(got) != `["milk",{"list":[1],"version":1}]` || len(rows) != 2 {
		t.Errorf("the document has %s and %d records, %v", got, len(rows), err)
	}
	_, err = d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("/more", 1) })
	must(t, err)
	for _, other := range []struct {
		id  doc.ID
		app string
	}{{doc.ID{2}, "app"}, {doc.ID{1}, "other"}} {
		c, err := doc.Init(other.id, other.app, aTime, beginning(1))
		must(t, err)
		if bytes.Equal(c[len(c)-1], a[len(a)-1]) {
			t.Errorf("document %s of %s begins with the same change", other.id.Short(), other.app)
		}
	}
}

// What versions of a program begin a document with is all there, in whatever order it meets.
func TestInitOfVersions(t *testing.T) {
	one, err := doc.Init(doc.ID{1}, "app", aTime, beginning(1))
	must(t, err)
	two, err := doc.Init(doc.ID{1}, "app", aTime, beginning(2))
	must(t, err)
	var hashes [][32]byte
	for _, changes := range [][][]byte{slices.Concat(one, two), slices.Concat(two, one)} {
		d, err := doc.Load(doc.ID{1}, changes, rand.Reader)
		must(t, err)
		rows, err := initTasks.List(d)
		must(t, err)
		items, err := d.Get("/items")
		must(t, err)
		if len(rows) != 4 || len(items.([]any)) != 4 {
			t.Errorf("%d records and %d items of 4 each", len(rows), len(items.([]any)))
		}
		h, err := d.Hash()
		must(t, err)
		hashes = append(hashes, h)
	}
	if hashes[0] != hashes[1] {
		t.Error("the order matters")
	}
}

// A function that writes something else each time is refused, and its own errors are passed on.
func TestInitRefuses(t *testing.T) {
	n := 0
	for name, fn := range map[string]func(*doc.Tx) error{
		"random bytes": func(tx *doc.Tx) error {
			b := make([]byte, 8)
			rand.Read(b)
			return tx.Set("/b", b)
		},
		"a random ID":      func(tx *doc.Tx) error { _, err := initTasks.Create(tx, rand.Text(), initTask{}); return err },
		"the time of now":  func(tx *doc.Tx) error { return tx.Set("/m", map[string]any{"at": []any{aTime}}) },
		"a change of mind": func(tx *doc.Tx) error { n++; return tx.Set("/n", n/2) },
		"a late change":    func(tx *doc.Tx) error { n++; return tx.Set("/n", make([]any, 1+n/3)) },
	} {
		n = 0
		if _, err := doc.Init(doc.ID{1}, "app", aTime, fn); !errors.Is(err, doc.ErrNotSame) {
			t.Errorf("%s: %v", name, err)
		}
	}
	mine := errors.New("mine")
	for late := range 3 {
		runs := 0
		_, err := doc.Init(doc.ID{1}, "app", aTime, func(tx *doc.Tx) error {
			if runs++; runs > late {
				return mine
			}
			return tx.Set("/n", 1)
		})
		if !errors.Is(err, mine) {
			t.Errorf("an error in run %d: %v", late+1, err)
		}
	}
}

// Nothing, and containers alone, are a beginning too.
func TestInitOfNothing(t *testing.T) {
	for want, fn := range map[string]func(*doc.Tx) error{
		`{}`:          func(*doc.Tx) error { return nil },
		`{"list":[]}`: func(tx *doc.Tx) error { return tx.Set("/list", []any{}) },
	} {
		changes, err := doc.Init(doc.ID{1}, "app", aTime, fn)
		must(t, err)
		d, err := doc.Load(doc.ID{1}, changes, rand.Reader)
		must(t, err)
		if got, err := d.JSON(""); err != nil || string(got) != want {
			t.Errorf("it is %s, %v; want %s", got, err, want)
		}
	}
}
