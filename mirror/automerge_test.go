package mirror_test

import (
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/mirror"
)

// An .automerge file carries the history: what another program went on with merges as it was made there.
func TestAutomerge(t *testing.T) {
	h := document(t, map[string]any{"items": []any{"a", "b"}, "n": 1})
	p := mirror.File(filepath.Join(t.TempDir(), "list.automerge"))
	m := newMirror(t, h, p, nil)
	must(t, m.Save(t.Context()))
	saved, tag, err := p.Read(t.Context(), "")
	must(t, err)
	changes, err := doc.ReadSaved(saved, nil)
	must(t, err)
	other, err := doc.Load(h.URL().Doc, changes, rand.Reader)
	must(t, err)
	_, err = other.Edit(doc.Note{Message: "elsewhere"}, func(tx *doc.Tx) error {
		return errors.Join(tx.Remove("/items/0"), tx.List("items").Append("c"))
	})
	must(t, err)
	edited, err := other.Save(nil)
	must(t, err)
	set(t, h, "/n", 2)
	written, err := p.Write(t.Context(), edited, tag)
	must(t, err)
	must(t, m.StartAutoLoad(t.Context(), nil))
	wants(t, h, `{"items":["b","c"],"n":2}`)
	e, err := first(h)
	must(t, err)
	if e.Message != "elsewhere" {
		t.Errorf("the newest change is %q", e.Message)
	}
	must(t, m.Save(t.Context()))
	saved, written, err = p.Read(t.Context(), written)
	must(t, err)
	if changes, err = doc.ReadSaved(saved, nil); err != nil || len(changes) != other.Len()+1 {
		t.Errorf("%d changes, %v", len(changes), err)
	}

	foreign, err := document(t, nil).Export(t.Context())
	must(t, err)
	for what, bad := range map[string][]byte{"JSON": []byte(`{"n":2}`), "nothing": {}, "half": saved[:len(saved)/2], "another document": foreign} {
		written, err = p.Write(t.Context(), bad, written)
		must(t, err)
		for _, err := range []error{m.Load(t.Context()), m.Save(t.Context())} {
			if !isBad(err) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	wants(t, h, `{"items":["b","c"],"n":2}`)
	m.StopAutoLoad()
	must(t, h.Close())
	_, err = p.Write(t.Context(), edited, written)
	must(t, err)
	if err := m.Load(t.Context()); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("load into a closed document: %v", err)
	}
}

// first is the newest change.
func first(h *tombolo.Handle) (doc.Entry, error) {
	for e, err := range h.History() {
		return e, err
	}
	return doc.Entry{}, nil
}
