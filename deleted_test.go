package tombolo_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist"
)

func isDeleted(t *testing.T, h *tombolo.Handle) bool {
	t.Helper()
	at, err := h.Deleted(t.Context())
	must(t, err)
	return !at.IsZero()
}

// becomes waits until the document is deleted, or not, on a device.
func becomes(t *testing.T, e *tombolo.Engine, u doc.URL, deleted bool) {
	t.Helper()
	ctx := patience(t)
	for {
		news := e.News()
		h, err := e.Document(ctx, u)
		if err == nil {
			at, err := h.Deleted(ctx)
			must(t, errors.Join(err, h.Close()))
			if at.IsZero() != deleted {
				return
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("deleted did not become %v (%v)", deleted, err)
		case <-news:
		}
	}
}

// A deleted document leaves the lists of all devices, opens by its URL and not by its name, and comes back whole.
func TestDeleteAndUndelete(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{App: "notes", Offline: true})
	h, err := e.Home().Open(t.Context(), "list")
	must(t, err)
	set(t, h, "/n", 1)
	must(t, h.Delete(t.Context()))
	n := len(h.Heads())
	must(t, h.Delete(t.Context()))
	if !isDeleted(t, h) || len(h.Heads()) != n {
		t.Error("not deleted, or deleted twice")
	}
	set(t, h, "/n", 2) // who has it open goes on
	u := h.URL()
	must(t, h.Close())
	must(t, e.Close())

	e = open(t, dir, tombolo.Options{App: "notes", Offline: true})
	infos, err := e.Home().List(t.Context())
	must(t, err)
	gone, err := e.Home().ListDeleted(t.Context())
	must(t, err)
	if len(infos) != 0 || len(gone) != 1 || gone[0].Name != "list" || gone[0].Deleted.IsZero() || gone[0].URL != u {
		t.Errorf("listed %+v, deleted %+v", infos, gone)
	}
	_, err = e.Home().Open(t.Context(), "list")
	if del, ok := errors.AsType[*tombolo.DeletedError](err); !ok || del.URL != u || del.Purged || !del.Since.Equal(gone[0].Deleted) {
		t.Errorf("open by name: %v", err)
	}
	h, err = e.Document(t.Context(), u)
	must(t, err)
	defer h.Close()
	reads(t, h, `{"n":2}`)
	must(t, h.Undelete(t.Context()))
	must(t, h.Undelete(t.Context()))
	if isDeleted(t, h) {
		t.Error("still deleted")
	}
	again, err := e.Home().Open(t.Context(), "list")
	must(t, err)
	reads(t, again, `{"n":2}`)
	must(t, again.Close())
	must(t, e.Close())
	if err := h.Delete(t.Context()); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("delete after close: %v", err)
	}
	if _, err := e.Home().ListDeleted(t.Context()); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("list after close: %v", err)
	}
	if err := e.Purge(t.Context(), u); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("purge after close: %v", err)
	}
	if err := e.Unpurge(t.Context(), u); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("unpurge after close: %v", err)
	}
}

// A deletion is on disk when Delete returns, with whatever waited before it, and is no step of undo.
func TestDeleteWhileChangesWait(t *testing.T) {
	e := inMemory(t, tombolo.Options{Offline: true})
	h, err := e.Home().Create(t.Context(), nil, tombolo.Coalesce{Quiet: time.Hour})
	must(t, err)
	defer h.Close()
	set(t, h, "/n", 1)
	must(t, h.Delete(t.Context()))
	if h.HasUnsaved() || !isDeleted(t, h) {
		t.Error("the deletion waits")
	}
	must(t, h.Undo(t.Context()))
	must(t, h.Flush(t.Context()))
	reads(t, h, `{}`)
	if !isDeleted(t, h) {
		t.Error("undo took the deletion back")
	}
	must(t, h.Undelete(t.Context()))
	if isDeleted(t, h) {
		t.Error("the undeletion waits")
	}
}

func TestDeleteTravels(t *testing.T) {
	laptop, desk := inMemory(t, tombolo.Options{App: "notes"}), inMemory(t, tombolo.Options{App: "notes"})
	j := pair(t, laptop, desk, false)
	h, err := laptop.Home().Open(t.Context(), "list")
	must(t, err)
	defer h.Close()
	there := arrives(t, desk, h.URL())
	must(t, h.Delete(t.Context()))
	becomes(t, desk, h.URL(), true)
	if _, err := j.Space.Open(t.Context(), "list"); err == nil {
		t.Error("opened by name")
	}
	must(t, there.Undelete(t.Context()))
	becomes(t, laptop, h.URL(), false)
}

