package doc_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"tombolo/doc"
	"tombolo/doc/gate"
)

// everyDeed calls each method of a transaction.
func everyDeed(tx *doc.Tx) map[string]error {
	var x any
	return map[string]error{
		"Get": errOf(tx.Get("")), "Read": tx.Read("", &x), "Set": tx.Set("a", 1), "Put": tx.Put(map[string]any{}), "Remove": tx.Remove("a"),
		"Add": tx.Add("a", 1), "Append": tx.List("l").Append(1), "Insert": tx.List("l").Insert(0, 1), "Delete": tx.List("l").Delete(0, 0),
		"Reinsert": tx.List("l").Reinsert(0, 0), "Splice": tx.Text("t").Splice(0, 0, "x"), "Patch": tx.Patch([]byte("[]")),
		"SetName": tx.SetName("n"), "Cursor": errOf(tx.Cursor("l", 0)), "Position": errOf(tx.Position(doc.Cursor{})),
		"Create": errOf(tasks.Create(tx, "", task{})), "Update": tasks.Update(tx, "x", func(*task) error { return nil }),
		"Mark": tasks.Delete(tx, "x"), "Restore": tasks.Restore(tx, "x"), "Rows": errOf(tasks.List(tx)),
		"Content": tx.Content(func(doc.Content) error { return nil }), "MarkSchema": tx.MarkSchema(lineage(1)), "RequireWriter": tx.RequireWriter(1),
		"Seed": tx.Seed("s", 1), "DeleteRecord": tx.DeleteRecord("/tasks/x"),
	}
}

