package tombolo_test

import (
	"errors"
	"fmt"
	"strings"
	gosync "sync"
	"testing"

	"tombolo"
	"tombolo/doc"
)

// Documents are found by name on every device that has them, and listed with the names others gave.
func TestNames(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{App: "notes"})
	desk := inMemory(t, tombolo.Options{App: "other"})
	j := pair(t, laptop, desk, false)
	a, err := laptop.Home().Open(t.Context(), "shopping")
	must(t, err)
	defer a.Close()
	b, err := laptop.Home().OpenNamed(t.Context(), "plans", "trip")
	must(t, err)
	defer b.Close()
	for _, h := range []*tombolo.Handle{a, b} {
		must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	}
	found, err := j.Space.Find(t.Context(), "notes", "shopping")
	must(t, err)
	defer found.Close()
	if found.URL() != a.URL() {
		t.Errorf("found %s, want %s", found.URL(), a.URL())
	}
	if _, err := j.Space.Find(t.Context(), "notes", "nothing"); !errors.Is(err, tombolo.ErrNotFound) {
		t.Errorf("find nothing: %v", err)
	}
	if _, err := laptop.Home().Open(t.Context(), ""); err == nil {
		t.Error("a named document without a name")
	}
	for range 2 { // read from the documents, then from their headers
		infos, err := j.Space.List(t.Context())
		must(t, err)
		names := map[string]string{}
		for _, i := range infos {
			names[i.Name] = i.App
		}
		if len(infos) != 2 || names["shopping"] != "notes" || names["trip"] != "plans" {
			t.Errorf("list: %+v", infos)
		}
	}
	if infos, err := desk.Home().List(t.Context()); err != nil || len(infos) != 0 {
		t.Errorf("the desk's own documents: %+v, %v", infos, err)
	}
}

// Several programs' parts that open a new document at once get the same one, and only when it is on disk.
func TestOpenAtOnce(t *testing.T) {
	d := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Offline: true, Store: d})
	for round, refuse := range []func(int) bool{every, nil} {
		waiting, release := d.hold()
		d.breaks(refuse)
		var users gosync.WaitGroup
		for range 8 {
			users.Go(func() {
				h, err := e.Home().Open(t.Context(), "list")
				if refuse != nil {
					if !errors.Is(err, errDisk) {
						t.Errorf("open on a broken disk: %v", err)
					}
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				defer h.Close()
				if s, err := h.Status(t.Context()); err != nil || s.Name != "list" {
					t.Errorf("round %d: status %+v, %v", round, s, err)
				}
			})
		}
		awaits(t, "the first write", waiting)
		release()
		users.Wait()
	}
}

// A space that is adopted later may have a document already: handles and watchers of both go on with the merged one.
func TestAdoptMergesOpenDocuments(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{App: "notes"})
	desk := inMemory(t, tombolo.Options{App: "notes"})
	theirs, err := laptop.Home().Open(t.Context(), "list")
	must(t, err)
	defer theirs.Close()
	set(t, theirs, "/laptop", 1)
	pair(t, laptop, desk, false) // the desk is a member, its home stays
	arrives(t, desk, theirs.URL())
	must(t, theirs.Wait(patience(t), tombolo.OnDevices(2)))
	mine, err := desk.Home().Open(t.Context(), "list")
	must(t, err)
	set(t, mine, "/desk", 2)
	only, err := desk.Home().Create(t.Context(), map[string]any{"only": "here"})
	must(t, err)
	defer only.Close()
	news := mine.Watch(patience(t))

	j := pair(t, laptop, desk, true)
	if j.Adopted != 2 || len(desk.Spaces()) != 1 || mine.URL() != theirs.URL() || only.URL().Space != laptop.Home().ID() {
		t.Errorf("adopted %d; %d spaces; %s", j.Adopted, len(desk.Spaces()), mine.URL())
	}
	reads(t, theirs, `{"desk":2,"laptop":1}`)
	reads(t, mine, `{"desk":2,"laptop":1}`)
	set(t, theirs, "/later", 3)
	for range news {
		if text(t, mine) == `{"desk":2,"laptop":1,"later":3}` {
			break
		}
	}
	set(t, mine, "/last", 4)
	reads(t, theirs, `{"desk":2,"laptop":1,"last":4,"later":3}`)
	reads(t, arrives(t, laptop, only.URL()), `{"only":"here"}`)
	must(t, mine.Close())
	afterClose(t, mine)
}

