package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/mirror"
)

// What is saved is loaded again by hand, and edits on both sides meet.
func TestSaveLoad(t *testing.T) {
	h := document(t, map[string]any{"title": doc.Text("milk"), "items": []any{"a", "b", "c"}, "n": 1})
	p := &mirror.Memory{}
	m := newMirror(t, h, p, nil)
	if err := m.Load(t.Context()); !errors.Is(err, mirror.ErrNotThere) {
		t.Errorf("load from nothing: %v", err)
	}
	must(t, m.Save(t.Context()))
	want := "{\n  \"items\": [\n    \"a\",\n    \"b\",\n    \"c\"\n  ],\n  \"n\": 1,\n  \"title\": {\n    \"$text\": \"milk\"\n  }\n}\n"
	if got := string(p.Get()); got != want {
		t.Errorf("the place has %q", got)
	}
	must(t, h.Change(t.Context(), "meanwhile", func(tx *doc.Tx) error {
		return errors.Join(tx.Text("title").Splice(4, 0, ", eggs"), tx.List("items").Append("z"), tx.Set("/n", 5))
	}))
	p.Put([]byte(`{"title":"oat milk","items":["b","c","d"],"n":1,"new":true}`))
	if err := m.Save(t.Context()); !errors.Is(err, mirror.ErrUnread) {
		t.Errorf("save over an edit: %v", err)
	}
	must(t, m.Load(t.Context()))
	got, err := h.JSON("")
	must(t, err)
	if s := string(got); !strings.Contains(s, `"n":5,"new":true,"title":{"$text":"oat milk, eggs"}`) ||
		!strings.Contains(s, `{"items":["b","c","z","d"]`) && !strings.Contains(s, `{"items":["b","c","d","z"]`) {
		t.Errorf("merged: %s", s)
	}
	heads := h.Heads()
	must(t, m.Save(t.Context()))
	must(t, m.Load(t.Context()))
	must(t, m.Save(t.Context()))
	shows(t, p, string(got))
	if fmt.Sprint(heads) != fmt.Sprint(h.Heads()) {
		t.Error("loading what was saved changed the document")
	}
}

// White space and the order of keys are the writer's own until the document changes.
func TestOnlyLooksDifferent(t *testing.T) {
	h := document(t, map[string]any{"a": 1, "b": 2})
	p := &mirror.Memory{}
	m := newMirror(t, h, p, nil)
	must(t, m.Save(t.Context()))
	heads := h.Heads()
	other := `{"b":2,   "a":1}`
	p.Put([]byte(other))
	must(t, m.Load(t.Context()))
	must(t, m.Save(t.Context()))
	if got := string(p.Get()); got != other || fmt.Sprint(h.Heads()) != fmt.Sprint(heads) {
		t.Errorf("the place has %q, the document %v", got, h.Heads())
	}
	set(t, h, "/b", 3)
	set(t, h, "/b", 2) // another version of the same value
	p.Put([]byte("{\n  \"a\": 1,\n  \"b\": 2\n}\n"))
	must(t, m.Save(t.Context())) // what is there is what would be written
	must(t, m.Save(t.Context()))
	set(t, h, "/b", 3)
	must(t, m.Save(t.Context()))
	shows(t, p, `{"a":1,"b":3}`)
	set(t, h, "/b", 4)
	set(t, h, "/b", 3)
	must(t, m.Save(t.Context())) // nothing to write
	shows(t, p, `{"a":1,"b":3}`)
}

// An edit made while no mirror was there is merged by its difference, removals and all.
func TestRestart(t *testing.T) {
	h := document(t, map[string]any{"items": []any{"a", "b"}, "gone": 1})
	p := &mirror.Memory{}
	m, err := mirror.New(h, p, nil)
	must(t, err)
	must(t, m.Save(t.Context()))
	must(t, m.Close())
	p.Put([]byte(`{"items":["a","b","c"]}`))
	must(t, h.Change(t.Context(), "meanwhile", func(tx *doc.Tx) error { return errors.Join(tx.Remove("/items/0"), tx.Set("/n", 1)) }))
	m = newMirror(t, h, p, nil)
	must(t, m.Load(t.Context()))
	wants(t, h, `{"items":["b","c"],"n":1}`)
	must(t, m.Save(t.Context()))
	shows(t, p, `{"items":["b","c"],"n":1}`)
}

