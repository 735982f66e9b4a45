package tombolo_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"tombolo"
)

// TestDoctorSealed examines and repairs a sealed directory: with its secret, like any other, and nothing that was hidden stands in the open after it.
func TestDoctorSealed(t *testing.T) {
	dir, _ := sealedDir(t)
	unlock := passphrase("correct horse")
	e := openSealed(t, dir, unlock)
	home := e.Home().ID()
	h, err := e.Home().Create(t.Context(), map[string]any{"n": secret})
	must(t, err)
	u := h.URL()
	must(t, h.Close())
	must(t, e.Close())

	if _, err := tombolo.Examine(t.Context(), dir, nil, tombolo.Attending{}); !errors.Is(err, tombolo.ErrSealed) {
		t.Errorf("examined without its secret: %v", err)
	}
	opts := &tombolo.Options{Unlock: unlock}
	if d, err := tombolo.Examine(t.Context(), dir, opts, tombolo.Attending{}); err != nil || !d.Sound || d.Documents != 1 {
		t.Errorf("examined: %+v, %v", d, err)
	}
	must(t, os.Remove(filepath.Join(dir, "store", "MANIFEST")))
	must(t, os.WriteFile(filepath.Join(dir, "identity.key"), []byte("gone"), 0o600))
	d, err := tombolo.Repair(t.Context(), dir, opts, tombolo.RepairOptions{})
	if err != nil || !d.Sound || d.Documents != 1 {
		t.Errorf("repaired: %+v, %v", d, err)
	}
	wantHidden(t, dir)
	e = openSealed(t, dir, unlock)
	if e.Home().ID() != home {
		t.Error("it has another home")
	}
	h, err = e.Document(t.Context(), u)
	must(t, err)
	must(t, h.Close())
	must(t, e.Close())

	must(t, os.RemoveAll(filepath.Join(dir, "store")))
	e = openSealed(t, dir, unlock)
	if e.Home().ID() != home {
		t.Error("without its store it has another home")
	}
}

// wantHidden looks for what a test wrote into a sealed directory.
func wantHidden(t *testing.T, dir string) {
	t.Helper()
	eachFile(t, dir, func(path string, b []byte) {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s has it in the open", path)
		}
	})
}
