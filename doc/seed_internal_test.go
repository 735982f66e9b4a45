package doc

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// changesOf is what an edit makes of a document that has its genesis alone, by an actor of sevens.
func changesOf(t *testing.T, fn func(*Tx) error) [][]byte {
	t.Helper()
	id := NamedID("com.example.notes", "shopping")
	d, err := New(id, bytes.NewReader(bytes.Repeat([]byte{7}, 16)))
	check(t, err)
	defer d.Close()
	_, err = d.Apply(Genesis(id, "com.example.notes"))
	check(t, err)
	e, err := d.Edit(Note{}, fn)
	check(t, err)
	var out [][]byte
	for _, c := range e.Changes {
		out = append(out, c.Raw)
	}
	return out
}

// Like the containers in the genesis test: a change here splits documents.
func TestSeedGolden(t *testing.T) {
	for _, c := range []struct {
		name string
		fn   func(*Tx) error
		want string
	}{
		{"text at /title", func(tx *Tx) error { return tx.Seed("/title", Text("hé")) }, goldenSeedText},
		{"counter in /tasks/7", func(tx *Tx) error {
			check(t, tx.Set("/tasks", map[string]any{}))
			check(t, tx.Set("/tasks/7", map[string]any{}))
			return tx.Seed("/tasks/7/votes", Counter(-3))
		}, goldenSeedCounter},
		{"map in a seed", func(tx *Tx) error {
			check(t, tx.Seed("/a", map[string]any{}))
			return tx.Seed("/a/in", map[string]any{"z": []any{nil, true, 1.5}, "b": []byte{1}, "t": time.UnixMilli(1).UTC()})
		}, goldenSeedMap},
		{"marks", func(tx *Tx) error {
			check(t, tx.MarkSchema([][8]byte{{1}, {2, 3}}))
			return tx.RequireWriter(2)
		}, goldenMarks},
	} {
		changes := changesOf(t, c.fn)
		if got := hex.EncodeToString(changes[len(changes)-1]); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// The core, told to do the same under the same actor, makes the same bytes.
func TestSeedIsTheCores(t *testing.T) {
	id := NamedID("com.example.notes", "shopping")
	for name, c := range map[string]struct {
		v     any
		write func(root *automerge.Map) error
	}{
		"scalar":  {"x", func(root *automerge.Map) error { return root.Set("k", "x") }},
		"counter": {Counter(5), func(root *automerge.Map) error { return root.Set("k", automerge.NewCounter(5)) }},
		"text": {Text("hé😀"), func(root *automerge.Map) error {
			text := automerge.NewText("")
			if err := root.Set("k", text); err != nil {
				return err
			}
			return text.Insert(0, "hé😀")
		}},
		"list": {[]any{"a", []any{}, true}, func(root *automerge.Map) error {
			list := automerge.NewList()
			if err := root.Set("k", list); err != nil {
				return err
			}
			return list.Append("a", automerge.NewList(), true)
		}},
	} {
		ours := changesOf(t, func(tx *Tx) error { return tx.Seed("/k", c.v) })[0]
		parsed, err := gate.Parse(ours)
		check(t, err)
		core := automerge.New()
		check(t, core.LoadIncremental(Genesis(id, "com.example.notes")))
		check(t, core.SetActorID(hex.EncodeToString(parsed.Actor)))
		check(t, c.write(core.RootMap()))
		h, err := core.Commit("", automerge.CommitOptions{Time: &time.Time{}})
		check(t, err)
		made, err := core.Change(h)
		check(t, err)
		if got := made.Save(); !bytes.Equal(got, ours) {
			t.Errorf("%s:\n core %x\n ours %x", name, got, ours)
		}
	}
}