// A slow watcher misses nothing: what came meanwhile is one event.
func TestWatchJoinsNews(t *testing.T) {
	laptop := inMemory(t, tombolo.Options{})
	desk := inMemory(t, tombolo.Options{})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), nil)
	must(t, err)
	defer h.Close()
	there := arrives(t, desk, h.URL())
	local, remote := h.Watch(patience(t)), there.Watch(patience(t))
	for i := range 10 {
		set(t, h, fmt.Sprintf("/k%d", i), i)
	}
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	for ev := range local {
		if ev.Changes != 10 || ev.Remote || fmt.Sprint(ev.Heads) != fmt.Sprint(h.Heads()) {
			t.Errorf("local news: %+v", ev)
		}
		break
	}
	n := 0
	for ev := range remote {
		if !ev.Remote {
			t.Errorf("remote news: %+v", ev)
		}
		if n += ev.Changes; n >= 10 {
			break
		}
	}
}

// Read fills Go values from whatever a document holds.
func TestReadIntoStruct(t *testing.T) {
	e := inMemory(t, tombolo.Options{Offline: true})
	h, err := e.Home().Create(t.Context(), map[string]any{
		"title": doc.Text("Tombolo"), "seen": doc.Counter(3), "tags": []any{"a", "b"}, "raw": []byte{1, 2}, "at": map[string]any{"x": 1.5},
	})
	must(t, err)
	defer h.Close()
	var v struct {
		Title string   `doc:"title,text"`
		Seen  int      `doc:"seen,counter"`
		Tags  []string `doc:"tags"`
		Raw   []byte   `doc:"raw"`
		At    struct {
			X float64 `doc:"x"`
		} `doc:"at"`
	}
	must(t, h.Read(&v))
	if v.Title != "Tombolo" || v.Seen != 3 || len(v.Tags) != 2 || len(v.Raw) != 2 || v.At.X != 1.5 {
		t.Errorf("read %+v", v)
	}
	var wrong []int
	if err := h.Read(&wrong); err == nil || !strings.Contains(err.Error(), "read tombolo:") {
		t.Errorf("a document in a list: %v", err)
	}
	if _, err := h.Get("/at/y/z"); err == nil {
		t.Error("a path through nothing has a value")
	}
}

// An edit that fails leaves the document as it was, and usable.
func TestFailedEdit(t *testing.T) {
	e := inMemory(t, tombolo.Options{Offline: true})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	defer h.Close()
	no := errors.New("no")
	for range 3 {
		err := h.Change(t.Context(), "", func(tx *doc.Tx) error { return errors.Join(tx.Set("/n", 2), tx.Set("/list", []any{1}), no) })
		if !errors.Is(err, no) || text(t, h) != `{"n":1}` {
			t.Fatalf("%v; the document is %s", err, text(t, h))
		}
		func() {
			defer func() { _ = recover() }()
			_ = h.Change(t.Context(), "", func(tx *doc.Tx) error { must(t, tx.Set("/n", 3)); panic("no") })
			t.Error("the panic was swallowed")
		}()
		if text(t, h) != `{"n":1}` {
			t.Fatalf("after a panic the document is %s", text(t, h))
		}
	}
	must(t, h.Change(t.Context(), "", func(*doc.Tx) error { return nil }))
	set(t, h, "/n", 4)
}
