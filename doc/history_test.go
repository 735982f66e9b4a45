package doc_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/doc/gate"
)

func TestHistory(t *testing.T) {
	d := open(t, doc.ID{1})
	_, err := d.Edit(doc.Note{Message: "add milk", Time: noon}, func(tx *doc.Tx) error { return tx.List("/deep/items").Append("milk") })
	if err == nil {
		t.Fatal("a list in a map that is not there")
	}
	_, err = d.Edit(doc.Note{Message: "add milk", Time: noon}, func(tx *doc.Tx) error {
		return tx.Set("deep", map[string]any{"items": []any{"milk"}})
	})
	must(t, err)
	_, err = d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("k", 1) })
	must(t, err)
	type line struct {
		message    string
		at         time.Time
		ops        int
		structural bool
	}
	var got []line
	seen := map[doc.Hash]bool{}
	var seqs []uint64
	for e := range d.History() {
		got = append(got, line{e.Message, e.Time, e.Ops, e.Structural})
		for _, dep := range e.Deps {
			if seen[dep] {
				t.Errorf("%s comes after %s, which it builds on", dep, e.Hash)
			}
		}
		seen[e.Hash] = true
		if again, err := d.Entry(e.Hash); err != nil || again.Message != e.Message || !bytes.Equal(again.Actor, e.Actor) {
			t.Errorf("%v, %v", again, err)
		}
		raw, err := d.Change(e.Hash)
		must(t, err)
		c, err := gate.Parse(raw)
		must(t, err)
		if !bytes.Equal(c.Actor, e.Actor) || c.Seq != e.Seq || !slices.Equal(c.Deps, e.Deps) || c.Message != e.Message || int(c.Ops) != e.Ops {
			t.Errorf("the change says %v, the entry %v", c, e)
		}
		if !e.Structural {
			seqs = append(seqs, e.Seq)
		}
	}
	want := []line{
		{ops: 1}, {"add milk", noon, 1, false}, {ops: 1, structural: true}, {ops: 1, structural: true}, {ops: 3, structural: true},
	}
	if !slices.Equal(got, want) || !slices.Equal(seqs, []uint64{2, 1}) {
		t.Errorf("%v, %v", got, seqs)
	}
	if _, err := d.Entry(doc.Hash{1}); !errors.Is(err, doc.ErrUnknownChange) {
		t.Errorf("an unknown change: %v", err)
	}
	for range d.History() { // the document may be used and closed in the loop
		must(t, d.Close())
	}
	if _, err := d.Entry(doc.Hash{1}); !errors.Is(err, doc.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	for range d.History() {
		t.Error("a closed document has a history")
	}
}

// A change that only looks like a container's is not structural.
func TestStructuralIsWhatFollows(t *testing.T) {
	d := open(t, doc.ID{1})
	for _, fn := range []func(*doc.Tx) error{
		func(tx *doc.Tx) error { return tx.Set("a", 1) },
		func(tx *doc.Tx) error { return tx.Set("l", []any{}) },
	} {
		fresh := open(t, doc.ID{1})
		_, err := fresh.Edit(doc.Note{}, fn)
		must(t, err)
		merge(t, d, fresh)
	}
	other := open(t, doc.ID{2}) // the same path in another document
	_, err := other.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("l", []any{}) })
	must(t, err)
	var structural []bool
	for e := range d.History() {
		structural = append(structural, e.Structural)
	}
	if fmt.Sprint(structural) != "[true false true]" {
		t.Errorf("%v", structural)
	}
}

// Every version reads as the document did then, whatever came later, and so after a failed edit; reverting brings exactly its value back.
func TestVersions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
		fill(rt, a)
		type then struct {
			heads []doc.Hash
			json  string
			v     *doc.Version
		}
		var all []then
		for range rapid.IntRange(1, 8).Draw(rt, "edits") {
			d := rapid.SampledFrom([]*doc.Doc{a, b}).Draw(rt, "device")
			d.Edit(doc.Note{}, func(tx *doc.Tx) error { return step(rt, tx) })
			if rapid.IntRange(0, 2).Draw(rt, "merge") == 0 {
				merge(rt, a, b)
			}
			v, err := a.At(a.Heads())
			must(rt, err)
			all = append(all, then{a.Heads(), jsonOf(rt, a), v})
		}
		for _, one := range all {
			again, err := a.At(one.heads)
			must(rt, err)
			for _, v := range []*doc.Version{one.v, again} {
				got, err := v.JSON("")
				must(rt, err)
				if string(got) != one.json || !slices.Equal(v.Heads(), one.heads) {
					rt.Fatalf("the version reads\n%s, was\n%s", got, one.json)
				}
				var into any
				must(rt, v.Read("", &into))
				if back, err := doc.EncodeJSON(into); err != nil || string(back) != one.json {
					rt.Fatalf("decoded it is\n%s, was\n%s", back, one.json)
				}
			}
		}
		one := rapid.SampledFrom(all).Draw(rt, "version")
		before, now := a.Heads(), jsonOf(rt, a)
		_, err := a.Revert(one.heads, doc.Note{Message: "revert"})
		must(rt, err)
		if got := jsonOf(rt, a); got != one.json {
			rt.Fatalf("reverted it is\n%s, was\n%s", got, one.json)
		}
		_, err = a.Revert(before, doc.Note{})
		must(rt, err)
		if got := jsonOf(rt, a); got != now {
			rt.Fatalf("reverted back it is\n%s, was\n%s", got, now)
		}
		merge(rt, a, b)
	})
}

