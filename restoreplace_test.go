package tombolo_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tombolo"
	"tombolo/persist/backup"
)

// Somebody's own folder or link that happens to have the name of an attempt is not touched.
func TestRestoreKeepsOthersFiles(t *testing.T) {
	e, _ := device(t, t.TempDir(), tombolo.Options{})
	b := backedUp(t, e, tombolo.BackupOptions{})
	photos := filepath.Join(t.TempDir(), "photos")
	must(t, os.Mkdir(photos, 0o700))
	photo := filepath.Join(photos, "photo")
	must(t, os.WriteFile(photo, []byte("x"), 0o600))

	dir := filepath.Join(t.TempDir(), "new")
	must(t, os.Symlink(photos, dir+".restoring"))
	_, err := tombolo.Restore(t.Context(), bytes.NewReader(b), dir, tombolo.RestoreOptions{})
	if err == nil {
		t.Error("restored through a link")
	}
	if _, err := os.Stat(photo); err != nil {
		t.Error(err)
	}
	must(t, errors.Join(os.Remove(dir+".restoring"), syscall.Mkfifo(dir+".restoring", 0o600)))
	if _, err = tombolo.Restore(t.Context(), bytes.NewReader(b), dir, tombolo.RestoreOptions{}); err == nil {
		t.Error("restored over a pipe")
	}
	dir = filepath.Join(t.TempDir(), "new")
	must(t, os.Rename(photos, dir+".restoring"))
	_, err = tombolo.Restore(t.Context(), bytes.NewReader(b), dir, tombolo.RestoreOptions{})
	if err == nil {
		t.Error("restored over a folder of others")
	}
	if _, err := os.Stat(filepath.Join(dir+".restoring", "photo")); err != nil {
		t.Error(err)
	}
}

// A link to an empty directory stays a link, and the device goes where it leads.
func TestRestoreThroughLink(t *testing.T) {
	e, _ := device(t, t.TempDir(), tombolo.Options{})
	b := backedUp(t, e, tombolo.BackupOptions{})
	target, link := filepath.Join(t.TempDir(), "target"), filepath.Join(t.TempDir(), "link")
	must(t, os.Mkdir(target, 0o700))
	must(t, os.Symlink(target, link))
	_, err := tombolo.Restore(t.Context(), bytes.NewReader(b), link, tombolo.RestoreOptions{})
	must(t, err)
	if !tombolo.Exists(target) {
		t.Error("nothing is where the link leads")
	}
	to, err := os.Readlink(link)
	if err != nil || to != target {
		t.Errorf("the link is %q, %v", to, err)
	}
	must(t, os.Remove(link))
	must(t, os.Symlink(target+".gone", link))
	if _, err = tombolo.Restore(t.Context(), bytes.NewReader(b), link, tombolo.RestoreOptions{}); err == nil {
		t.Error("restored over a link that leads nowhere")
	}
}

func TestRestoreHere(t *testing.T) {
	e, _ := device(t, t.TempDir(), tombolo.Options{})
	b := backedUp(t, e, tombolo.BackupOptions{})
	dir := filepath.Join(t.TempDir(), "new")
	must(t, os.Mkdir(dir, 0o700))
	t.Chdir(dir)
	_, err := tombolo.Restore(t.Context(), bytes.NewReader(b), ".", tombolo.RestoreOptions{})
	must(t, err)
	if !tombolo.Exists(dir) {
		t.Error("nothing is there")
	}
}

// A backup that does not say whose it is makes no device, since its documents would stay out of reach.
func TestRestoreOfNobody(t *testing.T) {
	e, _ := device(t, t.TempDir(), tombolo.Options{})
	s := stored(t, backedUp(t, e, tombolo.BackupOptions{}))
	var b bytes.Buffer
	_, err := backup.Write(t.Context(), &b, s, backup.Head{}, nil)
	must(t, err)
	_, err = tombolo.Restore(t.Context(), &b, filepath.Join(t.TempDir(), "new"), tombolo.RestoreOptions{})
	if err == nil || !strings.Contains(err.Error(), "which device") {
		t.Errorf("restored: %v", err)
	}
}