// Without a version to compare with, a load removes nothing; from the next save on it does.
func TestFirstMeeting(t *testing.T) {
	h := document(t, map[string]any{"mine": 1, "deep": map[string]any{"mine": 2, "both": 1}, "items": []any{"a"}})
	p := &mirror.Memory{}
	p.Put([]byte(`{"deep":{"both":2,"theirs":3},"items":["b"],"theirs":4}`))
	m := newMirror(t, h, p, nil)
	if err := m.Save(t.Context()); !errors.Is(err, mirror.ErrUnread) {
		t.Errorf("save over what was there: %v", err)
	}
	must(t, m.Load(t.Context()))
	wants(t, h, `{"deep":{"both":2,"mine":2,"theirs":3},"items":["b"],"mine":1,"theirs":4}`)
	p.Put([]byte(`{"items":["b","c"]}`)) // still nobody knows that the others were removed
	must(t, m.Load(t.Context()))
	wants(t, h, `{"deep":{"both":2,"mine":2,"theirs":3},"items":["b","c"],"mine":1,"theirs":4}`)
	must(t, m.Save(t.Context()))
	p.Put([]byte(`{"items":["c"]}`))
	must(t, m.Load(t.Context()))
	wants(t, h, `{"items":["c"]}`)
	must(t, m.Save(t.Context()))
	shows(t, p, `{"items":["c"]}`)
}

// A state of a version that the document does not have any more is like none.
func TestOlderStore(t *testing.T) {
	p := &mirror.Memory{}
	id := document(t, map[string]any{"a": 1})
	m := newMirror(t, id, p, nil)
	must(t, m.Save(t.Context()))
	state, err := p.State().Load(t.Context())
	must(t, err)
	last, _, _ := strings.Cut(string(state[strings.Index(string(state), `"heads":["`)+len(`"heads":["`):]), `"`)
	must(t, p.State().Save(t.Context(), []byte(strings.ReplaceAll(string(state), last, strings.Repeat("ab", 32)))))
	p.Put([]byte(`{"b":2}`))
	again := newMirror(t, id, p, nil)
	must(t, again.Load(t.Context()))
	wants(t, id, `{"a":1,"b":2}`)
}

// What is no document is neither loaded nor overwritten, and what comes after it is.
func TestBad(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	p := &mirror.Memory{}
	m := newMirror(t, h, p, nil)
	must(t, m.Save(t.Context()))
	set(t, h, "/n", 2)
	for _, bad := range []string{"", " ", "{", `{"n":`, "[1]", "null", `{"n":1} x`, `{"n":{"$what":1}}`, `{"$$m":{}}`, `{"n":1,"n":2}`, "{\"n\":\"\xff\"}"} {
		p.Put([]byte(bad))
		for range 2 {
			for _, err := range []error{m.Load(t.Context()), m.Save(t.Context())} {
				if e, ok := errors.AsType[*mirror.BadError](err); !ok || e.Place != "memory" || e.Err == nil {
					t.Errorf("%q: %v", bad, err)
				}
			}
		}
	}
	p.Put([]byte(`{"n":1,"m":3}`))
	must(t, m.Load(t.Context()))
	wants(t, h, `{"m":3,"n":2}`)
	must(t, m.Save(t.Context()))
	shows(t, p, `{"m":3,"n":2}`)
}

