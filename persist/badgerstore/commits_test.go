package badgerstore_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tombolo/persist"
	"tombolo/persist/badgerstore"
)

// TestCommitsMissing cuts off the end of the log between two transactions, so
// that what is left reads well.
func TestCommitsMissing(t *testing.T) {
	dir, _ := killed(t, 30)
	logs, _ := filepath.Glob(filepath.Join(dir, "*.mem"))
	edit(t, logs[0], func(b []byte) []byte {
		held := bytes.TrimRight(b, "\x00")
		return b[:endOfTransaction(t, b, len(held)*2/3)]
	})
	s := open(t, dir, nil)
	lost, ok := errors.AsType[*badgerstore.ShortenedError](s.Check(context.Background()))
	if !ok || lost.Lost < 5 || lost.Lost > 15 || lost.Dir != dir || len(lost.Kept) > 0 {
		t.Fatalf("a third of 30 commits was cut off: %+v", lost)
	}
	have := 0
	for e, err := range s.List(context.Background(), []byte("k/")) {
		if err != nil || len(e.Value) == 0 {
			t.Fatalf("List: %q, %v", e.Key, err)
		}
		have++
	}
	if want := closedKeys + (30-int(lost.Lost))*perBatch; have != want {
		t.Fatalf("%d keys are left, but with %d commits lost there should be %d", have, lost.Lost, want)
	}
	report, err := os.ReadFile(filepath.Join(dir, "damaged", "report"))
	if err != nil || !strings.Contains(string(report), lost.Error()) {
		t.Fatalf("the report: %q, %v", report, err)
	}
	s.Close()
	if err := open(t, dir, nil).Check(context.Background()); err != nil {
		t.Fatalf("said again: %v", err)
	}
}

// TestDamagedKept finds the damaged files as they were.
func TestDamagedKept(t *testing.T) {
	dir, _ := killed(t, 30)
	for _, pattern := range []string{"*.mem", "*.sst"} {
		files, _ := filepath.Glob(filepath.Join(dir, pattern))
		flip.do(t, files[0], 0.5)
	}
	damaged := map[string][]byte{}
	for _, name := range []string{"*.mem", "*.sst"} {
		files, _ := filepath.Glob(filepath.Join(dir, name))
		b, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		damaged[filepath.Base(files[0])] = b
	}
	// A file of that name may be there from an earlier time.
	for name := range damaged {
		if err := os.MkdirAll(filepath.Join(dir, "damaged"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "damaged", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, dir, nil)
	lost, ok := errors.AsType[*badgerstore.ShortenedError](s.Check(context.Background()))
	if !ok || len(lost.Kept) != 2 || len(lost.What) != 2 {
		t.Fatalf("Check: %+v", lost)
	}
	for name, b := range damaged {
		kept, err := os.ReadFile(filepath.Join(dir, "damaged", name+"-2"))
		if err != nil || !bytes.Equal(kept, b) {
			t.Errorf("the copy of %s: %d bytes, %v", name, len(kept), err)
		}
		if !strings.Contains(lost.Error(), name) {
			t.Errorf("the report does not name %s: %v", name, lost)
		}
	}
}

// TestNoPlaceToKeep cannot copy what is damaged, so nothing is altered.
func TestNoPlaceToKeep(t *testing.T) {
	dir, _ := killed(t, 3)
	files, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	flip.do(t, files[0], 0.5)
	if err := os.WriteFile(filepath.Join(dir, "damaged"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := fingerprint(t, dir)
	if _, err := badgerstore.Open(dir, nil); err == nil || !strings.Contains(err.Error(), "keep the damaged") {
		t.Fatalf("Open: %v", err)
	}
	if fingerprint(t, dir) != sum {
		t.Fatal("something was altered")
	}
}

// TestCommitsFile takes away or spoils the file with the number, which is said
// in the log and costs nothing else.
func TestCommitsFile(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	opts := &badgerstore.Options{Log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	path := filepath.Join(dir, "commits")
	var last []byte
	for i, spoil := range []func() error{
		func() error { return nil },
		func() error { return os.Remove(path) },
		func() error { return os.WriteFile(path, []byte("tmbcmts1"), 0o600) },
		func() error { return os.WriteFile(path, nil, 0o600) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, opts)
		if err := s.Check(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := put(t, s, "a", []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(path)
		if err != nil || bytes.Equal(now, last) || len(now) != 20 {
			t.Fatalf("the file after a commit: %x, %v", now, err)
		}
		last = now
		s.Close()
		if said := out.Len() > 0; said != (i > 0) {
			t.Fatalf("opening number %d: the log says %q", i, out.String())
		}
		out.Reset()
	}
	if n := last[15]; n != 4 {
		t.Fatalf("the number of commits is %d after 4", n)
	}
	// What cannot be read at all is no damage.
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := badgerstore.Open(dir, nil); err == nil {
		t.Fatal("opened although the number of commits cannot be read")
	}
}

// TestHiddenKeys looks for the keys of the store's own.
func TestHiddenKeys(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	if err := put(t, s, " before", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"", "!", "!c", "!commits"} {
		for e, err := range s.List(context.Background(), []byte(prefix)) {
			if err != nil || string(e.Key) != " before" {
				t.Errorf("List(%q) gave %q, %v", prefix, e.Key, err)
			}
		}
	}
	if _, err := s.Get(context.Background(), []byte("!commits")); !errors.Is(err, persist.ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
}