func TestDeleteRefuses(t *testing.T) {
	e := inMemory(t, tombolo.Options{App: "notes", Offline: true})
	h, err := e.Home().Open(t.Context(), "list")
	must(t, err)
	u := h.URL()
	if err := e.Purge(t.Context(), u); err == nil {
		t.Error("purged while open")
	}
	must(t, h.Close())
	if err := e.Purge(t.Context(), u); err == nil {
		t.Error("purged what is not deleted")
	}
	if err := e.Unpurge(t.Context(), u); !errors.Is(err, tombolo.ErrNotFound) {
		t.Errorf("unpurged what was not purged: %v", err)
	}
	u.Doc[0]++
	if err := e.Purge(t.Context(), u); !errors.Is(err, tombolo.ErrNotFound) {
		t.Errorf("purged what is not there: %v", err)
	}
	n, err := e.Home().Create(t.Context(), nil, tombolo.Never)
	must(t, err)
	defer n.Close()
	if err := n.Delete(t.Context()); err == nil {
		t.Error("an ephemeral document was deleted")
	}
	if isDeleted(t, n) {
		t.Error("an ephemeral document is deleted")
	}
}

// deleteAndPurge does both on one device.
func deleteAndPurge(t *testing.T, e *tombolo.Engine, u doc.URL) {
	t.Helper()
	h, err := e.Document(t.Context(), u)
	must(t, err)
	must(t, h.Delete(t.Context()))
	must(t, h.Close())
	must(t, e.Purge(t.Context(), u))
	if _, err := e.Document(t.Context(), u); !errors.Is(err, tombolo.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
}

// What was purged stays away over a restart, and its name is not begun anew until that is asked for.
func TestPurge(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{App: "notes", Offline: true})
	h, err := e.Home().Open(t.Context(), "list")
	must(t, err)
	set(t, h, "/n", 1)
	u := h.URL()
	must(t, h.Close())
	deleteAndPurge(t, e, u)
	must(t, e.Purge(t.Context(), u))
	must(t, e.Close())

	e = open(t, dir, tombolo.Options{App: "notes", Offline: true})
	_, err = e.Home().Open(t.Context(), "list")
	if del, ok := errors.AsType[*tombolo.DeletedError](err); !ok || !del.Purged || time.Since(del.Since) > time.Hour || del.Error() == "" {
		t.Errorf("open by name: %v", err)
	}
	if gone, err := e.Home().ListDeleted(t.Context()); err != nil || len(gone) != 0 {
		t.Errorf("deleted: %+v, %v", gone, err)
	}
	must(t, e.Unpurge(t.Context(), u))
	h, err = e.Home().Open(t.Context(), "list")
	must(t, err)
	defer h.Close()
	reads(t, h, `{}`)
	if isDeleted(t, h) {
		t.Error("begun anew, it is deleted")
	}
}

// A device that was away when a document was deleted and purged brings it back with its own edits. It hears of the deletion, and nothing it wrote
// is lost.
func TestPurgeWhileOneIsAway(t *testing.T) {
	laptop, desk := inMemory(t, tombolo.Options{App: "notes"}), inMemory(t, tombolo.Options{App: "notes"})
	j := pair(t, laptop, desk, false)
	h, err := laptop.Home().Open(t.Context(), "list")
	must(t, err)
	u := h.URL()
	there := arrives(t, desk, u)
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	must(t, h.Close())
	must(t, desk.Pause(t.Context()))
	set(t, there, "/late", true)
	deleteAndPurge(t, laptop, u)
	must(t, desk.Resume(t.Context()))
	becomes(t, desk, u, true)
	becomes(t, laptop, u, true)
	reads(t, arrives(t, laptop, u), `{"late":true}`)
	if _, err := j.Space.Open(t.Context(), "list"); err == nil {
		t.Error("opened by name where somebody else deleted it")
	}
	must(t, there.Undelete(t.Context()))
	becomes(t, laptop, u, false)
}

// Devices that are in step stay so when one of them purges. The other knows who has it, live and after meeting again, and one undeleting brings it back.
func TestPurgeInStep(t *testing.T) {
	laptop, desk := inMemory(t, tombolo.Options{App: "notes"}), inMemory(t, tombolo.Options{App: "notes"})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Open(t.Context(), "list")
	must(t, err)
	u := h.URL()
	there := arrives(t, desk, u)
	must(t, h.Delete(t.Context()))
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	must(t, there.Wait(patience(t), tombolo.OnDevices(2)))
	must(t, h.Close())
	must(t, laptop.Purge(t.Context(), u))
	nothing := func(s tombolo.DocumentStatus) bool { return !s.Devices[1].Durable && len(s.Devices[1].Heads) == 0 }
	must(t, there.Wait(patience(t), nothing))
	must(t, desk.Pause(t.Context()))
	must(t, desk.Resume(t.Context()))
	must(t, there.Wait(patience(t), func(s tombolo.DocumentStatus) bool { return s.Devices[1].Connected }, nothing))
	other, err := laptop.Home().Create(t.Context(), nil)
	must(t, err)
	defer other.Close()
	arrives(t, desk, other.URL()) // the comparison is over by now
	if _, err := laptop.Document(t.Context(), u); !errors.Is(err, tombolo.ErrNotFound) {
		t.Errorf("it came back: %v", err)
	}
	must(t, there.Undelete(t.Context()))
	becomes(t, laptop, u, false)
	must(t, there.Wait(patience(t), tombolo.OnDevices(2)))
}