// A state that says nothing true is an error, and nothing is touched.
func TestState(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	other := document(t, map[string]any{"n": 2})
	p := &mirror.Memory{}
	must(t, newMirror(t, h, p, nil).Save(t.Context()))
	good, err := p.State().Load(t.Context())
	must(t, err)
	set(t, h, "/n", 3)
	for what, c := range map[string]struct {
		h     *tombolo.Handle
		state string
		want  string
	}{
		"another document": {other, string(good), "mirrors another document"},
		"half a state":     {h, string(good[:len(good)/2]), "unexpected end"},
		"a bad hash":       {h, strings.ReplaceAll(string(good), `"heads":["`, `"heads":["x`), "hash"},
		"a later version":  {h, strings.Replace(string(good), `"mirror":1`, `"mirror":2`, 1), "update this program"},
	} {
		must(t, p.State().Save(t.Context(), []byte(c.state)))
		m := newMirror(t, c.h, p, nil)
		if err := m.Save(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "remove that state") {
			t.Errorf("%s: %v", what, err)
		}
		shows(t, p, `{"n":1}`)
	}
}

// A place that others write at the same moment is looked at again.
func TestBetweenLookAndWrite(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	inner := &mirror.Memory{}
	p := &place{Place: inner}
	m := newMirror(t, h, p, &mirror.Options{State: inner.State()})
	must(t, m.Save(t.Context()))
	set(t, h, "/n", 2)
	p.beforeWrite = func() { inner.Put([]byte(`{"n":1,"theirs":true}`)) }
	if err := m.Save(t.Context()); !errors.Is(err, mirror.ErrUnread) {
		t.Errorf("without StartAutoLoad: %v", err)
	}
	shows(t, inner, `{"n":1,"theirs":true}`)
	must(t, m.StartAutoLoad(t.Context(), nil))
	wants(t, h, `{"n":2,"theirs":true}`)
	p.beforeWrite = func() { inner.Put([]byte(`{"n":1,"theirs":false}`)) }
	must(t, m.Save(t.Context()))
	wants(t, h, `{"n":2,"theirs":false}`)
	shows(t, inner, `{"n":2,"theirs":false}`)

	m.StopAutoLoad()
	set(t, h, "/n", 4)
	p.fails(nil, mirror.ErrChanged)
	if err := m.Save(t.Context()); !errors.Is(err, mirror.ErrChanged) {
		t.Errorf("a place that never stops changing: %v", err)
	}
	p.fails(nil, nil)
	must(t, m.Save(t.Context()))
	shows(t, inner, `{"n":4,"theirs":false}`)
}

// A document that cannot be written says so, and the edit is merged when it can.
func TestDocumentFails(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	p := &mirror.Memory{}
	m := newMirror(t, h, p, nil)
	must(t, m.Save(t.Context()))
	p.Put([]byte(`{"n":2}`))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for what, do := range map[string]func(context.Context) error{"load": m.Load, "save": m.Save} {
		if err := do(ended); !errors.Is(err, context.Canceled) && !errors.Is(err, mirror.ErrUnread) {
			t.Errorf("%s without time: %v", what, err)
		}
	}
	must(t, m.Load(t.Context()))
	wants(t, h, `{"n":2}`)
	set(t, h, "/n", 3)
	must(t, h.Close())
	if err := m.Save(t.Context()); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("save a closed document: %v", err)
	}
	p.Put([]byte(`{"n":4}`))
	if err := m.Load(t.Context()); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("load into a closed document: %v", err)
	}
	shows(t, p, `{"n":4}`)
}

func TestClosed(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	p := &mirror.Memory{}
	m := newMirror(t, h, p, nil)
	must(t, m.StartAutoSave(t.Context()))
	must(t, m.StartAutoLoad(t.Context(), nil))
	must(t, m.Close())
	must(t, m.Close())
	for what, err := range map[string]error{
		"save": m.Save(t.Context()), "load": m.Load(t.Context()),
		"start saving": m.StartAutoSave(t.Context()), "start loading": m.StartAutoLoad(t.Context(), nil),
	} {
		if !errors.Is(err, mirror.ErrClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	m.StopAutoSave()
	m.StopAutoLoad()
	for _, err := range []error{second(mirror.New(nil, p, nil)), second(mirror.New(h, nil, nil))} {
		if err == nil {
			t.Error("a mirror of nothing was made")
		}
	}
}

func second[T any](_ T, err error) error { return err }
