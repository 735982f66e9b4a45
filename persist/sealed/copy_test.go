package sealed_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tombolo/persist"
	"tombolo/persist/sealed"
)

func bytesOf(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	wantNothing(t, err)
	return b
}

// TestCopy damages the keys file and its copy: one of them is enough, and Mend
// makes both whole.
func TestCopy(t *testing.T) {
	dir := t.TempDir()
	secret := sealed.NewRecoveryKey()
	k, err := sealed.Create(dir, secret)
	wantNothing(t, err)
	wantNothing(t, k.Problem())
	path, copied := filepath.Join(dir, sealed.FileName), filepath.Join(dir, sealed.CopyName)
	for name, harm := range map[string]func(){
		"the file is gone":        func() { wantNothing(t, os.Remove(path)) },
		"the file is empty":       func() { wantNothing(t, os.Truncate(path, 0)) },
		"the file is zeros":       func() { wantNothing(t, os.WriteFile(path, make([]byte, 100), 0o600)) },
		"the copy is gone":        func() { wantNothing(t, os.Remove(copied)) },
		"the copy is cut":         func() { wantNothing(t, os.Truncate(copied, 20)) },
		"the copy is of long ago": func() { old := bytesOf(t, copied); mustAdd(t, k); wantNothing(t, os.WriteFile(copied, old, 0o600)) },
		"nothing":                 func() {},
	} {
		harm()
		slots, err := sealed.Slots(dir)
		if err != nil || len(slots) == 0 {
			t.Fatalf("%s: %v, %v", name, slots, err)
		}
		opened := mustOpen(t, dir, secret)
		if problem := opened.Problem(); (problem == nil) != (name == "nothing") {
			t.Fatalf("%s: the problem is %v", name, problem)
		}
		wantNothing(t, opened.Mend())
		wantNothing(t, opened.Problem())
		wantNothing(t, opened.Mend())
		if !bytes.Equal(bytesOf(t, path), bytesOf(t, copied)) {
			t.Fatalf("%s: mended, they differ", name)
		}
		wantNothing(t, mustOpen(t, dir, secret).Problem())
	}
	for _, kept := range []string{".damaged-1", ".damaged-2"} {
		if _, err := os.Stat(path + kept); err != nil {
			t.Errorf("what did not read is not kept: %v", err)
		}
	}
}

func mustAdd(t *testing.T, k *sealed.Keys) {
	t.Helper()
	_, err := k.AddSlot(sealed.NewRecoveryKey())
	wantNothing(t, err)
}

// TestCopyOfOthers has the file of another store in the place of one: whoever
// opened with that does not write over it, and a new store begins nowhere
// where there is a copy.
func TestCopyOfOthers(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	secret := sealed.NewRecoveryKey()
	_, err := sealed.Create(dir, secret)
	wantNothing(t, err)
	_, err = sealed.Create(other, sealed.NewRecoveryKey())
	wantNothing(t, err)
	path, copied := filepath.Join(dir, sealed.FileName), filepath.Join(dir, sealed.CopyName)
	whole := bytesOf(t, path)

	wantNothing(t, os.Remove(path))
	_, err = sealed.Create(dir, secret)
	wantErr(t, err, fs.ErrExist)
	fromCopy := mustOpen(t, dir, secret)
	wantNothing(t, os.Rename(filepath.Join(other, sealed.FileName), path))
	wantErr(t, fromCopy.Mend(), sealed.ErrOtherKeys)
	wantNothing(t, os.Remove(path))
	wantNothing(t, os.Rename(filepath.Join(other, sealed.CopyName), copied))
	wantErr(t, fromCopy.Mend(), sealed.ErrOtherKeys)
	wantNothing(t, os.Remove(copied))
	wantErr(t, fromCopy.Mend(), fs.ErrNotExist)
	_, err = sealed.Open(dir, secret)
	wantErr(t, err, fs.ErrNotExist)

	// A file of a later version is not passed over.
	wantNothing(t, os.WriteFile(copied, whole, 0o600))
	newer := bytes.Clone(whole)
	newer[0] = 2
	wantNothing(t, os.WriteFile(path, checked(newer), 0o600))
	_, err = sealed.Open(dir, secret)
	if _, ok := errors.AsType[*persist.TooNewError](err); !ok {
		t.Fatalf("a file of version 2: %v", err)
	}
}

// TestCopyFails has a copy that cannot be written: a secret that is taken away
// would open it still, and that is said.
func TestCopyFails(t *testing.T) {
	dir := t.TempDir()
	copied := filepath.Join(dir, sealed.CopyName)
	k, err := sealed.Create(dir, sealed.NewRecoveryKey(), sealed.NewRecoveryKey())
	wantNothing(t, err)
	wantNothing(t, os.Remove(copied))
	wantNothing(t, os.MkdirAll(filepath.Join(copied, "in the way"), 0o700))
	if err := k.RemoveSlot(2); err == nil || !strings.Contains(err.Error(), "has the secrets of before") || k.Problem() == nil {
		t.Fatalf("RemoveSlot: %v, %v", err, k.Problem())
	}
	wantKinds(t, k, sealed.KindRecovery)
	if err := k.Mend(); err == nil || k.Problem() == nil {
		t.Fatal("mended what is in the way")
	}
	wantNothing(t, os.RemoveAll(copied))
	wantNothing(t, k.Mend())
}
