package tombolo_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist"
	"tombolo/persist/backup"
	"tombolo/persist/memstore"
)

// restored is a device made of a backup, closed again, and its directory.
func restored(t *testing.T, b []byte, opts tombolo.RestoreOptions) (string, tombolo.Restored) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "restored")
	r, err := tombolo.Restore(t.Context(), bytes.NewReader(b), dir, opts)
	must(t, err)
	if left, err := filepath.Glob(dir + ".*"); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	return dir, r
}

// contents are the documents of an engine, by ID.
func contents(t *testing.T, e *tombolo.Engine) map[doc.ID]string {
	t.Helper()
	out := map[doc.ID]string{}
	for _, s := range e.Spaces() {
		list, err := s.List(t.Context())
		must(t, err)
		for _, info := range list {
			h, err := e.Document(t.Context(), info.URL)
			must(t, err)
			out[info.URL.Doc] = text(t, h) + string(hashText(info.Heads))
			must(t, h.Close())
		}
	}
	return out
}

func hashText(heads []doc.Hash) []byte {
	var b []byte
	for _, h := range heads {
		b = append(b, h[:]...)
	}
	return b
}

func sameContents(a, b map[doc.ID]string) bool {
	if len(a) != len(b) {
		return false
	}
	for id, v := range a {
		if b[id] != v {
			return false
		}
	}
	return true
}

func TestRestoreAsNewDevice(t *testing.T) {
	e, urls := device(t, t.TempDir(), tombolo.Options{Name: "old"})
	inv, err := e.Invite(t.Context(), tombolo.Invite{})
	must(t, err)
	b := backedUp(t, e, tombolo.BackupOptions{Identity: true})
	dir, r := restored(t, b, tombolo.RestoreOptions{Device: &tombolo.Options{Name: "new"}})
	n := open(t, dir, tombolo.Options{Offline: true})
	if n.Self() != r.Device || n.Self().Name != "new" || n.Self().Peer == e.Self().Peer || r.Dir != dir || r.Documents != 3 || r.Created.IsZero() {
		t.Errorf("restored %+v, it is %+v", r, n.Self())
	}
	if len(n.Spaces()) != 1 || n.Home().ID() == e.Home().ID() || n.Home().Role() != "owner" {
		t.Errorf("its spaces are %v", n.Spaces())
	}
	if !sameContents(contents(t, n), contents(t, e)) {
		t.Error("it has other documents")
	}
	h, err := n.Document(t.Context(), doc.URL{Space: n.Home().ID(), Doc: urls[1].Doc})
	must(t, err)
	set(t, h, "/more", 1)
	must(t, h.Close())
	if _, err := n.Invite(t.Context(), tombolo.Invite{}); err != nil {
		t.Error(err)
	}
	if strings.Contains(inv.Link, n.Self().Peer) {
		t.Error("it goes on with the old one's invitation")
	}
}

func TestRestoreAsSameDevice(t *testing.T) {
	dir := t.TempDir()
	e, urls := device(t, dir, tombolo.Options{Name: "old"})
	self, home, had := e.Self(), e.Home().ID(), contents(t, e)
	b := backedUp(t, e, tombolo.BackupOptions{Identity: true})
	must(t, e.Close())
	again, r := restored(t, b, tombolo.RestoreOptions{SameDevice: true})
	n := open(t, again, tombolo.Options{Offline: true})
	if n.Self() != self || r.Device != self || n.Home().ID() != home || !sameContents(contents(t, n), had) {
		t.Errorf("restored %+v, it is %+v", r, n.Self())
	}
	h, err := n.Document(t.Context(), urls[0])
	must(t, err)
	set(t, h, "/more", 1)
	must(t, errors.Join(h.Close(), n.Close()))
	open(t, again, tombolo.Options{Offline: true}) // asks nothing

	without := backedUp(t, open(t, dir, tombolo.Options{Offline: true}), tombolo.BackupOptions{})
	_, err = tombolo.Restore(t.Context(), bytes.NewReader(without), filepath.Join(t.TempDir(), "x"), tombolo.RestoreOptions{SameDevice: true})
	if !errors.Is(err, tombolo.ErrNoIdentity) {
		t.Errorf("without an identity: %v", err)
	}
}

