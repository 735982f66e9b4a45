package tombolo_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist"
	"tombolo/persist/backup"
	"tombolo/persist/memstore"
	"tombolo/persist/sealed"
)

// A key of age made for these tests: a passphrase would cost a second each time.
var (
	toBackup   = tombolo.BackupKey{Recipients: []string{"age1fh9s0l3pg2v9md5q02hx5als6qry97lqmyy833zt54d3q40c85wqwj7xmr"}}
	fromBackup = tombolo.BackupKey{Identities: []string{"AGE-SECRET-KEY-1G56A6X9KP8X9F0PVY7FALXE7UNJ8VL7J3MGQ2WU60SRJS7HV4V2S3AU730"}}
)

// backedUp is a backup of an engine, as a stream that is not encrypted.
func backedUp(t *testing.T, e *tombolo.Engine, opts tombolo.BackupOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := e.Backup(t.Context(), &b, opts)
	must(t, err)
	return b.Bytes()
}

// device is an engine with a few documents of every kind, and their URLs.
func device(t *testing.T, dir string, opts tombolo.Options) (*tombolo.Engine, []doc.URL) {
	t.Helper()
	opts.Offline = true
	e := open(t, dir, opts)
	named, err := e.Home().Open(t.Context(), "secretnamed")
	must(t, err)
	for i := range 300 {
		_, err := named.ChangeAsync(t.Context(), "", func(tx *doc.Tx) error { return tx.Set("/n", i) })
		must(t, err)
	}
	plain, err := e.Home().Create(t.Context(), map[string]any{"secretkey": "secretvalue"})
	must(t, err)
	large, err := e.Home().Create(t.Context(), map[string]any{"x": strings.Repeat("0123456789", 100_000)})
	must(t, err)
	urls := []doc.URL{named.URL(), plain.URL(), large.URL()}
	set(t, named, "/last", true)
	must(t, errors.Join(named.Close(), plain.Close(), large.Close()))
	return e, urls
}

func TestBackupVerifies(t *testing.T) {
	e, _ := device(t, t.TempDir(), tombolo.Options{Name: "secretdevice"})
	path := filepath.Join(t.TempDir(), "a.backup")
	var told []uint64
	sum, err := tombolo.WriteBackup(t.Context(), path, toBackup, func(w io.Writer) error {
		_, err := e.Backup(t.Context(), w, tombolo.BackupOptions{Progress: func(done, total uint64) { told = append(told, done, total) }})
		return err
	})
	must(t, err)
	if sum.Documents != 3 || sum.Identity || sum.Device != e.Self() || sum.Unread != 0 || sum.Bytes < 1000 || sum.Created.IsZero() {
		t.Errorf("the summary is %+v", sum)
	}
	if got := fmt.Sprint(told); got != "[1 3 2 3 3 3]" {
		t.Errorf("progress was %s", got)
	}
	file, err := os.ReadFile(path)
	must(t, err)
	for _, secret := range []string{"secret", e.Self().Peer, "0123456789"} {
		if bytes.Contains(file, []byte(secret)) {
			t.Errorf("%q is in the file", secret)
		}
	}
	report := verified(t, file)
	if report.BackupSummary != sum || report.Changes < 305 || len(report.Damaged) != 0 {
		t.Errorf("the report is %+v, the summary was %+v", report, sum)
	}
	if left, err := filepath.Glob(path + ".*"); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}

	// A second one does not take its place, and leaves nothing.
	if _, err := tombolo.WriteBackup(t.Context(), path, toBackup, func(io.Writer) error { return nil }); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("a second one gives %v", err)
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, file) {
		t.Errorf("the file changed, %v", err)
	}
	for i := range 200 { // anywhere; persist/backup has every byte of a small one
		at := len(file) * i / 200
		b := bytes.Clone(file)
		b[at] ^= 0x10
		if _, err := verify(t.Context(), b); err == nil {
			t.Errorf("byte %d flipped: nobody notices", at)
		}
		if _, err := verify(t.Context(), file[:at]); err == nil {
			t.Errorf("cut off after %d: nobody notices", at)
		}
	}
}

