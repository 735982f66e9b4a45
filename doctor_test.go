package tombolo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist"
	"tombolo/persist/badgerstore"
	"tombolo/persist/memstore"
)

// examined is what an examination of a directory finds, as one text.
func examined(t *testing.T, dir string) (tombolo.Diagnosis, string) {
	t.Helper()
	var told int
	d, err := tombolo.Examine(t.Context(), dir, nil, tombolo.Attending{Found: func(tombolo.Finding) { told++ }})
	must(t, err)
	if told != len(d.Findings) {
		t.Errorf("%d findings told, %d in the report", told, len(d.Findings))
	}
	return d, fmt.Sprint(d.Findings)
}

func repaired(t *testing.T, dir string, accept ...doc.URL) tombolo.Diagnosis {
	t.Helper()
	d, err := tombolo.Repair(t.Context(), dir, nil, tombolo.RepairOptions{Accept: accept})
	must(t, err)
	return d
}

// alone is a closed device with documents that nobody else has.
func alone(t *testing.T, documents int) (dir string, urls []doc.URL) {
	t.Helper()
	dir = t.TempDir()
	e := open(t, dir, tombolo.Options{Offline: true})
	for i := range documents {
		h, err := e.Home().Create(t.Context(), map[string]any{"n": i})
		must(t, err)
		urls = append(urls, h.URL())
		must(t, h.Close())
	}
	must(t, e.Close())
	return dir, urls
}

// numbered looks for the documents of alone.
func numbered(t *testing.T, dir string, urls []doc.URL) {
	t.Helper()
	e := open(t, dir, tombolo.Options{Offline: true})
	for i, u := range urls {
		h, err := e.Document(t.Context(), u)
		must(t, err)
		if got, want := text(t, h), fmt.Sprintf(`{"n":%d}`, i); got != want {
			t.Errorf("document %d is %s", i, got)
		}
		must(t, h.Close())
	}
	must(t, e.Close())
}

func TestExamineSound(t *testing.T) {
	dir, urls := alone(t, 3)
	before := files(t, filepath.Join(dir, "memberships"))
	var last [2]uint64
	d, err := tombolo.Examine(t.Context(), dir, nil, tombolo.Attending{Progress: func(done, total uint64) { last = [2]uint64{done, total} }})
	must(t, err)
	if !d.Sound || d.Documents != 3 || len(d.Findings) != 0 || last != [2]uint64{3, 3} {
		t.Errorf("%+v, progress %v", d, last)
	}
	if after := files(t, filepath.Join(dir, "memberships")); fmt.Sprint(before) != fmt.Sprint(after) {
		t.Error("examining wrote")
	}
	e := open(t, dir, tombolo.Options{Offline: true})
	if d, err := e.Examine(t.Context(), tombolo.Attending{}); err != nil || !d.Sound || d.Documents != 3 {
		t.Errorf("of an open engine: %+v, %v", d, err)
	}
	if _, err := tombolo.Examine(t.Context(), dir, nil, tombolo.Attending{}); !isInUse(err) {
		t.Errorf("examined from outside while it is open: %v", err)
	}
	if _, err := tombolo.Repair(t.Context(), dir, nil, tombolo.RepairOptions{}); !isInUse(err) {
		t.Errorf("repaired from outside while it is open: %v", err)
	}
	must(t, e.Close())
	if d := repaired(t, dir); !d.Sound || len(d.Repaired) != 0 {
		t.Errorf("repairing what is sound: %+v", d)
	}
	numbered(t, dir, urls)
}

func isInUse(err error) bool {
	_, ok := errors.AsType[*tombolo.InUseError](err)
	return ok
}