// TestRestoredDeviceConverges is the story of issue 4: A is backed up; A and B go on; A is lost and restored from its old backup, while B goes on.
func TestRestoredDeviceConverges(t *testing.T) {
	for name, sameDevice := range map[string]bool{"same device": true, "new device": false} {
		t.Run(name, func(t *testing.T) {
			dirA := t.TempDir()
			b := open(t, t.TempDir(), tombolo.Options{Name: "B"})
			a := open(t, dirA, tombolo.Options{Name: "A"})
			pair(t, b, a, true)
			ha, err := a.Home().Create(t.Context(), map[string]any{"items": []any{}})
			must(t, err)
			u := ha.URL()
			hb := arrives(t, b, u)
			push(t, ha, "a before")
			push(t, hb, "b before")
			both := func() {
				t.Helper()
				alike(t, a, b, ha, hb)
			}
			both()
			saved := backedUp(t, a, tombolo.BackupOptions{Identity: true})
			push(t, ha, "a after") // reaches B, and is in no backup
			push(t, hb, "b after")
			only, err := a.Home().Create(t.Context(), map[string]any{"late": true})
			must(t, err)
			late := arrives(t, b, only.URL())
			both()
			must(t, errors.Join(ha.Close(), only.Close(), a.Close()))
			must(t, os.RemoveAll(dirA))
			push(t, hb, "b alone")

			dir, _ := restored(t, saved, tombolo.RestoreOptions{SameDevice: sameDevice, Device: &tombolo.Options{Name: "A again"}})
			a = open(t, dir, tombolo.Options{})
			if sameDevice {
				ha, err = a.Document(t.Context(), u)
			} else {
				ha, err = a.Document(t.Context(), doc.URL{Space: a.Home().ID(), Doc: u.Doc})
			}
			must(t, err)
			defer ha.Close()
			push(t, ha, "a restored") // before it has met anyone
			if !sameDevice {
				if j := pair(t, b, a, true); j.Adopted != 1 {
					t.Errorf("%d documents were adopted", j.Adopted)
				}
			}
			push(t, hb, "b again")
			both()
			push(t, ha, "a again")
			both()
			var items []string
			must(t, ha.View(func(v doc.View) error { items, err = doc.Get[[]string](v, "/items"); return err }))
			slices.Sort(items)
			want := []string{"a after", "a again", "a before", "a restored", "b after", "b again", "b alone", "b before"}
			if !slices.Equal(items, want) {
				t.Errorf("the items are %q, want %q", items, want)
			}
			if got := text(t, arrives(t, a, late.URL())); got != `{"late":true}` {
				t.Errorf("what was made after the backup is %s", got)
			}
			if list, err := a.Home().List(t.Context()); err != nil || len(list) != 2 {
				t.Errorf("it has %d documents, %v", len(list), err)
			}
		})
	}
}

// alike waits until two devices have the same version of a document on their disks.
func alike(t *testing.T, a, b *tombolo.Engine, ha, hb *tombolo.Handle) {
	t.Helper()
	ctx := patience(t)
	for {
		newsA, newsB := a.News(), b.News() // before looking
		if slices.Equal(ha.Heads(), hb.Heads()) {
			return
		}
		select {
		case <-newsA:
		case <-newsB:
		case <-ctx.Done():
			t.Fatalf("they stay apart: %s and %s", text(t, ha), text(t, hb))
		}
	}
}

func push(t *testing.T, h *tombolo.Handle, item string) {
	t.Helper()
	must(t, h.Change(t.Context(), item, func(tx *doc.Tx) error { return tx.List("/items").Append(item) }))
}

