package p2p_test

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"tombolo/p2p"
)

// TestCarriedIdentity takes an identity to another directory, hidden there.
func TestCarriedIdentity(t *testing.T) {
	dir := t.TempDir()
	id, err := p2p.CreateIdentity(filepath.Join(dir, "a"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	exported, err := id.Export()
	if err != nil {
		t.Fatal(err)
	}
	flip := func(b []byte) ([]byte, error) {
		out := make([]byte, len(b))
		for i := range b {
			out[i] = b[i] ^ 0xff
		}
		return out, nil
	}
	path := filepath.Join(dir, "b")
	if got, err := p2p.ImportHidden(path, exported, flip); err != nil || got.ID() != id.ID() {
		t.Fatalf("imported %v, %v", got, err)
	}
	if got, err := p2p.LoadHidden(path, flip); err != nil || got.ID() != id.ID() {
		t.Errorf("loaded %v, %v", got, err)
	}
	if _, err := p2p.ImportHidden(path, exported, flip); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
	if _, err := p2p.ImportHidden(filepath.Join(dir, "c"), exported[:60], flip); !errors.Is(err, p2p.ErrBrokenIdentity) {
		t.Errorf("a part: %v", err)
	}
	mine := errors.New("mine")
	if _, err := p2p.ImportHidden(filepath.Join(dir, "c"), exported, func([]byte) ([]byte, error) { return nil, mine }); !errors.Is(err, mine) {
		t.Errorf("hiding fails: %v", err)
	}
}
