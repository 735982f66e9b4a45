package tombolo_test

import (
	"errors"
	"slices"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/gate"
)

// messages are what the history says, the newest first, without what nobody made.
func messages(t *testing.T, h *tombolo.Handle) (out []string) {
	t.Helper()
	for e, err := range h.History() {
		must(t, err)
		if !e.Structural {
			out = append(out, e.Author+": "+e.Message)
		}
	}
	return out
}

// Older versions are read, compared and brought back; what was brought back is on the disk.
func TestVersions(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{Name: "laptop", Offline: true})
	h, err := e.Home().Create(t.Context(), map[string]any{"title": doc.Text("one"), "n": 1})
	must(t, err)
	first := h.Heads()
	must(t, h.Change(t.Context(), "more", func(tx *doc.Tx) error {
		return errors.Join(tx.Text("title").Splice(3, 0, " two"), tx.Remove("/n"))
	}))
	then, err := h.At(first)
	must(t, err)
	if got, err := then.JSON(""); err != nil || string(got) != `{"n":1,"title":{"$text":"one"}}` {
		t.Errorf("at first: %s, %v", got, err)
	}
	patches, err := h.Diff(first, h.Heads())
	must(t, err)
	if len(patches) != 2 || patches[0].Kind != doc.PatchRemove || patches[1].Kind != doc.PatchSplice || patches[1].New != doc.Text(" two") {
		t.Errorf("diff: %+v", patches)
	}
	must(t, h.Revert(t.Context(), first))
	if got := text(t, h); got != `{"n":1,"title":{"$text":"one"}}` {
		t.Errorf("reverted: %s", got)
	}
	if got := messages(t, h); !slices.Equal(got, []string{"laptop: revert", "laptop: more", "laptop: create"}) {
		t.Errorf("history: %q", got)
	}
	must(t, h.Undo(t.Context()))
	if got := text(t, h); got != `{"title":{"$text":"one two"}}` {
		t.Errorf("revert undone: %s", got)
	}
	for e, err := range h.History() { // a loop may end early, and use the handle
		must(t, err)
		if e.Message != "undo" {
			t.Errorf("the newest change is %+v", e)
		}
		set(t, h, "/in", "the loop")
		break
	}
	for what, err := range map[string]error{
		"revert": h.Revert(t.Context(), []doc.Hash{{1}}),
		"at":     func() error { _, err := h.At([]doc.Hash{{1}}); return err }(),
		"diff":   func() error { _, err := h.Diff(nil, []doc.Hash{{1}}); return err }(),
	} {
		if _, ok := errors.AsType[*gate.MissingError](err); !ok {
			t.Errorf("%s to nowhere: %v", what, err)
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

// Undo takes back what this handle did, and leaves alone what others do; after a change that the disk refused it begins anew.
func TestUndo(t *testing.T) {
	d := newDisk()
	laptop := open(t, t.TempDir(), tombolo.Options{Store: d})
	desk := inMemory(t, tombolo.Options{})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), map[string]any{"title": doc.Text("milk")})
	must(t, err)
	defer h.Close()
	there := arrives(t, desk, h.URL())
	if err := h.Undo(t.Context()); !errors.Is(err, doc.ErrNoStep) || h.CanUndo() || h.CanRedo() {
		t.Errorf("undo nothing: %v", err)
	}
	must(t, h.Change(t.Context(), "", func(tx *doc.Tx) error { return tx.Text("title").Splice(4, 0, ", eggs") }))
	reads(t, there, `{"title":{"$text":"milk, eggs"}}`)
	must(t, there.Change(t.Context(), "", func(tx *doc.Tx) error { return tx.Text("title").Splice(0, 0, "oat ") }))
	reads(t, h, `{"title":{"$text":"oat milk, eggs"}}`)
	must(t, h.Undo(t.Context()))
	reads(t, there, `{"title":{"$text":"oat milk"}}`)
	if !h.CanRedo() || there.CanRedo() {
		t.Error("redo is not where it belongs")
	}
	must(t, h.Redo(t.Context()))
	reads(t, there, `{"title":{"$text":"oat milk, eggs"}}`)

	d.breaks(every)
	if err := h.Undo(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("undo on a broken disk: %v", err)
	}
	d.repaired()
	if got := text(t, h); got != `{"title":{"$text":"oat milk, eggs"}}` || h.CanUndo() || h.CanRedo() {
		t.Errorf("after a refused undo: %s", got)
	}
	set(t, h, "/n", 1)
	must(t, h.Undo(t.Context()))
	reads(t, there, `{"title":{"$text":"oat milk, eggs"}}`)
}

// Values that two devices wrote apart are all there, and a cursor stays at its character while the other device writes.
func TestConflictsAndCursors(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{Name: "laptop"})
	desk := inMemory(t, tombolo.Options{Name: "desk"})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), map[string]any{"title": doc.Text("Dear Bob")})
	must(t, err)
	defer h.Close()
	there := arrives(t, desk, h.URL())
	cursor, err := h.Cursor("title", 5)
	must(t, err)
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	must(t, laptop.Pause(t.Context()))
	set(t, h, "/color", "red")
	set(t, there, "/color", "blue")
	must(t, there.Change(t.Context(), "", func(tx *doc.Tx) error { return tx.Text("title").Splice(0, 4, "My dear") }))
	must(t, laptop.Resume(t.Context()))
	until(t, h, func() bool {
		paths, err := h.AllConflicts()
		must(t, err)
		return len(paths) == 1
	})
	values, err := h.Conflicts("/color")
	must(t, err)
	paths, err := h.AllConflicts()
	must(t, err)
	if len(values) != 2 || len(paths) != 1 || paths[0].String() != "/color" {
		t.Errorf("conflicts %+v at %v", values, paths)
	}
	if at, err := h.Position(cursor); err != nil || at != 8 {
		t.Errorf("the cursor is at %d, %v", at, err)
	}
}

// A version and a history of a document that had to be read again say so.
func TestVersionOfWhatWasReadAgain(t *testing.T) {
	d := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Offline: true, Store: d})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	defer h.Close()
	then, err := h.At(h.Heads())
	must(t, err)
	d.breaks(every)
	n := 0
	for _, err := range h.History() {
		if n++; n == 1 {
			if err := h.Change(t.Context(), "", put("/n", 2)); !errors.Is(err, errDisk) {
				t.Fatal(err)
			}
		} else if !errors.Is(err, doc.ErrClosed) {
			t.Errorf("the history goes on: %v", err)
		}
	}
	if n != 2 {
		t.Errorf("the history ended after %d", n)
	}
	if _, err := then.Get(""); !errors.Is(err, doc.ErrClosed) {
		t.Errorf("a version of what was given up: %v", err)
	}
	if got := text(t, h); got != `{"n":1}` {
		t.Errorf("the document is %s", got)
	}
}
