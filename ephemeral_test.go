package tombolo_test

import (
	"errors"
	"testing"

	"tombolo"
	"tombolo/persist"
)

// An ephemeral document is shared by the handles that are open, never touches the disk, and is gone with the last of them.
func TestNever(t *testing.T) {
	d := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Store: d})
	desk := inMemory(t, tombolo.Options{})
	pair(t, e, desk, false)
	d.breaks(every) // nobody may write
	a, err := e.Home().Open(t.Context(), "cursor", tombolo.Never)
	must(t, err)
	b, err := e.Document(t.Context(), a.URL(), tombolo.Never)
	must(t, err)
	events := make(chan tombolo.Event)
	watch := b.Watch(t.Context())
	go func() {
		defer close(events)
		for ev := range watch {
			events <- ev
			if len(ev.Patches) == 0 {
				t.Error("an event without patches")
			}
		}
	}()
	set(t, a, "/at", 7)
	if ev := <-events; ev.Remote || ev.Changes == 0 {
		t.Errorf("the event: %+v", ev)
	}
	if got := text(t, b); got != `{"at":7}` || a.HasUnsaved() {
		t.Errorf("the other handle sees %s, unsaved %t", got, a.HasUnsaved())
	}
	must(t, a.Flush(t.Context()))
	must(t, a.Undo(t.Context()))
	s, err := a.Status(t.Context())
	must(t, err)
	if s.Name != "cursor" || len(s.Devices) != 1 || s.Devices[0].Durable || len(s.Heads) != 1 {
		t.Errorf("its status: %+v", s)
	}
	list, err := e.Home().List(t.Context())
	must(t, err)
	if len(list) != 0 {
		t.Errorf("it is listed: %v", list)
	}
	if _, err := e.Document(t.Context(), a.URL()); !errors.Is(err, tombolo.ErrNotFound) {
		t.Errorf("without Never: %v", err)
	}
	if _, err := e.Home().Open(t.Context(), "cursor"); err == nil {
		t.Error("opened without Never while it is ephemeral")
	}
	must(t, a.Close())
	if got := text(t, b); got != `{}` {
		t.Errorf("with one handle left it is %s", got)
	}
	must(t, b.Close())
	<-events
	a, err = e.Home().Open(t.Context(), "cursor", tombolo.Never)
	must(t, err)
	if got := text(t, a); got != `{}` {
		t.Errorf("opened again it is %s", got)
	}
	u := a.URL()
	must(t, a.Close())
	d.repaired()
	if _, err := desk.Document(t.Context(), u); !errors.Is(err, tombolo.ErrNotFound) {
		t.Errorf("the other device: %v", err)
	}
}

// A document on disk does not become ephemeral, by whatever way it is opened.
func TestNeverOfADocumentOnDisk(t *testing.T) {
	d := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Store: d, Offline: true})
	h, err := e.Home().Open(t.Context(), "list")
	must(t, err)
	defer h.Close()
	if _, err := e.Home().Open(t.Context(), "list", tombolo.Never); err == nil {
		t.Error("Open made it ephemeral")
	}
	if _, err := e.Document(t.Context(), h.URL(), tombolo.Never); err == nil {
		t.Error("Document made it ephemeral")
	}
	d.blind(true)
	if _, err := e.Home().Open(t.Context(), "list", tombolo.Never); !errors.Is(err, errDisk) {
		t.Errorf("on a disk that does not answer: %v", err)
	}
	d.blind(false)
	set(t, h, "/n", 1)
}

// An engine may have no disk for any of its documents.
func TestNeverAtAll(t *testing.T) {
	store := newDisk()
	e := open(t, t.TempDir(), tombolo.Options{Store: store, Offline: true, Save: tombolo.Never})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	defer h.Close()
	set(t, h, "/n", 2)
	for entry, err := range store.List(t.Context(), []byte{'d'}) {
		must(t, err)
		t.Errorf("on disk is %q", entry.Key)
	}
	kept, err := e.Home().Create(t.Context(), nil, tombolo.Durable)
	must(t, err)
	defer kept.Close()
	name := persist.Name{Space: kept.URL().Space, Doc: kept.URL().Doc}
	if list, err := e.Home().List(t.Context()); err != nil || len(list) != 1 || list[0].URL.Doc != name.Doc {
		t.Errorf("the list is %v, %v", list, err)
	}
}