func TestTransactionOver(t *testing.T) {
	d := open(t, doc.ID{1})
	boom := errors.New("boom")
	for _, end := range []error{nil, boom} {
		var kept *doc.Tx
		_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
			kept = tx
			return end
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
		heads := d.Heads()
		for name, err := range everyDeed(kept) {
			if err == nil || !strings.Contains(err.Error(), "transaction is over") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if fmt.Sprint(d.Heads()) != fmt.Sprint(heads) {
			t.Error("it wrote something")
		}
	}
}

func TestClosed(t *testing.T) {
	d := open(t, doc.ID{8})
	edit(t, d, func(tx *doc.Tx) error { return tx.Set("t", doc.Text("abc")) })
	heads := d.Heads()
	then, err := d.At(heads)
	must(t, err)
	c, err := d.Cursor("t", 1)
	must(t, err)
	if d.Size() <= 0 || d.Graph().Len() != d.Len() {
		t.Errorf("%d bytes, %d changes of %d", d.Size(), d.Graph().Len(), d.Len())
	}
	must(t, d.Close())
	must(t, d.Close())
	var x any
	for name, err := range map[string]error{
		"Get": errOf(d.Get("")), "Read": d.Read("", &x), "JSON": errOf(d.JSON("")), "Hash": errOf(d.Hash()), "Edit": errOf(d.Edit(doc.Note{}, nil)),
		"Apply": errOf(d.Apply()), "Save": errOf(d.Save(nil)), "Marks": errOf(d.Marks()), "Change": errOf(d.Change(heads[0])),
		"Changes": errOf(d.Changes()), "At": errOf(d.At(heads)), "Revert": errOf(d.Revert(heads, doc.Note{})), "Diff": errOf(d.Diff(nil, heads)),
		"Entry": errOf(d.Entry(heads[0])), "Conflicts": errOf(d.Conflicts("t")), "AllConflicts": errOf(d.AllConflicts()),
		"Cursor": errOf(d.Cursor("t", 0)), "Position": errOf(d.Position(c)), "TakeBack": errOf(d.TakeBack(doc.Note{}, heads[0])),
		"List": errOf(tasks.List(d)), "Tasks": errOf(tasks.Get(d, "x")), "Changed": errOf(tasks.Changed(d, nil)),
		"Version.Get": errOf(then.Get("t")), "Version.Read": then.Read("t", &x), "Version.JSON": errOf(then.JSON("")), "Version.List": errOf(tasks.List(then)),
		"Content": d.Content(nil), "Version.Content": then.Content(nil),
	} {
		if !errors.Is(err, doc.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := d.PatchesSince(0); !errors.Is(err, doc.ErrClosed) {
		t.Error(err)
	}
	for range d.History() {
		t.Error("it has a history")
	}
	if d.Heads() != nil || d.Len() != 0 || d.Size() != 0 || d.Graph().Len() != 0 {
		t.Error("it has changes")
	}
}

// What handles refuse, with a path and without a trace.
func TestHandlesRefuse(t *testing.T) {
	d := open(t, doc.ID{1})
	edit(t, d, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"l": []any{1, 2}, "t": doc.Text("abc"), "n": 1, "m": map[string]any{}})
	})
	want, err := d.JSON("")
	must(t, err)
	for name, fn := range map[string]func(*doc.Tx) error{
		"append a channel":       func(tx *doc.Tx) error { return tx.List("l").Append(1, make(chan int)) },
		"append to a text":       func(tx *doc.Tx) error { return tx.List("t").Append(1) },
		"append at a bad path":   func(tx *doc.Tx) error { return tx.List("/~").Append(1) },
		"append below nothing":   func(tx *doc.Tx) error { return tx.List("/no/way").Append(1) },
		"append to marks":        func(tx *doc.Tx) error { return tx.List("$m").Append(1) },
		"append to the root":     func(tx *doc.Tx) error { return tx.List("").Append(1) },
		"insert behind the end":  func(tx *doc.Tx) error { return tx.List("l").Insert(3, 1) },
		"delete too many":        func(tx *doc.Tx) error { return tx.List("l").Delete(1, 2) },
		"delete before":          func(tx *doc.Tx) error { return tx.List("l").Delete(-1, 1) },
		"delete less than none":  func(tx *doc.Tx) error { return tx.List("l").Delete(0, -1) },
		"delete from nothing":    func(tx *doc.Tx) error { return tx.List("none").Delete(0, 0) },
		"delete from a map":      func(tx *doc.Tx) error { return tx.List("m").Delete(0, 0) },
		"delete below nothing":   func(tx *doc.Tx) error { return tx.List("/no/way").Delete(0, 0) },
		"delete at a bad path":   func(tx *doc.Tx) error { return tx.List("/~").Delete(0, 0) },
		"reinsert from outside":  func(tx *doc.Tx) error { return tx.List("l").Reinsert(2, 0) },
		"reinsert to outside":    func(tx *doc.Tx) error { return tx.List("l").Reinsert(0, 2) },
		"reinsert in nothing":    func(tx *doc.Tx) error { return tx.List("none").Reinsert(0, 0) },
		"splice bad UTF-8":       func(tx *doc.Tx) error { return tx.Text("t").Splice(0, 0, "\xff") },
		"splice a list":          func(tx *doc.Tx) error { return tx.Text("l").Splice(0, 0, "x") },
		"splice at a bad path":   func(tx *doc.Tx) error { return tx.Text("/~").Splice(0, 0, "x") },
		"splice less than none":  func(tx *doc.Tx) error { return tx.Text("t").Splice(0, -1, "x") },
		"add to a number":        func(tx *doc.Tx) error { return tx.Add("n", 1) },
		"add to nothing":         func(tx *doc.Tx) error { return tx.Add("none", 1) },
		"add below nothing":      func(tx *doc.Tx) error { return tx.Add("/no/way", 1) },
		"add at a bad path":      func(tx *doc.Tx) error { return tx.Add("/~", 1) },
		"set at a bad path":      func(tx *doc.Tx) error { return tx.Set("/~", 1) },
		"set an empty key":       func(tx *doc.Tx) error { return tx.Set("/", 1) },
		"set a bad key":          func(tx *doc.Tx) error { return tx.Set("/\xff", 1) },
		"put marks":              func(tx *doc.Tx) error { return tx.Put(map[string]any{"$m": 1}) },
		"remove at a bad path":   func(tx *doc.Tx) error { return tx.Remove("/~") },
		"remove marks":           func(tx *doc.Tx) error { return tx.Remove("$m") },
		"a bad name":             func(tx *doc.Tx) error { return tx.SetName("\xff") },
		"patch with a bad key":   func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"add","path":"/","value":1}]`)) },
		"patch to the root":      func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"replace","path":"","value":[]}]`)) },
		"patch from a bad path":  func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"copy","from":"x","path":"/a"}]`)) },
		"patch from below":       func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"move","from":"/no/way","path":"/a"}]`)) },
		"patch of marks":         func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"copy","from":"/$m","path":"/a"}]`)) },
		"patch test of a list":   func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"test","path":"/l","value":[1]}]`)) },
		"patch test of a map":    func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"test","path":"/m","value":{"a":1}}]`)) },
		"patch test of a text":   func(tx *doc.Tx) error { return tx.Patch([]byte(`[{"op":"test","path":"/t","value":{"$text":"x"}}]`)) },
		"cursor in a number":     func(tx *doc.Tx) error { _, err := tx.Cursor("n", 0); return err },
		"cursor behind the end":  func(tx *doc.Tx) error { _, err := tx.Cursor("t", 4); return err },
		"cursor at a bad path":   func(tx *doc.Tx) error { _, err := tx.Cursor("/~", 0); return err },
		"cursor below nothing":   func(tx *doc.Tx) error { _, err := tx.Cursor("/no/way", 0); return err },
		"read into a value":      func(tx *doc.Tx) error { return tx.Read("n", 5) },
		"read into another kind": func(tx *doc.Tx) error { _, err := doc.Get[string](tx, "l"); return err },
		"read at a bad path":     func(tx *doc.Tx) error { _, err := doc.Get[string](tx, "/~"); return err },
	} {
		var inside error
		e, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error {
			inside = fn(tx)
			return inside
		})
		if inside == nil || err == nil || len(e.Changes) != 0 {
			t.Errorf("%s: %v, %d changes", name, err, len(e.Changes))
		}
		wantJSON(t, d, string(want))
	}
}

// Nothing is encoded that would not be read again.
func TestEncodeJSONRefuses(t *testing.T) {
	circle := map[string]any{}
	circle["in"] = []any{circle}
	for _, v := range []any{"\xff", doc.Text("\xff"), []any{"\xff"}, map[string]any{"\xff": 1}, map[string]any{"\xff": int64(1)}, circle, make(chan int)} {
		if b, err := doc.EncodeJSON(v); err == nil {
			t.Errorf("%T: %q", v, b)
		} else if _, ok := errors.AsType[*doc.ValueError](err); !ok {
			t.Errorf("%T: %v", v, err)
		}
	}
}

// Sources that end, documents that lack a genesis, names that are too long for a change.
func TestBeginnings(t *testing.T) {
	short := bytes.NewReader(make([]byte, 15))
	if _, err := doc.New(doc.ID{}, short); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if _, err := doc.Load(doc.ID{}, nil, bytes.NewReader(nil)); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if raw := doc.Genesis(doc.ID{}, strings.Repeat("a", 17<<20)); raw != nil {
		t.Errorf("a genesis of %d bytes", len(raw))
	}
	d, err := doc.New(doc.ID{1}, sevens{})
	must(t, err)
	if _, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.SetName("x") }); err == nil {
		t.Error("a document without a genesis has a name")
	}
	if m, err := d.Marks(); err != nil || !reflect.DeepEqual(m, doc.Marks{}) {
		t.Errorf("%v, %v", m, err)
	}
	if (doc.SpaceID{1}).String() == (doc.SpaceID{2}).String() {
		t.Error("two spaces with one name")
	}
	if _, err := d.Edit(doc.Note{Message: strings.Repeat("m", gate.MaxChangeBytes), Time: time.Now()}, func(tx *doc.Tx) error { return tx.Set("a", 1) }); err == nil {
		t.Error("a message longer than a change")
	}
	if d.Len() != 0 {
		t.Error("it left something")
	}
}

// sevens is a source that never ends.
type sevens struct{}

func (sevens) Read(b []byte) (int, error) { return copy(b, bytes.Repeat([]byte{7}, len(b))), nil }
