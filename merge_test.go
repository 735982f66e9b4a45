package tombolo_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/gate"
)

// elsewhere is a file that another program went on with.
func elsewhere(t *testing.T, id doc.ID, saved []byte, fn func(*doc.Tx) error) []byte {
	t.Helper()
	changes, err := doc.ReadSaved(saved, nil)
	must(t, err)
	d, err := doc.Load(id, changes, rand.Reader)
	must(t, err)
	defer d.Close()
	_, err = d.Edit(doc.Note{Message: "elsewhere"}, fn)
	must(t, err)
	out, err := d.Save(nil)
	must(t, err)
	return out
}

// A file that another program went on with merges with what came since, once, and other devices have it too.
func TestMerge(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{})
	desk := inMemory(t, tombolo.Options{})
	pair(t, e, desk, false)
	h, err := e.Home().Create(t.Context(), map[string]any{"items": []any{"a"}})
	must(t, err)
	there := arrives(t, desk, h.URL())
	saved, err := h.Export(t.Context())
	must(t, err)
	file := elsewhere(t, h.URL().Doc, saved, func(tx *doc.Tx) error { return tx.Set("/n", 1) })
	set(t, h, "/items/0", "b")
	heads, err := h.Merge(t.Context(), file)
	must(t, err)
	if got, want := text(t, h), `{"items":["b"],"n":1}`; got != want {
		t.Errorf("merged: %s", got)
	}
	reads(t, there, text(t, h))
	version, err := h.At(heads)
	must(t, err)
	if got, err := version.JSON(""); err != nil || string(got) != `{"items":["a"],"n":1}` {
		t.Errorf("the file's version is %s, %v", got, err)
	}
	now := h.Heads()
	for range 2 {
		again, err := h.Merge(t.Context(), file)
		if must(t, err); !slices.Equal(again, heads) || !slices.Equal(h.Heads(), now) {
			t.Errorf("merged again: %v", again)
		}
	}
	u, want := h.URL(), text(t, h)
	must(t, e.Close())
	e = open(t, dir, tombolo.Options{Offline: true})
	h, err = e.Document(t.Context(), u)
	must(t, err)
	defer h.Close()
	if got := text(t, h); got != want {
		t.Errorf("on disk is %s, was %s", got, want)
	}
}

// unmarked is a file of a document whose marks another program took away.
func unmarked(t *testing.T, h *tombolo.Handle) []byte {
	t.Helper()
	changes := [][]byte{doc.Genesis(h.URL().Doc, "")}
	genesis, err := gate.Parse(changes[0])
	must(t, err)
	without, err := gate.Encode(gate.Change{
		Deps: []gate.Hash{genesis.Hash}, Actor: []byte{7}, Others: [][]byte{genesis.Actor}, Seq: 1, StartOp: 4,
	}, func(yield func(*gate.Op) bool) {
		yield(&gate.Op{Key: "$m", Action: gate.ActDelete, Preds: []gate.OpRef{{Counter: 1, Actor: 1}}})
	})
	must(t, err)
	d, err := doc.Load(h.URL().Doc, append(changes, without), rand.Reader)
	must(t, err)
	defer d.Close()
	file, err := d.Save(nil)
	must(t, err)
	return file
}

// Who may only read a space merges nothing into its documents, and changes no older version either.
func TestMergeAsReader(t *testing.T) {
	owner, guest := inMemory(t, tombolo.Options{}), inMemory(t, tombolo.Options{})
	_, err := guest.Join(patience(t), invites(t, owner, tombolo.Invite{Role: "reader"}), tombolo.JoinOptions{})
	must(t, err)
	h, err := owner.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	defer h.Close()
	there := arrives(t, guest, h.URL())
	saved, err := there.Export(t.Context())
	must(t, err)
	file := elsewhere(t, h.URL().Doc, saved, func(tx *doc.Tx) error { return tx.Set("/n", 2) })
	if _, err := there.Merge(t.Context(), file); err == nil || text(t, there) != `{"n":1}` {
		t.Errorf("a reader merged: %v", err)
	}
	if _, err := there.ChangeAt(t.Context(), there.Heads(), "", put("/n", 2)); err == nil || text(t, there) != `{"n":1}` {
		t.Errorf("a reader changed: %v", err)
	}
}

// What does not belong to the document, or cannot be kept, leaves it as it was.
func TestMergeRefuses(t *testing.T) {
	disk := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Offline: true, Store: disk})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	other, err := e.Home().Create(t.Context(), map[string]any{"n": 2})
	must(t, err)
	defer other.Close()
	saved, err := h.Export(t.Context())
	must(t, err)
	foreign, err := other.Export(t.Context())
	must(t, err)
	for what, file := range map[string][]byte{
		"nothing": nil, "half a file": saved[:len(saved)/2], "no file": []byte("hello"), "another document": foreign,
		"one without marks": unmarked(t, h),
	} {
		_, err := h.Merge(t.Context(), file)
		if e, ok := errors.AsType[*tombolo.SavedError](err); !ok || e.Unwrap() == nil || e.Error() == "" {
			t.Errorf("merge %s: %v", what, err)
		}
	}
	file := elsewhere(t, h.URL().Doc, saved, func(tx *doc.Tx) error { return tx.Set("/n", 3) })
	disk.breaks(every)
	if _, err := h.Merge(t.Context(), file); !errors.Is(err, errDisk) {
		t.Errorf("on a broken disk: %v", err)
	}
	disk.repaired()
	if got := text(t, h); got != `{"n":1}` {
		t.Errorf("the document is %s", got)
	}
	must(t, h.Close())
	if _, err := h.Merge(t.Context(), file); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