// Unpurge brings the document from a device that still has it.
func TestUnpurgeFetches(t *testing.T) {
	laptop, desk := inMemory(t, tombolo.Options{App: "notes"}), inMemory(t, tombolo.Options{App: "notes"})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Open(t.Context(), "list")
	must(t, err)
	u := h.URL()
	must(t, h.Delete(t.Context()))
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	must(t, h.Close())
	must(t, laptop.Purge(t.Context(), u))
	must(t, laptop.Unpurge(t.Context(), u))
	becomes(t, laptop, u, true)
	if _, err := desk.Document(t.Context(), u); err != nil {
		t.Error(err)
	}
}

// A disk that refuses leaves the document as it was; one that refuses only the sweeping leaves it purged.
func TestPurgeOnABrokenDisk(t *testing.T) {
	d, dir := newDisk(), t.TempDir()
	e := open(t, dir, tombolo.Options{Offline: true, Store: d})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	u := h.URL()
	d.breaks(every)
	if err := h.Delete(t.Context()); !errors.Is(err, errDisk) || isDeleted(t, h) {
		t.Errorf("deleted on a broken disk: %v", err)
	}
	d.repaired()
	must(t, h.Delete(t.Context()))
	must(t, h.Close())
	d.breaks(every)
	if err := e.Purge(t.Context(), u); !errors.Is(err, errDisk) {
		t.Errorf("purged on a broken disk: %v", err)
	}
	d.repaired()
	h, err = e.Document(t.Context(), u)
	must(t, err)
	reads(t, h, `{"n":1}`)
	must(t, h.Close())
	if err := e.Unpurge(t.Context(), u); !errors.Is(err, tombolo.ErrNotFound) {
		t.Errorf("a tombstone was left: %v", err)
	}
	d.breaks(func(n int) bool { return n > 1 })
	must(t, e.Purge(t.Context(), u))
	d.repaired()
	if _, err := e.Document(t.Context(), u); !errors.Is(err, tombolo.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
	must(t, e.Close())
	e = open(t, dir, tombolo.Options{Offline: true, Store: d})
	if err := e.Unpurge(t.Context(), u); err != nil {
		t.Error(err)
	}
}

// What is to be deleted again is, when the disk takes it: here after a restart.
func TestDeletedAgainLater(t *testing.T) {
	d, dir := newDisk(), t.TempDir()
	laptop, desk := open(t, dir, tombolo.Options{App: "notes", Store: d}), inMemory(t, tombolo.Options{App: "notes"})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Open(t.Context(), "list")
	must(t, err)
	u := h.URL()
	there := arrives(t, desk, u)
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	must(t, h.Close())
	must(t, desk.Pause(t.Context()))
	set(t, there, "/late", true)
	deleteAndPurge(t, laptop, u)
	select {
	case <-d.refused:
	default:
	}
	d.breaks(func(n int) bool { return n == 2 }) // what desk has is the first
	must(t, desk.Resume(t.Context()))
	awaits(t, "the refusal", d.refused)
	must(t, laptop.Close())
	d.repaired()
	laptop = open(t, dir, tombolo.Options{App: "notes", Store: d})
	becomes(t, laptop, u, true)
	becomes(t, desk, u, true)
}

// A reader does not delete again: whoever may write does.
func TestReaderPurges(t *testing.T) {
	laptop, desk := inMemory(t, tombolo.Options{App: "notes"}), inMemory(t, tombolo.Options{App: "notes"})
	inv, err := laptop.Invite(t.Context(), tombolo.Invite{Role: "reader"})
	must(t, err)
	_, err = desk.Join(patience(t), inv.Link, tombolo.JoinOptions{})
	must(t, err)
	h, err := laptop.Home().Open(t.Context(), "list")
	must(t, err)
	defer h.Close()
	there := arrives(t, desk, h.URL())
	if err := there.Delete(t.Context()); !errors.Is(err, tombolo.ErrReadOnly) {
		t.Errorf("a reader deletes: %v", err)
	}
	must(t, h.Delete(t.Context()))
	becomes(t, desk, h.URL(), true)
	must(t, there.Close())
	must(t, desk.Purge(t.Context(), h.URL()))
	must(t, h.Undelete(t.Context()))
	becomes(t, desk, h.URL(), false)
}

// A tombstone that does not read is passed over.
func TestTombstoneThatDoesNotRead(t *testing.T) {
	d, dir := newDisk(), t.TempDir()
	e := open(t, dir, tombolo.Options{Offline: true, Store: d})
	u := doc.URL{Space: e.Home().ID(), Doc: doc.ID{1}}
	must(t, e.Close())
	var b persist.Batch
	b.Put(slices.Concat([]byte("xpurged/"), u.Space[:], u.Doc[:]), []byte{1, 0xff})
	must(t, d.Apply(t.Context(), &b))
	e = open(t, dir, tombolo.Options{Offline: true, Store: d})
	if err := e.Unpurge(t.Context(), u); !errors.Is(err, tombolo.ErrNotFound) {
		t.Errorf("unpurge: %v", err)
	}
}
