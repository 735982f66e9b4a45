package sealed_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"tombolo/persist/sealed"
)

// TestSlots lists what opens a file without opening it.
func TestSlots(t *testing.T) {
	dir := t.TempDir()
	_, err := sealed.Slots(dir)
	wantErr(t, err, fs.ErrNotExist)
	_, err = sealed.Create(dir, passphrase("correct horse"), sealed.NewRecoveryKey())
	wantNothing(t, err)
	slots, err := sealed.Slots(dir)
	wantNothing(t, err)
	if got := fmt.Sprint(slots); got != "[{1 passphrase} {2 recovery key}]" {
		t.Fatalf("the slots are %s", got)
	}
	wantNothing(t, os.Remove(filepath.Join(dir, sealed.CopyName)))
	wantNothing(t, os.WriteFile(filepath.Join(dir, sealed.FileName), []byte("no keys"), 0o600))
	_, err = sealed.Slots(dir)
	wantErr(t, err, sealed.ErrKeysFile)
}

// TestTwoPrograms has two holders of one file alter it: neither undoes what the
// other did.
func TestTwoPrograms(t *testing.T) {
	dir := t.TempDir()
	first := sealed.NewRecoveryKey()
	a, err := sealed.Create(dir, first, sealed.NewRecoveryKey())
	wantNothing(t, err)
	b := mustOpen(t, dir, first)
	wantNothing(t, a.RemoveSlot(2))
	num, err := b.AddSlot(sealed.NewRecoveryKey()) // b has seen two slots
	wantNothing(t, err)
	wantKinds(t, mustOpen(t, dir, first), sealed.KindRecovery, sealed.KindRecovery)
	wantErr(t, b.RemoveSlot(2), sealed.ErrNoSlot)
	wantNothing(t, a.RemoveSlot(num)) // a has seen one

	var wg sync.WaitGroup
	for _, k := range []*sealed.Keys{a, b, mustOpen(t, dir, first)} {
		wg.Go(func() {
			for range 10 {
				if _, err := k.AddSlot(sealed.NewRecoveryKey()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(mustOpen(t, dir, first).Slots()); n != 31 {
		t.Fatalf("%d slots are left of 31", n)
	}

	// The file of another store is left alone.
	other := t.TempDir()
	_, err = sealed.Create(other, sealed.NewRecoveryKey())
	wantNothing(t, err)
	wantNothing(t, os.Rename(filepath.Join(other, sealed.FileName), filepath.Join(dir, sealed.FileName)))
	_, err = a.AddSlot(sealed.NewRecoveryKey())
	wantErr(t, err, sealed.ErrOtherKeys)
	wantNothing(t, os.Remove(filepath.Join(dir, sealed.FileName)))
	_, err = a.AddSlot(sealed.NewRecoveryKey())
	wantErr(t, err, fs.ErrNotExist)
}