// TestRestoredMemberOfOtherSpaces restores a device that was a writer in another one's space, beside its own home.
func TestRestoredMemberOfOtherSpaces(t *testing.T) {
	dirA := t.TempDir()
	b, a := open(t, t.TempDir(), tombolo.Options{Name: "B"}), open(t, dirA, tombolo.Options{Name: "A"})
	j := pair(t, b, a, false)
	hb, err := b.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	defer hb.Close()
	arrives(t, a, hb.URL())
	saved := backedUp(t, a, tombolo.BackupOptions{})
	must(t, a.Close())

	dir, _ := restored(t, saved, tombolo.RestoreOptions{})
	n := open(t, dir, tombolo.Options{})
	h, err := n.Document(t.Context(), hb.URL())
	must(t, err)
	defer h.Close()
	if got := text(t, h); got != `{"n":1}` {
		t.Errorf("it reads %s", got)
	}
	if err := h.Change(t.Context(), "", func(tx *doc.Tx) error { return tx.Set("/n", 2) }); err == nil || !strings.Contains(err.Error(), "not a member") {
		t.Errorf("a stranger writes: %v", err)
	}
	set(t, hb, "/n", 3)
	pair(t, b, n, false)
	reads(t, h, `{"n":3}`)
	set(t, h, "/n", 4)
	reads(t, hb, `{"n":4}`)
	if got := len(n.Spaces()); got != 2 || !slices.ContainsFunc(n.Spaces(), func(s *tombolo.Space) bool { return s.ID() == j.Space.ID() }) {
		t.Errorf("it has %d spaces", got)
	}
}

func TestRestoreRefuses(t *testing.T) {
	parent := t.TempDir()
	used := filepath.Join(parent, "used")
	e, _ := device(t, used, tombolo.Options{})
	b := backedUp(t, e, tombolo.BackupOptions{})
	other := filepath.Join(parent, "other")
	must(t, os.Mkdir(other, 0o700))
	must(t, os.WriteFile(filepath.Join(other, "file"), nil, 0o600))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	noHome := memstore.New()
	batch := &persist.Batch{}
	batch.Put([]byte("f"), []byte{9, 1})
	must(t, noHome.Apply(t.Context(), batch))
	var homeless bytes.Buffer
	_, err := backup.Write(t.Context(), &homeless, noHome, backup.Head{Identity: []byte("x")}, nil)
	must(t, err)
	mine := errors.New("mine")
	for name, c := range map[string]struct {
		ctx  context.Context
		b    []byte
		dir  string
		opts tombolo.RestoreOptions
		want string
	}{
		"a device there":     {t.Context(), b, used, tombolo.RestoreOptions{}, "there is a device"},
		"not empty":          {t.Context(), b, other, tombolo.RestoreOptions{}, "not empty"},
		"a file there":       {t.Context(), b, filepath.Join(other, "file"), tombolo.RestoreOptions{}, "not a directory"},
		"cut off":            {t.Context(), b[:len(b)-30], filepath.Join(parent, "new"), tombolo.RestoreOptions{}, "cut off"},
		"no backup":          {t.Context(), []byte("hello"), filepath.Join(parent, "new"), tombolo.RestoreOptions{}, "no backup"},
		"ended":              {ended, b, filepath.Join(parent, "new"), tombolo.RestoreOptions{}, "context canceled"},
		"no home":            {t.Context(), homeless.Bytes(), filepath.Join(parent, "new"), tombolo.RestoreOptions{}, "which space is its home"},
		"a broken identity":  {t.Context(), homeless.Bytes(), filepath.Join(parent, "new"), tombolo.RestoreOptions{SameDevice: true}, "identity"},
		"preparing fails":    {t.Context(), b, filepath.Join(parent, "new"), tombolo.RestoreOptions{Prepare: func(string) error { return mine }}, "mine"},
		"a store of its own": {t.Context(), b, filepath.Join(parent, "new"), tombolo.RestoreOptions{Device: &tombolo.Options{Store: noHome}}, "Options.Store"},
	} {
		_, err := tombolo.Restore(c.ctx, bytes.NewReader(c.b), c.dir, c.opts)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		for _, left := range []string{filepath.Join(parent, "new"), c.dir + ".restoring"} {
			if _, err := os.Lstat(left); !errors.Is(err, fs.ErrNotExist) && !strings.Contains(left, "file") {
				t.Errorf("%s: %s is left, %v", name, left, err)
			}
		}
	}
}