func verify(ctx context.Context, file []byte) (tombolo.BackupReport, error) {
	plain, err := tombolo.UnsealBackup(bytes.NewReader(file), fromBackup)
	if err != nil {
		return tombolo.BackupReport{}, err
	}
	return tombolo.VerifyBackup(ctx, plain, nil)
}

func verified(t *testing.T, file []byte) tombolo.BackupReport {
	t.Helper()
	report, err := verify(t.Context(), file)
	must(t, err)
	return report
}

var recordBackup = flag.String("record-device-backup", "", "record a backup as testdata/backups/`NAME`.backup, for this and all later versions to restore")

// Every backup that a version has made is restored by all later ones. One is recorded for each change of the format:
//
//	go test -run TestBackupsOfBefore -record-device-backup 2026-11-format-1 .
func TestBackupsOfBefore(t *testing.T) {
	if *recordBackup != "" {
		e, _ := device(t, t.TempDir(), tombolo.Options{Name: "recorder"})
		must(t, os.MkdirAll("testdata/backups", 0o755))
		_, err := tombolo.WriteBackup(t.Context(), filepath.Join("testdata", "backups", *recordBackup+".backup"), toBackup, func(w io.Writer) error {
			_, err := e.Backup(t.Context(), w, tombolo.BackupOptions{Identity: true})
			return err
		})
		must(t, err)
	}
	names, err := filepath.Glob("testdata/backups/*.backup")
	must(t, err)
	if len(names) == 0 {
		t.Fatal("no backup is recorded in testdata/backups")
	}
	for _, name := range names {
		file, err := os.ReadFile(name)
		must(t, err)
		report := verified(t, file)
		if report.Device.Name != "recorder" || report.Documents != 3 || report.Changes < 305 || len(report.Damaged) > 0 || !report.Identity {
			t.Errorf("%s: the report is %+v", name, report)
		}
		for _, same := range []bool{true, false} {
			plain, err := tombolo.UnsealBackup(bytes.NewReader(file), fromBackup)
			must(t, err)
			dir := filepath.Join(t.TempDir(), "restored")
			_, err = tombolo.Restore(t.Context(), plain, dir, tombolo.RestoreOptions{SameDevice: same})
			must(t, err)
			e := open(t, dir, tombolo.Options{Offline: true})
			h, err := e.Home().Open(t.Context(), "secretnamed")
			must(t, err)
			if got := text(t, h); got != `{"last":true,"n":299}` || (e.Self() == report.Device) != same {
				t.Errorf("%s: it is %s on %v", name, got, e.Self())
			}
			set(t, h, "/n", 1)
			must(t, h.Close())
		}
	}
}

// TestBackupWhileEditing backs up what is edited meanwhile: each document is in the backup as it once was.
func TestBackupWhileEditing(t *testing.T) {
	e, urls := device(t, t.TempDir(), tombolo.Options{})
	h, err := e.Document(t.Context(), urls[0])
	must(t, err)
	stop, ended := make(chan struct{}), make(chan error)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				ended <- h.Close()
				return
			default:
			}
			if err := h.Change(t.Context(), "", func(tx *doc.Tx) error { return tx.Set("/n", i) }); err != nil {
				ended <- err
				return
			}
		}
	}()
	for range 5 {
		report, err := tombolo.VerifyBackup(t.Context(), bytes.NewReader(backedUp(t, e, tombolo.BackupOptions{})), nil)
		must(t, err)
		if report.Documents != 3 || len(report.Damaged) > 0 {
			t.Errorf("the report is %+v", report)
		}
	}
	close(stop)
	must(t, <-ended)
}

