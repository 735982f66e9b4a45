package tombolo_test

import (
	"errors"
	"slices"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/gate"
)

// An edit of an older version and what came since are both there, on this device, on its disk and on others.
func TestChangeAt(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{Name: "laptop"})
	desk := inMemory(t, tombolo.Options{})
	pair(t, e, desk, false)
	h, err := e.Home().Create(t.Context(), map[string]any{"title": doc.Text("milk"), "items": []any{"a", "b", "c"}, "n": 1})
	must(t, err)
	there := arrives(t, desk, h.URL())
	base := h.Heads()
	must(t, h.Change(t.Context(), "since", func(tx *doc.Tx) error {
		return errors.Join(tx.Text("title").Splice(4, 0, ", eggs"), tx.Remove("/items/0"), tx.Set("/new", map[string]any{"deep": []any{"x"}}))
	}))
	left, err := h.ChangeAt(t.Context(), base, "older", func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"title": doc.Text("oat milk"), "items": []any{"a", "b", "c", "d"}, "n": 2, "new": map[string]any{"deep": []any{"y"}}})
	})
	must(t, err)
	then, err := h.At(left)
	must(t, err)
	if got, err := then.JSON(""); err != nil || string(got) != `{"items":["a","b","c","d"],"n":2,"new":{"deep":["y"]},"title":{"$text":"oat milk"}}` {
		t.Errorf("the version that was left is %s, %v", got, err)
	}
	got := text(t, h)
	if !slices.Contains([]string{`["x","y"]`, `["y","x"]`}, string(mustJSON(t, h, "/new/deep"))) {
		t.Errorf("what both made anew: %s", got)
	}
	set(t, h, "/new/deep", []any{})
	want := `{"items":["b","c","d"],"n":2,"new":{"deep":[]},"title":{"$text":"oat milk, eggs"}}`
	if got := text(t, h); got != want {
		t.Errorf("the document is %s", got)
	}
	reads(t, there, want)
	must(t, h.Undo(t.Context()))
	must(t, h.Undo(t.Context()))
	if got := text(t, h); got != `{"items":["b","c"],"n":1,"new":{"deep":["x"]},"title":{"$text":"milk, eggs"}}` {
		t.Errorf("undone: %s", got)
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

func mustJSON(t *testing.T, h *tombolo.Handle, path string) []byte {
	t.Helper()
	b, err := h.JSON(path)
	must(t, err)
	return b
}

// At the version of now ChangeAt is Change; where fn writes nothing, no change is made.
func TestChangeAtNow(t *testing.T) {
	e := open(t, t.TempDir(), tombolo.Options{Offline: true})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	defer h.Close()
	base := h.Heads()
	left, err := h.ChangeAt(t.Context(), base, "", put("/n", 2))
	if must(t, err); !slices.Equal(left, h.Heads()) || text(t, h) != `{"n":2}` {
		t.Errorf("left %v; %s at %v", left, text(t, h), h.Heads())
	}
	for _, heads := range [][]doc.Hash{base, left} {
		value := then(t, h, heads)
		got, err := h.ChangeAt(t.Context(), heads, "", func(tx *doc.Tx) error { return tx.Put(value) })
		if must(t, err); !slices.Equal(got, heads) || !slices.Equal(h.Heads(), left) {
			t.Errorf("nothing written at %v left %v", heads, got)
		}
	}
}

// What cannot be done leaves the document as it was.
func TestChangeAtRefuses(t *testing.T) {
	d := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Offline: true, Store: d})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	base := h.Heads()
	set(t, h, "/n", 2)
	if _, err := h.ChangeAt(t.Context(), nil, "", put("/n", 3)); err == nil {
		t.Error("no heads at all were taken")
	}
	if _, err := h.ChangeAt(t.Context(), []doc.Hash{{1}}, "", put("/n", 3)); !isMissing(err) {
		t.Errorf("at heads nobody has: %v", err)
	}
	mine := errors.New("mine")
	if _, err := h.ChangeAt(t.Context(), base, "", func(tx *doc.Tx) error { return errors.Join(tx.Set("/n", 3), mine) }); !errors.Is(err, mine) {
		t.Errorf("fn's error: %v", err)
	}
	d.breaks(every)
	if _, err := h.ChangeAt(t.Context(), base, "", put("/n", 3)); !errors.Is(err, errDisk) {
		t.Errorf("on a broken disk: %v", err)
	}
	d.repaired()
	if got := text(t, h); got != `{"n":2}` {
		t.Errorf("the document is %s", got)
	}
	must(t, h.Close())
	if _, err := h.ChangeAt(t.Context(), base, "", put("/n", 3)); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func isMissing(err error) bool {
	_, ok := errors.AsType[*gate.MissingError](err)
	return ok
}
