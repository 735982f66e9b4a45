package tombolo_test

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
)

// copyDir is cp -a, but for the ballast and sockets.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	must(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		at, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, at), 0o700)
		}
		if d.Name() == "ballast" {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, at), b, 0o600)
	}))
}

// cloned is a device that was closed, and a copy of its directory.
func cloned(t *testing.T) (original, clone string, u doc.URL) {
	t.Helper()
	original, clone = filepath.Join(t.TempDir(), "original"), filepath.Join(t.TempDir(), "clone")
	e, urls := device(t, original, tombolo.Options{Name: "old"})
	must(t, e.Close())
	copyDir(t, original, clone)
	return original, clone, urls[1]
}

func TestCloneIsNoticed(t *testing.T) {
	original, clone, _ := cloned(t)
	first := open(t, original, tombolo.Options{})
	_, err := tombolo.Open(t.Context(), clone, &tombolo.Options{Offline: true})
	copied, ok := errors.AsType[*tombolo.CopiedError](err)
	if !ok || copied.Dir != clone || copied.Since.IsZero() || !strings.Contains(err.Error(), "must not run twice") {
		t.Fatalf("opening the clone gives %v", err)
	}
	if _, err := tombolo.Open(t.Context(), clone, &tombolo.Options{Offline: true}); err == nil {
		t.Error("the second time it opens")
	}
	must(t, first.Close())
	open(t, original, tombolo.Options{Offline: true, Copied: tombolo.CopiedNew}) // is no copy, so it stays what it is
}

func TestCloneMoved(t *testing.T) {
	original, clone, u := cloned(t)
	self := open(t, original, tombolo.Options{Offline: true}).Self()
	e := open(t, clone, tombolo.Options{Offline: true, Copied: tombolo.CopiedMoved})
	if e.Self() != self {
		t.Errorf("it is %+v, was %+v", e.Self(), self)
	}
	reads(t, arrives(t, e, u), `{"secretkey":"secretvalue"}`)
	must(t, e.Close())
	open(t, clone, tombolo.Options{Offline: true}) // is asked once
}

func TestCloneBecomesNew(t *testing.T) {
	original, clone, u := cloned(t)
	first := open(t, original, tombolo.Options{Name: "old"})
	e := open(t, clone, tombolo.Options{Name: "new", Copied: tombolo.CopiedNew})
	if e.Self().Peer == first.Self().Peer || e.Self().Name != "new" || e.Home().ID() == first.Home().ID() || len(e.Spaces()) != 1 {
		t.Errorf("it is %+v in %v", e.Self(), e.Spaces())
	}
	if !sameContents(contents(t, e), contents(t, first)) {
		t.Error("it has other documents")
	}
	h := arrives(t, e, doc.URL{Space: e.Home().ID(), Doc: u.Doc})
	set(t, h, "/new", true)
	pair(t, first, e, true)
	reads(t, arrives(t, first, u), `{"new":true,"secretkey":"secretvalue"}`)
	must(t, e.Close())
	e = open(t, clone, tombolo.Options{Offline: true})
	if e.Home().ID() != first.Home().ID() {
		t.Error("it lost its home")
	}
}

// TestRenewalGoesOn has becoming a new device end before its identity was made, and before its home was, for want of randomness.
func TestRenewalGoesOn(t *testing.T) {
	for name, bytes := range map[string]int64{"identity": 0, "home": 32} {
		t.Run(name, func(t *testing.T) {
			original, clone, _ := cloned(t)
			_, err := tombolo.Open(t.Context(), clone, &tombolo.Options{
				Offline: true, Copied: tombolo.CopiedNew, Rand: io.LimitReader(rand.Reader, bytes),
			})
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Fatalf("opening gives %v", err)
			}
			if _, err := os.Lstat(filepath.Join(clone, "identity.copy")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a repair would put the old identity back: %v", err)
			}
			must(t, os.WriteFile(filepath.Join(clone, "identity.key.new"), []byte("half"), 0o600))
			e, first := open(t, clone, tombolo.Options{Offline: true, Name: "new"}), open(t, original, tombolo.Options{Offline: true})
			if e.Self().Peer == first.Self().Peer || e.Self().Name != "new" || e.Home().ID() == first.Home().ID() {
				t.Errorf("it is %+v", e.Self())
			}
			if len(e.Spaces()) != 1 || !sameContents(contents(t, e), contents(t, first)) {
				t.Errorf("its spaces are %v", e.Spaces())
			}
		})
	}
}

// TestMovedIsNoCopy moves a directory within its file system, puts its identity back, and opens one that no mark is known of.
func TestMovedIsNoCopy(t *testing.T) {
	original, _, u := cloned(t)
	moved := original + ".moved"
	must(t, os.Rename(original, moved))
	e := open(t, moved, tombolo.Options{Offline: true})
	reads(t, arrives(t, e, u), `{"secretkey":"secretvalue"}`)
	must(t, e.Close())
	key := filepath.Join(moved, "identity.key")
	b, err := os.ReadFile(key)
	must(t, errors.Join(err, os.Remove(key), os.WriteFile(key, b, 0o600)))
	must(t, open(t, moved, tombolo.Options{Offline: true}).Close())

	elsewhere := filepath.Join(t.TempDir(), "copy")
	copyDir(t, moved, elsewhere)
	if _, err := tombolo.Open(t.Context(), elsewhere, &tombolo.Options{Offline: true}); err == nil {
		t.Error("a copy of it is not noticed")
	}
}