// TestRestoreAgain restores where an attempt was killed, and where another one is under way.
func TestRestoreAgain(t *testing.T) {
	e, _ := device(t, t.TempDir(), tombolo.Options{})
	b := backedUp(t, e, tombolo.BackupOptions{})
	dir := filepath.Join(t.TempDir(), "deep", "down")
	must(t, os.MkdirAll(filepath.Join(dir+".restoring", "store"), 0o700))
	for _, name := range []string{"identity.key", "store/000001.vlog", "lock"} {
		must(t, os.WriteFile(filepath.Join(dir+".restoring", name), []byte("torn"), 0o600))
	}
	must(t, os.Mkdir(dir, 0o700)) // empty is as good as none
	_, err := tombolo.Restore(t.Context(), bytes.NewReader(b), dir, tombolo.RestoreOptions{Progress: func(done, _ uint64) {
		if done > 1 {
			return
		}
		_, err := tombolo.Restore(t.Context(), bytes.NewReader(b), dir, tombolo.RestoreOptions{})
		if _, busy := errors.AsType[*tombolo.InUseError](err); !busy {
			t.Errorf("two at once: %v", err)
		}
	}})
	must(t, err)
	if n := open(t, dir, tombolo.Options{Offline: true}); !sameContents(contents(t, n), contents(t, e)) {
		t.Error("it has other documents")
	}
}

func TestRestoreDocument(t *testing.T) {
	a, b := open(t, t.TempDir(), tombolo.Options{Name: "A"}), open(t, t.TempDir(), tombolo.Options{Name: "B"})
	pair(t, a, b, true)
	ha, err := a.Home().Create(t.Context(), map[string]any{"text": doc.Text("good"), "n": doc.Counter(3)})
	must(t, err)
	defer ha.Close()
	hb := arrives(t, b, ha.URL())
	want := text(t, ha)
	saved := backedUp(t, a, tombolo.BackupOptions{})
	set(t, hb, "/text", doc.Text("spoiled"))
	must(t, hb.Change(t.Context(), "", func(tx *doc.Tx) error { return errors.Join(tx.Add("/n", 4), tx.Set("/more", true)) }))
	alike(t, a, b, ha, hb)

	r, err := a.RestoreDocument(t.Context(), bytes.NewReader(saved), ha.URL())
	must(t, err)
	if r.Changes != 0 || r.URL != ha.URL() || text(t, ha) != want {
		t.Errorf("restored %+v, it is %s, want %s", r, text(t, ha), want)
	}
	reads(t, hb, want)
	set(t, hb, "/after", 1) // peers go on from there
	alike(t, a, b, ha, hb)

	// A device that does not have it any more gets it whole; another home finds it by its ID.
	dir, _ := restored(t, saved, tombolo.RestoreOptions{})
	n := open(t, dir, tombolo.Options{Offline: true})
	fresh := open(t, t.TempDir(), tombolo.Options{Offline: true})
	u := doc.URL{Space: fresh.Home().ID(), Doc: ha.URL().Doc}
	r, err = fresh.RestoreDocument(t.Context(), bytes.NewReader(backedUp(t, n, tombolo.BackupOptions{})), u)
	must(t, err)
	if h := arrives(t, fresh, u); r.Changes == 0 || text(t, h) != want || !slices.Equal(h.Heads(), r.Heads) {
		t.Errorf("restored %+v, it is %s, want %s", r, text(t, h), want)
	}

	for name, c := range map[string]struct {
		b    []byte
		u    doc.URL
		want string
	}{
		"not in it":     {saved, doc.URL{Space: u.Space, Doc: doc.ID{1}}, "no such document"},
		"cut off":       {saved[:len(saved)-10], u, "cut off"},
		"no backup":     {nil, u, "cut off"},
		"another space": {saved, ha.URL(), "not a member"},
	} {
		if _, err := fresh.RestoreDocument(t.Context(), bytes.NewReader(c.b), c.u); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	must(t, fresh.Close())
	if _, err := fresh.RestoreDocument(t.Context(), bytes.NewReader(saved), u); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("a closed engine: %v", err)
	}
}