// TestVerifyNamesDamage has bytes of a store altered before the backup.
func TestVerifyNamesDamage(t *testing.T) {
	inner := memstore.New()
	e, urls := device(t, t.TempDir(), tombolo.Options{Store: &unclosed{inner}})
	must(t, e.Close())
	spoil := func(key, value []byte) {
		b := &persist.Batch{}
		b.Put(key, value)
		must(t, inner.Apply(t.Context(), b))
	}
	numbers := map[uint64]int{}
	for entry, err := range inner.List(t.Context(), []byte("r")) {
		must(t, err)
		num, _ := persist.RecordOf(entry.Key)
		if numbers[num]++; num == 1 && numbers[num] == 1 { // the named one
			entry.Value[len(entry.Value)/2] ^= 1
			spoil(entry.Key, entry.Value)
		}
	}
	header := persist.HeaderKey(persist.Name{Space: urls[1].Space, Doc: urls[1].Doc})
	value, err := inner.Get(t.Context(), header)
	must(t, err)
	value[10] ^= 1
	spoil(header, value)

	var b bytes.Buffer
	_, err = backup.Write(t.Context(), &b, inner, backup.Head{}, nil)
	must(t, err)
	report, err := tombolo.VerifyBackup(t.Context(), &b, nil)
	must(t, err)
	bad := map[doc.URL]string{}
	for _, d := range report.Damaged {
		bad[d.URL] = d.Why
	}
	if len(bad) != 2 || !strings.Contains(bad[urls[0]], "checksum of its record") || !strings.Contains(bad[urls[1]], "checksum of its header") {
		t.Errorf("it finds %v", bad)
	}
}

// unclosed is a store that outlives its engine.
type unclosed struct{ persist.Store }

func (*unclosed) Close() error { return nil }

func TestVerifyMissesRecords(t *testing.T) {
	inner := memstore.New()
	e, urls := device(t, t.TempDir(), tombolo.Options{Store: &unclosed{inner}})
	must(t, e.Close())
	b := &persist.Batch{}
	for entry, err := range inner.List(t.Context(), []byte("r")) {
		must(t, err)
		if num, _ := persist.RecordOf(entry.Key); num == 2 {
			b.Delete(entry.Key)
		}
	}
	must(t, inner.Apply(t.Context(), b))
	var w bytes.Buffer
	_, err := backup.Write(t.Context(), &w, inner, backup.Head{}, nil)
	must(t, err)
	report, err := tombolo.VerifyBackup(t.Context(), &w, nil)
	must(t, err)
	if len(report.Damaged) != 1 || report.Damaged[0].URL != urls[1] || !strings.Contains(report.Damaged[0].Why, "its records end there") {
		t.Errorf("it finds %v", report.Damaged)
	}
}

// TestBackupFails has what it needs fail, and looks at what is left.
func TestBackupFails(t *testing.T) {
	e, _ := device(t, t.TempDir(), tombolo.Options{})
	path := filepath.Join(t.TempDir(), "a.backup")
	mine := errors.New("mine")
	whole := func(w io.Writer) error {
		_, err := e.Backup(t.Context(), w, tombolo.BackupOptions{})
		return err
	}
	for name, c := range map[string]struct {
		key   tombolo.BackupKey
		path  string
		write func(io.Writer) error
		want  string
	}{
		"no key":          {tombolo.BackupKey{}, path, whole, "needs a passphrase"},
		"writing fails":   {toBackup, path, func(w io.Writer) error { return errors.Join(whole(w), mine) }, "mine"},
		"half a backup":   {toBackup, path, func(w io.Writer) error { return whole(&half{w, 1000}) }, "half"},
		"another thing":   {toBackup, path, func(w io.Writer) error { _, err := w.Write([]byte("hello, this is no backup")); return err }, "no backup"},
		"nothing":         {toBackup, path, func(io.Writer) error { return nil }, "cut off"},
		"a missing place": {toBackup, filepath.Join(path, "below"), whole, "no such file"},
	} {
		_, err := tombolo.WriteBackup(t.Context(), c.path, c.key, c.write)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if left, err := filepath.Glob(path + "*"); err != nil || len(left) > 0 {
			t.Errorf("%s: %v is left, %v", name, left, err)
		}
	}

	// What a process left that was killed is no hindrance; one that is at work is.
	must(t, os.WriteFile(path+".part", append([]byte("age-encryption.org/v1\n"), make([]byte, 1<<20)...), 0o600))
	_, err := tombolo.WriteBackup(t.Context(), path, toBackup, func(w io.Writer) error {
		_, err := tombolo.WriteBackup(t.Context(), path, toBackup, whole)
		if err == nil || !strings.Contains(err.Error(), "being written") {
			t.Errorf("two at once: %v", err)
		}
		return whole(w)
	})
	must(t, err)
	file, err := os.ReadFile(path)
	must(t, err)
	verified(t, file)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Backup(ended, io.Discard, tombolo.BackupOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	if _, err := verify(ended, file); !errors.Is(err, context.Canceled) {
		t.Errorf("verifying with an ended context: %v", err)
	}
	must(t, e.Close())
	if _, err := e.Backup(t.Context(), io.Discard, tombolo.BackupOptions{}); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("a closed engine: %v", err)
	}
}

