package tombolo_test

import (
	"errors"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/core"
)

// What is exported comes back as another document with the same value and history, which can be edited like others.
func TestExportImport(t *testing.T) {
	e := inMemory(t, tombolo.Options{App: "notes", Offline: true})
	h, err := e.Home().Open(t.Context(), "list")
	must(t, err)
	defer h.Close()
	set(t, h, "/items", []any{"milk"})
	set(t, h, "/title", doc.Text("Shopping"))
	saved, err := h.Export(t.Context())
	must(t, err)
	for range 6 { // an ID that will not do is found every second time
		copied, err := e.Home().Import(t.Context(), "", saved)
		must(t, err)
		if copied.URL() == h.URL() {
			t.Error("the copy is the original")
		}
		if got := text(t, copied); got != text(t, h) {
			t.Errorf("imported: %s", got)
		}
		must(t, copied.Change(t.Context(), "", func(tx *doc.Tx) error {
			return errors.Join(tx.List("items").Append("eggs"), tx.List("more").Append(1), tx.Remove("/title"), tx.Set("/deep", map[string]any{"n": 1}))
		}))
		if got := text(t, copied); got != `{"deep":{"n":1},"items":["milk","eggs"],"more":[1]}` {
			t.Errorf("edited after import: %s", got)
		}
		again, err := copied.Export(t.Context())
		must(t, err)
		twice, err := e.Home().Import(t.Context(), "", again)
		must(t, err)
		if got := text(t, twice); got != text(t, copied) {
			t.Errorf("imported twice: %s", got)
		}
		must(t, errors.Join(twice.Close(), copied.Close()))
	}
	if _, err := e.Home().Import(t.Context(), "list", saved); err == nil || !strings.Contains(err.Error(), `a document named "list" already`) {
		t.Errorf("import over a document: %v", err)
	}
	for what, bad := range map[string][]byte{"nothing": nil, "half a file": saved[:len(saved)/2], "no file": []byte("hello")} {
		if _, err := e.Home().Import(t.Context(), "", bad); err == nil || !strings.Contains(err.Error(), "import a document") {
			t.Errorf("import %s: %v", what, err)
		}
	}
	infos, err := e.Home().List(t.Context())
	must(t, err)
	if len(infos) != 1+6*2 {
		t.Errorf("%d documents", len(infos))
	}
}

// On another device, the file of a named document is that document: what both did since merges.
func TestImportByName(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{App: "notes"})
	desk := inMemory(t, tombolo.Options{App: "notes"})
	h, err := laptop.Home().Open(t.Context(), "list")
	must(t, err)
	defer h.Close()
	must(t, h.Change(t.Context(), "", func(tx *doc.Tx) error { return tx.List("items").Append("milk") }))
	saved, err := h.Export(t.Context())
	must(t, err)
	there, err := desk.Home().Import(t.Context(), "list", saved)
	must(t, err)
	defer there.Close()
	must(t, there.Change(t.Context(), "", func(tx *doc.Tx) error { return tx.List("items").Append("eggs") }))
	pair(t, laptop, desk, true)
	reads(t, h, `{"items":["milk","eggs"]}`)
	infos, err := desk.Home().List(t.Context())
	must(t, err)
	if len(infos) != 1 || infos[0].Name != "list" || infos[0].App != "notes" {
		t.Errorf("list: %+v", infos)
	}
}

// A file has what is on the disk, and an import that the disk refuses never was.
func TestExportIsDurable(t *testing.T) {
	d := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Offline: true, Store: d})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	defer h.Close()
	waiting, release := d.hold()
	d.breaks(every)
	p, err := h.ChangeAsync(t.Context(), "", put("/refused", 1))
	must(t, err)
	awaits(t, "a write", waiting)
	type result struct {
		saved []byte
		err   error
	}
	exported := make(chan result)
	go func() {
		saved, err := h.Export(patience(t))
		exported <- result{saved, err}
	}()
	release()
	if err := p.Wait(patience(t)); !errors.Is(err, errDisk) {
		t.Errorf("a refused change: %v", err)
	}
	r := <-exported
	must(t, r.err)
	back, err := core.Load(r.saved, core.Options{})
	must(t, err)
	defer back.Close()
	heads, err := back.Heads()
	must(t, err)
	if len(heads) != 1 || heads[0] != h.Heads()[0] {
		t.Errorf("the file is at %v, the disk at %v", heads, h.Heads())
	}
	if _, err := e.Home().Import(t.Context(), "list", r.saved); !errors.Is(err, errDisk) {
		t.Errorf("import to a broken disk: %v", err)
	}
	d.repaired()
	copied, err := e.Home().Import(t.Context(), "", r.saved)
	must(t, err)
	must(t, copied.Close())
}