func TestExamineNothing(t *testing.T) {
	if _, err := tombolo.Examine(t.Context(), t.TempDir(), nil, tombolo.Attending{}); err == nil {
		t.Error("examined an empty directory")
	}
	if _, err := tombolo.Repair(t.Context(), t.TempDir(), nil, tombolo.RepairOptions{}); err == nil {
		t.Error("repaired an empty directory")
	}
	dir, _ := alone(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tombolo.Examine(ctx, dir, nil, tombolo.Attending{}); !errors.Is(err, context.Canceled) {
		t.Errorf("examined after the context ended: %v", err)
	}
}

// TestRepairIdentity puts the copy back; without one nothing is made up.
func TestRepairIdentity(t *testing.T) {
	dir, urls := alone(t, 1)
	path := filepath.Join(dir, "identity.key")
	must(t, os.WriteFile(path, make([]byte, 68), 0o600))
	if d, found := examined(t, dir); d.Sound || !strings.Contains(found, "doctor --repair") {
		t.Errorf("found %s", found)
	}
	if d := repaired(t, dir); !d.Sound || len(d.Repaired) != 2 {
		t.Errorf("repaired: %+v", d)
	}
	if _, err := os.Stat(path + ".damaged-1"); err != nil {
		t.Errorf("the damaged one is gone: %v", err)
	}
	numbered(t, dir, urls)

	must(t, os.Remove(path))
	if d := repaired(t, dir); !d.Sound {
		t.Errorf("repaired: %+v", d)
	}
	numbered(t, dir, urls)

	must(t, os.Remove(path))
	must(t, os.Remove(filepath.Join(dir, "identity.copy")))
	if d, found := examined(t, dir); d.Sound || !strings.Contains(found, "no good copy") {
		t.Errorf("found %s", found)
	}
	if _, err := tombolo.Repair(t.Context(), dir, nil, tombolo.RepairOptions{}); err == nil || !strings.Contains(err.Error(), "backup") {
		t.Errorf("repaired without any identity: %v", err)
	}
}

// TestRepairStore finds documents that nobody else has in the files of a store that does not open. It is run twice, and once more after an
// interruption between its steps.
func TestRepairStore(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(dir string)
	}{
		{"the list of tables is gone", func(dir string) { must(t, os.Remove(filepath.Join(dir, "store", "MANIFEST"))) }},
		{"and the memberships", func(dir string) {
			must(t, os.Remove(filepath.Join(dir, "store", "MANIFEST")))
			must(t, os.Remove(filepath.Join(dir, "memberships")))
		}},
		{"interrupted after moving", func(dir string) {
			must(t, os.Rename(filepath.Join(dir, "store"), filepath.Join(dir, "store.damaged-1")))
		}},
		{"interrupted while salvaging", func(dir string) {
			must(t, os.Rename(filepath.Join(dir, "store"), filepath.Join(dir, "store.damaged-1")))
			must(t, os.Mkdir(filepath.Join(dir, "store.salvage"), 0o700))
			must(t, os.WriteFile(filepath.Join(dir, "store.salvage", "MANIFEST"), []byte("half"), 0o600))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, urls := alone(t, 20)
			c.damage(dir)
			if d, found := examined(t, dir); d.Sound {
				t.Errorf("found %s", found)
			}
			d := repaired(t, dir)
			if !d.Sound || d.Documents != len(urls) || !strings.Contains(fmt.Sprint(d.Repaired), "20 documents") {
				t.Errorf("repaired: %+v", d)
			}
			numbered(t, dir, urls)
			if d := repaired(t, dir); !d.Sound || len(d.Repaired) != 0 {
				t.Errorf("repaired again: %+v", d)
			}
			numbered(t, dir, urls)
			if _, err := os.Stat(filepath.Join(dir, "store.damaged-1")); err != nil {
				t.Errorf("the old files are gone: %v", err)
			}
		})
	}
}

