package tombolo_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"tombolo"
)

// A file of somebody else's that is called as the backup under way would be stays.
func TestBackupKeepsOthersFiles(t *testing.T) {
	e, _ := device(t, t.TempDir(), tombolo.Options{})
	path := filepath.Join(t.TempDir(), "film")
	must(t, os.WriteFile(path+".part", []byte("half a film"), 0o600))
	write := func() error {
		_, err := tombolo.WriteBackup(t.Context(), path, toBackup, func(w io.Writer) error { _, err := e.Backup(t.Context(), w, tombolo.BackupOptions{}); return err })
		return err
	}
	if err := write(); err == nil {
		t.Error("written over it")
	}
	if b, err := os.ReadFile(path + ".part"); err != nil || string(b) != "half a film" {
		t.Errorf("it is %q, %v", b, err)
	}
	must(t, errors.Join(os.Remove(path+".part"), syscall.Mkfifo(path+".part", 0o600)))
	if err := write(); err == nil {
		t.Error("written into a pipe")
	}
	must(t, os.Remove(path+".part"))
	for _, left := range []string{"", "age-enc", "age-encryption.org/v1\n-> X25519"} {
		must(t, errors.Join(os.WriteFile(path+".part", []byte(left), 0o600), write(), os.Remove(path)))
	}
}

// A file that comes to the name while the backup is written stays.
func TestBackupKeepsWhatCame(t *testing.T) {
	e, _ := device(t, t.TempDir(), tombolo.Options{})
	path := filepath.Join(t.TempDir(), "file")
	_, err := tombolo.WriteBackup(t.Context(), path, toBackup, func(w io.Writer) error {
		_, err := e.Backup(t.Context(), w, tombolo.BackupOptions{})
		return errors.Join(err, os.WriteFile(path, []byte("mine"), 0o600))
	})
	if err == nil {
		t.Error("written")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "mine" {
		t.Errorf("it is %q, %v", b, err)
	}
}