// half fails after so many bytes.
type half struct {
	w    io.Writer
	left int
}

func (h *half) Write(b []byte) (int, error) {
	if len(b) > h.left {
		return 0, errors.New("half")
	}
	h.left -= len(b)
	return h.w.Write(b)
}

// TestBackupOnFullDisk writes to a file system with too little room.
func TestBackupOnFullDisk(t *testing.T) {
	dir := tinyDisk(t, 64<<10)
	e, _ := device(t, t.TempDir(), tombolo.Options{})
	h, err := e.Home().Create(t.Context(), map[string]any{"x": incompressible(1 << 18)})
	must(t, err)
	must(t, h.Close())
	_, err = tombolo.WriteBackup(t.Context(), filepath.Join(dir, "a.backup"), toBackup, func(w io.Writer) error {
		_, err := e.Backup(t.Context(), w, tombolo.BackupOptions{})
		return err
	})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	if _, err := tombolo.Restore(t.Context(), bytes.NewReader(backedUp(t, e, tombolo.BackupOptions{})), filepath.Join(dir, "new"), tombolo.RestoreOptions{}); err == nil {
		t.Error("it restores on a full disk")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left of restoring, %v", left, err)
	}
}

// tinyDisk is a file system of its own of so many bytes, for tests that run as root on Linux, as CI's do.
func tinyDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", bytes), "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("mounting a small disk: %v: %s", err, out)
		}
		t.Skipf("skipped: needs root to mount a small disk: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

func incompressible(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// TestBackupOfSealedStore has a backup made of what the disk holds sealed.
func TestBackupOfSealedStore(t *testing.T) {
	key := sealed.NewRecoveryKey()
	unlock := func(context.Context) (sealed.Secret, error) { return key, nil }
	e, urls := device(t, t.TempDir(), tombolo.Options{Unlock: unlock})
	b := backedUp(t, e, tombolo.BackupOptions{Identity: true})
	self := e.Self()
	must(t, e.Close())
	for name, device := range map[string]*tombolo.Options{"open": nil, "sealed": {Unlock: unlock}} {
		dir := filepath.Join(t.TempDir(), "new")
		r, err := tombolo.Restore(t.Context(), bytes.NewReader(b), dir, tombolo.RestoreOptions{SameDevice: true, Device: device})
		must(t, err)
		if r.Device != self || r.Documents != 3 {
			t.Errorf("%s: restored %+v", name, r)
		}
		opts := tombolo.Options{Offline: true}
		if device != nil {
			opts.Unlock = device.Unlock
		}
		if tombolo.Sealed(dir) != (device != nil) {
			t.Errorf("%s: it is not", name)
		}
		reads(t, arrives(t, open(t, dir, opts), urls[1]), `{"secretkey":"secretvalue"}`)
	}
}