// TestRestoreDeletedDocument brings back a document that was deleted everywhere, and then one that was purged here as well.
func TestRestoreDeletedDocument(t *testing.T) {
	dirA := t.TempDir()
	a, b := open(t, dirA, tombolo.Options{Name: "A"}), open(t, t.TempDir(), tombolo.Options{Name: "B"})
	pair(t, a, b, true)
	ha, err := a.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	u := ha.URL()
	hb := arrives(t, b, u)
	saved := backedUp(t, a, tombolo.BackupOptions{})
	set(t, hb, "/n", 2)
	must(t, hb.Delete(t.Context()))
	alike(t, a, b, ha, hb)
	_, err = a.RestoreDocument(t.Context(), bytes.NewReader(saved), u)
	must(t, err)
	reads(t, hb, `{"n":1}`)
	alike(t, a, b, ha, hb)
	notDeleted(t, a, ha)
	notDeleted(t, b, hb)

	set(t, hb, "/n", 3)
	must(t, hb.Delete(t.Context()))
	alike(t, a, b, ha, hb)
	must(t, errors.Join(ha.Close(), a.Purge(t.Context(), u), a.Pause(t.Context())))
	r, err := a.RestoreDocument(t.Context(), bytes.NewReader(saved), u)
	must(t, err)
	if r.Changes == 0 {
		t.Errorf("restored %+v", r)
	}
	must(t, a.Close()) // what it expects of others outlives it
	a = open(t, dirA, tombolo.Options{})
	ha, err = a.Document(t.Context(), u)
	must(t, err)
	defer ha.Close()
	notDeleted(t, b, hb)
	alike(t, a, b, ha, hb)
	notDeleted(t, a, ha)
	if got := text(t, ha); got != `{"n":3}` { // what A did not know of is not taken back
		t.Errorf("it is %s", got)
	}
	must(t, hb.Delete(t.Context())) // a deletion of later counts
	alike(t, a, b, ha, hb)
	must(t, errors.Join(ha.Close(), a.Close()))
	a = open(t, dirA, tombolo.Options{Offline: true})
	ha, err = a.Document(t.Context(), u)
	must(t, err)
	defer ha.Close()
	if at, err := ha.Deleted(t.Context()); err != nil || at.IsZero() {
		t.Errorf("it came back: %v, %v", at, err)
	}
}

// notDeleted waits until a device has it on its disk that a document is not deleted.
func notDeleted(t *testing.T, e *tombolo.Engine, h *tombolo.Handle) {
	t.Helper()
	ctx := patience(t)
	for {
		news := e.News()
		at, err := h.Deleted(ctx)
		must(t, err)
		if at.IsZero() {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatal("it stays deleted")
		}
	}
}

// TestRestoreQuarantined has a backup heal a document that does not read.
func TestRestoreQuarantined(t *testing.T) {
	inner := memstore.New()
	dir := t.TempDir()
	e, urls := device(t, dir, tombolo.Options{Store: &unclosed{inner}})
	saved := backedUp(t, e, tombolo.BackupOptions{})
	must(t, e.Close())
	for entry, err := range inner.List(t.Context(), []byte("r")) {
		must(t, err)
		if num, _ := persist.RecordOf(entry.Key); num == 1 {
			entry.Value[len(entry.Value)/2] ^= 1
			b := &persist.Batch{}
			b.Put(entry.Key, entry.Value)
			must(t, inner.Apply(t.Context(), b))
			break
		}
	}
	e = open(t, dir, tombolo.Options{Store: &unclosed{inner}, Offline: true})
	_, err := e.Document(t.Context(), urls[0])
	if _, damaged := errors.AsType[*tombolo.DamagedError](err); !damaged {
		t.Fatalf("it opens: %v", err)
	}
	if _, err := e.RestoreDocument(t.Context(), bytes.NewReader(saved), urls[0]); err != nil {
		t.Fatal(err)
	}
	h, err := e.Document(t.Context(), urls[0])
	must(t, err)
	defer h.Close()
	if got := text(t, h); got != `{"last":true,"n":299}` {
		t.Errorf("it is %s", got)
	}
}
