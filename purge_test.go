package tombolo_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/pack"
	"tombolo/persist"
	"tombolo/persist/backup"
	"tombolo/persist/memstore"
)

// Who opens a document while its purge waits for the disk keeps it.
func TestPurgeWhileOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		e := open(t, t.TempDir(), tombolo.Options{Offline: true, Store: d})
		h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
		must(t, err)
		must(t, h.Delete(t.Context()))
		waiting, release := d.hold()
		_, err = h.ChangeAsync(t.Context(), "", put("/n", 2))
		must(t, err)
		awaits(t, "the write", waiting)
		must(t, h.Close())
		purged := make(chan error, 1)
		go func() { purged <- e.Purge(t.Context(), h.URL()) }()
		synctest.Wait()
		again, err := e.Document(t.Context(), h.URL())
		must(t, err)
		defer again.Close()
		release()
		if err := <-purged; err == nil {
			t.Error("purged while open")
		}
		reads(t, again, `{"n":2}`)
	})
}

// A purge leaves nothing of a document that was damaged once and accepted.
func TestPurgeAccepted(t *testing.T) {
	d, dir, _, urls := shared(t, 1)
	d.flip(t, d.entries(t, "r")[2])
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	if _, err := laptop.Document(t.Context(), urls[0]); err == nil {
		t.Fatal("opened")
	}
	must(t, laptop.Accept(t.Context(), urls[0]))
	deleteAndPurge(t, laptop, urls[0])
	if n := len(d.entries(t, "q")) + len(d.entries(t, "r")); n > 0 {
		t.Errorf("%d entries are left", n)
	}
	must(t, laptop.Close())
	laptop = open(t, dir, tombolo.Options{Store: d, Offline: true})
	s, err := laptop.Status(t.Context())
	if err != nil || len(s.Documents) > 0 {
		t.Errorf("its status is %+v, %v", s.Documents, err)
	}
}

// A document that thousands of writers deleted apart can be purged.
func TestPurgeDeletedByThousands(t *testing.T) {
	e := open(t, t.TempDir(), tombolo.Options{Offline: true})
	u := doc.URL{Space: e.Home().ID(), Doc: doc.ID{7}}
	full, err := doc.New(u.Doc, rand.Reader)
	must(t, err)
	changes := [][]byte{doc.Genesis(u.Doc, "notes")}
	at := time.Unix(1_800_000_000, 0)
	for range 8300 {
		one, err := doc.New(u.Doc, rand.Reader)
		must(t, err)
		_, err = one.Apply(changes[0])
		must(t, err)
		edited, err := one.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.SetDeleted(at) })
		must(t, err)
		for _, c := range edited.Changes {
			changes = append(changes, c.Raw)
		}
		must(t, one.Close())
	}
	_, err = full.Apply(changes...)
	must(t, err)
	_, err = full.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Set("/n", 1) }) // which joins them
	must(t, err)
	changes, err = full.Changes()
	must(t, err)
	mem := memstore.New()
	log, err := persist.OpenLog(t.Context(), mem, pack.New())
	must(t, err)
	heads := full.Heads()
	_, err = log.Submit(persist.Name{Space: u.Space, Doc: u.Doc}, persist.Append{
		Changes: changes, Heads: []persist.Hash{persist.Hash(heads[0])}, HeadsHash: doc.HeadsHash(u.Doc, heads),
	}).Wait(t.Context())
	must(t, errors.Join(err, log.Close()))
	var b bytes.Buffer
	_, err = backup.Write(t.Context(), &b, mem, backup.Head{}, nil)
	must(t, err)
	_, err = e.RestoreDocument(t.Context(), &b, u)
	must(t, err)
	must(t, e.Purge(t.Context(), u))
}

// A name that was purged stays purged when the data becomes another device's.
func TestTombstonesOfNewDevice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "original")
	e := open(t, dir, tombolo.Options{App: "notes", Offline: true})
	h, err := e.Home().Open(t.Context(), "list")
	must(t, err)
	must(t, h.Close())
	deleteAndPurge(t, e, h.URL())
	saved := backedUp(t, e, tombolo.BackupOptions{})
	must(t, e.Close())
	clone := filepath.Join(t.TempDir(), "clone")
	copyDir(t, dir, clone)
	restoredTo, _ := restored(t, saved, tombolo.RestoreOptions{})
	for name, n := range map[string]*tombolo.Engine{
		"restored": open(t, restoredTo, tombolo.Options{App: "notes", Offline: true}),
		"cloned":   open(t, clone, tombolo.Options{App: "notes", Offline: true, Copied: tombolo.CopiedNew}),
	} {
		_, err := n.Home().Open(t.Context(), "list")
		if del, ok := errors.AsType[*tombolo.DeletedError](err); !ok || !del.Purged || del.URL.Space != n.Home().ID() {
			t.Errorf("%s: open by name: %v", name, err)
		}
	}
}

// tombstones are what a store remembers of purges.
func (d *disk) tombstones(t *testing.T) (out []persist.Entry) { return d.entries(t, "xpurged/") }

// A document that was purged and restored is not deleted again: the tombstone is gone when the restoration is done, also where an earlier attempt
// was interrupted before that.
func TestRestorePurgedForgets(t *testing.T) {
	d, dir := newDisk(), t.TempDir()
	e := open(t, dir, tombolo.Options{Store: d, Offline: true})
	h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	u := h.URL()
	must(t, h.Close())
	saved := backedUp(t, e, tombolo.BackupOptions{})
	deleteAndPurge(t, e, u)
	stones := d.tombstones(t)
	if len(stones) != 1 {
		t.Fatal(len(stones))
	}
	_, err = e.RestoreDocument(t.Context(), bytes.NewReader(saved), u)
	must(t, err)
	if n := len(d.tombstones(t)); n != 0 {
		t.Errorf("%d tombstones", n)
	}
	must(t, e.Close())
	b := &persist.Batch{}
	b.Put(stones[0].Key, stones[0].Value)
	must(t, d.Apply(t.Context(), b))
	e = open(t, dir, tombolo.Options{Store: d, Offline: true})
	_, err = e.RestoreDocument(t.Context(), bytes.NewReader(saved), u)
	must(t, err)
	if n := len(d.tombstones(t)); n != 0 {
		t.Errorf("restored again: %d tombstones", n)
	}
}