func TestVersionErrors(t *testing.T) {
	d := open(t, doc.ID{1})
	v, err := d.At(nil)
	must(t, err)
	if got, err := v.JSON(""); err != nil || string(got) != "{}" || len(v.Heads()) != 0 {
		t.Errorf("%s, %v", got, err)
	}
	unknown := []doc.Hash{{1}}
	_, err = d.At(unknown)
	if missing, ok := errors.AsType[*gate.MissingError](err); !ok || !slices.Equal(missing.Missing, unknown) {
		t.Errorf("unknown heads: %v", err)
	}
	if _, err = d.Revert(unknown, doc.Note{}); err == nil {
		t.Error("reverted to what is not there")
	}
	if _, err := v.Get("no"); err == nil {
		t.Error("read what is not there")
	}
	must(t, d.Close())
	_, at := d.At(nil)
	_, revert := d.Revert(nil, doc.Note{})
	_, get := v.Get("")
	_, json := v.JSON("")
	_, conflicts := d.Conflicts("k")
	_, all := d.AllConflicts()
	_, cursor := d.Cursor("t", 0)
	_, position := d.Position(doc.Cursor{})
	for _, err := range []error{at, revert, get, json, v.Read("", new(any)), conflicts, all, cursor, position} {
		if !errors.Is(err, doc.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	}
}

// Reverting costs what differs.
func TestRevertIsSmall(t *testing.T) {
	d := open(t, doc.ID{1})
	rows := map[string]any{}
	for i := range 100 {
		rows[fmt.Sprint(i)] = map[string]any{"n": i}
	}
	edit(t, d, func(tx *doc.Tx) error { return tx.Set("rows", rows) })
	heads := d.Heads()
	edit(t, d, func(tx *doc.Tx) error { return tx.Set("/rows/5/n", "x") })
	e, err := d.Revert(heads, doc.Note{})
	must(t, err)
	if len(e.Changes) != 1 || e.Changes[0].Ops != 1 {
		t.Errorf("%d changes", len(e.Changes))
	}
	e, err = d.Revert(heads, doc.Note{})
	must(t, err)
	if len(e.Changes) != 0 {
		t.Error("reverting to what is there wrote something")
	}
}

func TestConflicts(t *testing.T) {
	a, b := open(t, doc.ID{1}), open(t, doc.ID{1})
	_, err := a.Edit(doc.Note{Author: "user 0"}, func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"l": []any{1, 2}, "t": doc.Text("x")})
	})
	must(t, err)
	merge(t, a, b)
	for i, d := range []*doc.Doc{a, b} {
		_, err := d.Edit(doc.Note{Message: fmt.Sprint("by ", i), Author: fmt.Sprint("user ", i), Time: noon.Add(time.Duration(i) * time.Minute)}, func(tx *doc.Tx) error {
			return errors.Join(tx.Set("k/x", "one of two"), tx.Set("/l/1", map[string]any{"i": i}), tx.Text("t").Splice(0, 1, fmt.Sprint(i)))
		})
		must(t, err)
	}
	merge(t, a, b)
	for _, path := range []string{"/k~1x", "/l/1"} {
		var both [][]doc.Conflict
		for _, d := range []*doc.Doc{a, b} {
			cs, err := d.Conflicts(path)
			must(t, err)
			if len(cs) != 2 {
				t.Fatalf("%s: %v", path, cs)
			}
			shown, err := d.Get(path)
			must(t, err)
			if !doc.Equal(cs[1].Value, shown) {
				t.Errorf("%s: the last is %v, shown is %v", path, cs[1].Value, shown)
			}
			for _, c := range cs {
				e, err := d.Entry(c.Change)
				must(t, err)
				if e.Author != c.Author || c.Author != "user"+c.Message[2:] || e.Message != c.Message || !e.Time.Equal(c.Time) || !bytes.Equal(e.Actor, c.Actor) || c.Message[:3] != "by " || c.Time.Before(noon) {
					t.Errorf("%v is not of %v", c, e)
				}
			}
			both = append(both, cs)
		}
		if both[0][0].Change != both[1][0].Change || both[0][0].Change == both[0][1].Change {
			t.Error("two devices differ")
		}
	}
	paths, err := a.AllConflicts()
	if got := fmt.Sprint(paths); err != nil || got != "[/k~1x /l/1]" {
		t.Errorf("%s, %v", got, err)
	}
	edit(t, a, func(tx *doc.Tx) error { return errors.Join(tx.Set("k/x", "one"), tx.List("l").Delete(1, 1)) })
	if cs, err := a.Conflicts("k/x"); err != nil || len(cs) != 1 || cs[0].Value != "one" {
		t.Errorf("settled: %v, %v", cs, err)
	}
	if paths, err := a.AllConflicts(); err != nil || len(paths) != 0 {
		t.Errorf("settled: %v, %v", paths, err)
	}
	for _, path := range []string{"", "no", "/l/7", "/$m/app", "a/"} {
		if cs, err := a.Conflicts(path); err == nil {
			t.Errorf("%q: %v", path, cs)
		}
	}
	if _, err := a.Conflicts("/~"); err == nil {
		t.Error("a bad pointer")
	}
}