// TestRepairWithNothing: with the memberships gone and a store of which nothing can be read, a repair says so and changes nothing.
func TestRepairWithNothing(t *testing.T) {
	dir, _ := alone(t, 1)
	must(t, os.Remove(filepath.Join(dir, "memberships")))
	entries, err := filepath.Glob(filepath.Join(dir, "store", "*.sst"))
	must(t, err)
	for _, path := range entries {
		must(t, os.WriteFile(path, nil, 0o600))
	}
	if _, err := tombolo.Repair(t.Context(), dir, nil, tombolo.RepairOptions{}); err == nil || !strings.Contains(err.Error(), "restore a backup") {
		t.Errorf("repaired: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "store")); err != nil {
		t.Errorf("the store was moved: %v", err)
	}
}

// TestRepairHeaders takes away what the store says of a document besides its changes. The document's name is found through what the other device
// said to have, and its changes are where they were.
func TestRepairHeaders(t *testing.T) {
	a, b, dir, u := couple(t)
	must(t, saved(t, a, u))
	must(t, b.Close())
	h, err := a.Document(t.Context(), u)
	must(t, err)
	must(t, h.Change(t.Context(), "set", func(tx *doc.Tx) error { return tx.Set("/only", "here") }))
	must(t, h.Close())
	must(t, a.Close())
	inStore(t, dir, func(s persist.Store) {
		var batch persist.Batch
		for entry, err := range s.List(t.Context(), []byte("d")) {
			must(t, err)
			batch.Delete(entry.Key)
		}
		must(t, s.Apply(t.Context(), &batch))
	})
	if _, found := examined(t, dir); !strings.Contains(found, "records of 1 document whose headers are gone") {
		t.Errorf("found %s", found)
	}
	if d := repaired(t, dir); d.Documents != 1 {
		t.Errorf("repaired: %+v", d)
	}
	a = open(t, dir, tombolo.Options{Offline: true})
	h, err = a.Document(t.Context(), u)
	must(t, err)
	if got := text(t, h); got != `{"n":1,"only":"here"}` {
		t.Errorf("the document is %s", got)
	}
	must(t, h.Close())
}

// TestExamineDocuments alters records one by one: each is found, with the document or record it is of, and a repair quarantines and accepts.
func TestExamineDocuments(t *testing.T) {
	for _, c := range []struct{ key, found string }{
		{"d", "the document does not read: persist: .* checksum of its header"},
		{"r", "the document does not read: persist: .* checksum of its record"},
		{"xspace/", `store: "space" What:a record does not read`},
		{"xhome", `store: "home" What:a record does not read`},
		{"xname", `store: "name" What:a record does not read`},
	} {
		t.Run(c.key, func(t *testing.T) {
			dir, urls := alone(t, 1)
			inStore(t, dir, func(s persist.Store) {
				var batch persist.Batch
				for entry, err := range s.List(t.Context(), []byte(c.key)) {
					must(t, err)
					entry.Value[0] ^= 0x40
					entry.Value[len(entry.Value)-1] ^= 1
					batch.Put(entry.Key, entry.Value)
				}
				must(t, s.Apply(t.Context(), &batch))
			})
			d, err := tombolo.Examine(t.Context(), dir, nil, tombolo.Attending{})
			must(t, err)
			if d.Sound || !regexp.MustCompile("(?s)"+c.found).MatchString(fmt.Sprintf("%+v", d.Findings)) {
				t.Errorf("found %+v", d.Findings)
			}
			d = repaired(t, dir)
			if c.key[0] == 'x' {
				if !d.Sound {
					t.Errorf("repaired: %+v", d)
				}
				numbered(t, dir, urls)
				return
			}
			if found := fmt.Sprint(d.Findings); d.Sound || !strings.Contains(found, "the document is quarantined") || !strings.Contains(found, "--accept") {
				t.Errorf("repaired: %+v", d)
			}
			if d := repaired(t, dir, urls[0]); !d.Sound {
				t.Errorf("accepted: %+v", d)
			}
		})
	}
}

// inStore opens the store of a directory without its engine.
func inStore(t *testing.T, dir string, do func(persist.Store)) {
	t.Helper()
	s, err := badgerstore.Open(filepath.Join(dir, "store"), nil)
	must(t, err)
	do(s)
	must(t, s.Close())
}

// saved waits until another device has on its disk what this one has of a document.
func saved(t *testing.T, e *tombolo.Engine, u doc.URL) error {
	ctx := patience(t)
	for {
		news := e.News()
		s, err := e.Status(ctx)
		if err != nil {
			return err
		}
		for _, d := range s.Documents {
			if d.URL == u.String() && len(d.Devices) > 1 && d.Devices[1].Durable {
				return nil
			}
		}
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// TestExamineStore looks at what is no damage, and at damage that only the store itself speaks of.
func TestExamineStore(t *testing.T) {
	dir, urls := alone(t, 1)
	must(t, os.WriteFile(filepath.Join(dir, "store", "KEYREGISTRY"), []byte("no keys"), 0o600))
	if d, found := examined(t, dir); !d.Sound || !strings.Contains(found, "KEYREGISTRY is damaged; nothing is lost with it") {
		t.Errorf("found %s", found)
	}
	numbered(t, dir, urls)

	must(t, os.WriteFile(filepath.Join(dir, "blackbox"), []byte("x"), 0o600))
	must(t, os.Remove(filepath.Join(dir, "identity.copy")))
	must(t, os.Remove(filepath.Join(dir, "memberships")))
	d, found := examined(t, dir)
	if !d.Sound || len(d.Findings) < 3 || !strings.Contains(found, "notes on what Automerge's core was reading are damaged") {
		t.Errorf("found %s", found)
	}
	if d := repaired(t, dir); !d.Sound {
		t.Errorf("repaired: %+v", d)
	}

	inStore(t, dir, func(s persist.Store) {
		var b persist.Batch
		b.Put([]byte("f"), []byte{9, 99}) // the format of a version to come
		must(t, s.Apply(t.Context(), &b))
	})
	_, err := tombolo.Examine(t.Context(), dir, nil, tombolo.Attending{})
	if _, newer := errors.AsType[*persist.TooNewError](err); !newer {
		t.Errorf("examined a newer store: %v", err)
	}
	_, err = tombolo.Repair(t.Context(), dir, nil, tombolo.RepairOptions{})
	if _, newer := errors.AsType[*persist.TooNewError](err); !newer {
		t.Errorf("repaired a newer store: %v", err)
	}
	own := &tombolo.Options{Store: memstore.New()}
	if _, err := tombolo.Examine(t.Context(), dir, own, tombolo.Attending{}); err == nil {
		t.Error("examined a store that is not in the directory")
	}
	if _, err := tombolo.Repair(t.Context(), dir, own, tombolo.RepairOptions{}); err == nil {
		t.Error("repaired a store that is not in the directory")
	}
}

// TestExamineLater: what a start said once, when it found a part of the log gone, is still found after it, until a repair takes note.
func TestExamineLater(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{Offline: true})
	for range 3 {
		h, err := e.Home().Create(t.Context(), nil)
		must(t, err)
		must(t, h.Close())
	}
	killed := t.TempDir()
	must(t, os.Remove(filepath.Join(dir, "store", "ballast")))
	must(t, os.CopyFS(killed, os.DirFS(dir)))
	must(t, e.Close())
	for _, name := range []string{"identity.key", "identity.copy"} {
		must(t, os.Chmod(filepath.Join(killed, name), 0o600))
	}
	logs, err := filepath.Glob(filepath.Join(killed, "store", "*.mem"))
	must(t, err)
	for _, path := range logs {
		must(t, os.Remove(path))
	}
	must(t, open(t, killed, tombolo.Options{Offline: true, Copied: tombolo.CopiedMoved}).Close())
	for range 2 {
		if d, found := examined(t, killed); d.Sound || !strings.Contains(found, "acknowledged commits are missing") {
			t.Errorf("found %s", found)
		}
	}
	if d := repaired(t, killed); !d.Sound {
		t.Errorf("repaired: %+v", d)
	}
}
