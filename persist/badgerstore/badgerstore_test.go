package badgerstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"tombolo/persist"
	"tombolo/persist/badgerstore"
	"tombolo/persist/storetest"
)

func TestStore(t *testing.T) {
	storetest.RunDurable(t, func(t *testing.T, dir string) persist.Store { return open(t, dir, nil) })
}

func open(t *testing.T, dir string, opts *badgerstore.Options) *badgerstore.Store {
	t.Helper()
	s, err := badgerstore.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func put(t *testing.T, s persist.Store, key string, value []byte) error {
	t.Helper()
	b := &persist.Batch{}
	b.Put([]byte(key), value)
	return s.Apply(context.Background(), b)
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	wantOwner := func(pid int) {
		t.Helper()
		_, err := badgerstore.Open(dir, nil)
		e, ok := errors.AsType[*badgerstore.LockedError](err)
		if !ok || e.PID != pid || e.Dir != dir || !errors.Is(err, persist.ErrLocked) {
			t.Fatalf("a second Open: %v, want a LockedError with process %d", err, pid)
		}
	}
	wantOwner(os.Getpid())
	for _, text := range []string{"", "me\n", "-1"} { // not written yet, or not by us
		if err := os.WriteFile(filepath.Join(dir, "LOCK"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		wantOwner(0)
	}
	if err := put(t, s, "a", []byte("1")); err != nil {
		t.Fatalf("the first store suffered from it: %v", err)
	}
	s.Close()
	open(t, dir, nil)
}

// TestLockFile leaves a lock file of a process that is gone, and a directory in
// its place, which only means that nobody is told who has the store.
func TestLockFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "LOCK")
	if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir, nil).Close()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the lock file is left behind: %v", err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, nil)
	_, err := badgerstore.Open(dir, nil)
	if e, ok := errors.AsType[*badgerstore.LockedError](err); !ok || e.PID != 0 || !strings.Contains(err.Error(), "another program") {
		t.Fatalf("a second Open: %v", err)
	}
	s.Close()
}

// TestBallast finds a ballast file of another size.
func TestBallast(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ballast")
	if err := os.WriteFile(path, []byte("too light"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir, nil)
	if info, err := os.Stat(path); err != nil || info.Size() != 32<<20 {
		t.Fatalf("the ballast was not laid down again: %v", err)
	}
}

func TestNotADirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := badgerstore.Open(path, nil); err == nil {
		t.Fatal("opened a file as a store")
	}
}

// filled returns a directory with a closed store that has several tables.
func filled(t *testing.T) string {
	dir := t.TempDir()
	s := open(t, dir, nil)
	value := make([]byte, 200<<10)
	random := rand.NewChaCha8([32]byte{1})
	for i := range 80 {
		random.Read(value)
		if err := put(t, s, fmt.Sprintf("%03d", i), value); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if tables, _ := filepath.Glob(filepath.Join(dir, "*.sst")); len(tables) < 2 {
		t.Fatalf("%d tables, the tests want several", len(tables))
	}
	return dir
}

// sizes returns the files of a directory.
func sizes(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	m := map[string]int64{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		m[e.Name()] = info.Size()
	}
	return m
}

// wantRefused opens a damaged store, and finds it as it was.
func wantRefused(t *testing.T, dir string) {
	t.Helper()
	before := sizes(t, dir)
	_, err := badgerstore.Open(dir, nil)
	if _, ok := errors.AsType[*badgerstore.DamagedError](err); !ok {
		t.Fatalf("Open of a damaged store: %v, want a DamagedError", err)
	}
	if !strings.Contains(err.Error(), "MANIFEST") {
		t.Errorf("the error does not say what is wrong: %v", err)
	}
	if after := sizes(t, dir); !maps.Equal(before, after) {
		t.Fatalf("the refusal changed files:\n%v\n%v", before, after)
	}
}

func TestManifestMissing(t *testing.T) {
	dir := filled(t)
	if err := os.Remove(filepath.Join(dir, "MANIFEST")); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, dir)
}

func TestManifestFlipped(t *testing.T) {
	dir := filled(t)
	path := filepath.Join(dir, "MANIFEST")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[20] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, dir)
}

// TestManifestTorn cuts records off until tables are missing in the list.
func TestManifestTorn(t *testing.T) {
	dir := filled(t)
	path := filepath.Join(dir, "MANIFEST")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	// The last record of a closed store lists its compaction; without it and
	// the half before it, fewer tables are named than lie there.
	if err := os.Truncate(path, 20); err != nil {
		t.Fatal(err)
	}
	if info.Size() <= 20 {
		t.Fatalf("MANIFEST has only %d bytes", info.Size())
	}
	wantRefused(t, dir)
}

// TestTableNotListed is a crash in a compaction: not damage.
func TestTableNotListed(t *testing.T) {
	dir := filled(t)
	tables, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	b, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "900000.sst"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, nil)
	if v, err := s.Get(context.Background(), []byte("079")); err != nil || len(v) != 200<<10 {
		t.Fatalf("Get: %d bytes, %v", len(v), err)
	}
}

func TestEmptyLogsRemoved(t *testing.T) {
	dir := filled(t)
	for _, name := range []string{"00077.mem", "000099.vlog"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, dir, nil)
	if _, err := s.Get(context.Background(), []byte("000")); err != nil {
		t.Fatal(err)
	}
}

func TestNoSpace(t *testing.T) {
	dir := t.TempDir()
	free := uint64(1 << 30)
	var broken error
	s := open(t, dir, &badgerstore.Options{Free: func() (uint64, error) { return free, broken }})
	if err := put(t, s, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	free = 64<<20 + 1
	err := put(t, s, "b", []byte("2"))
	e, ok := errors.AsType[*persist.NoSpaceError](err)
	if !ok || !errors.Is(err, persist.ErrNoSpace) || e.Free != free || e.Need <= e.Free {
		t.Fatalf("Apply on a nearly full disk: %v, want a NoSpaceError", err)
	}
	if v, err := s.Get(context.Background(), []byte("a")); err != nil || string(v) != "1" {
		t.Fatalf("reading on a nearly full disk: %q, %v", v, err)
	}
	if _, err := s.Get(context.Background(), []byte("b")); !errors.Is(err, persist.ErrNotFound) {
		t.Fatalf("the refused batch left something: %v", err)
	}
	broken = errors.New("no such disk")
	if err := put(t, s, "b", nil); !errors.Is(err, broken) {
		t.Fatalf("Apply without knowing the free space: %v", err)
	}
	free, broken = 1<<30, nil
	if err := put(t, s, "b", []byte("2")); err != nil {
		t.Fatalf("Apply after space was freed: %v", err)
	}
}

// TestHeadroomGrows refuses a large store sooner than an empty one.
func TestHeadroomGrows(t *testing.T) {
	const free = 65 << 20
	opts := &badgerstore.Options{Free: func() (uint64, error) { return free, nil }}
	if err := put(t, open(t, t.TempDir(), opts), "a", nil); err != nil {
		t.Fatalf("an empty store: %v", err)
	}
	if err := put(t, open(t, filled(t), opts), "a", nil); !errors.Is(err, persist.ErrNoSpace) {
		t.Fatalf("a store of 16 MB: %v, want ErrNoSpace", err)
	}
}

// TestFullAtOpen opens on a disk that has only the ballast to give.
func TestFullAtOpen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	if err := put(t, s, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	s.Close()
	ballast := filepath.Join(dir, "ballast")
	free := func() (uint64, error) {
		if _, err := os.Stat(ballast); errors.Is(err, fs.ErrNotExist) {
			return 32 << 20, nil
		}
		return 0, nil
	}
	s = open(t, dir, &badgerstore.Options{Free: free})
	if v, err := s.Get(context.Background(), []byte("a")); err != nil || string(v) != "1" {
		t.Fatalf("Get: %q, %v", v, err)
	}
	if err := put(t, s, "b", nil); !errors.Is(err, persist.ErrNoSpace) {
		t.Fatalf("Apply: %v, want ErrNoSpace", err)
	}
	s.Close()

	none := &badgerstore.Options{Free: func() (uint64, error) { return 1 << 20, nil }}
	if _, err := badgerstore.Open(dir, none); !errors.Is(err, persist.ErrNoSpace) {
		t.Fatalf("Open without ballast: %v, want ErrNoSpace", err)
	}
	broken := errors.New("no such disk")
	none.Free = func() (uint64, error) { return 0, broken }
	if _, err := badgerstore.Open(dir, none); !errors.Is(err, broken) {
		t.Fatalf("Open without knowing the free space: %v", err)
	}
	open(t, dir, nil)
	if info, err := os.Stat(ballast); err != nil || info.Size() != 32<<20 {
		t.Fatalf("the ballast was not laid down again: %v", err)
	}
}

// TestBallastComesBack lays the ballast down as soon as there is room, in a store that was opened without.
func TestBallastComesBack(t *testing.T) {
	dir := t.TempDir()
	free := uint64(40 << 20)
	s := open(t, dir, &badgerstore.Options{Free: func() (uint64, error) { return free, nil }})
	ballast := filepath.Join(dir, "ballast")
	if _, err := os.Stat(ballast); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the ballast on a full disk: %v", err)
	}
	free = 70 << 20 // enough for the write, not for the ballast
	if err := put(t, s, "a", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(ballast); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the ballast took what data needs: %v", err)
	}
	free = 1 << 30
	if err := put(t, s, "b", nil); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(ballast); err != nil || info.Size() != 32<<20 {
		t.Fatalf("the ballast was not laid down: %v", err)
	}
}

func TestLog(t *testing.T) {
	var out bytes.Buffer
	h := slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})
	open(t, t.TempDir(), &badgerstore.Options{Log: slog.New(h)}).Close()
	if s := out.String(); !strings.Contains(s, "level=DEBUG") || strings.Contains(s, "level=INFO") || !strings.Contains(s, "part=badger") {
		t.Fatalf("Badger's Info is to appear as Debug of part badger:\n%s", s)
	}
}

// TestBrokenDirectory takes away what Open and Apply read.
func TestBrokenDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "MANIFEST"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := badgerstore.Open(dir, nil); err == nil {
		t.Fatal("opened a store whose MANIFEST is a directory")
	}
	if err := os.Remove(filepath.Join(dir, "MANIFEST")); err != nil {
		t.Fatal(err)
	}
	open(t, dir, nil) // the refusal left no lock behind
}

// TestTableMissing is damage that Badger itself reports.
func TestTableMissing(t *testing.T) {
	dir := filled(t)
	tables, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err := os.Remove(tables[0]); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and the first refusal left no lock behind
		if _, err := badgerstore.Open(dir, nil); err == nil || errors.Is(err, persist.ErrLocked) {
			t.Fatalf("Open with a table missing: %v", err)
		}
	}
}

// TestFullAtClose closes on a disk that others have filled meanwhile: the
// tables that Badger writes then need the ballast.
func TestFullAtClose(t *testing.T) {
	dir := t.TempDir()
	var full atomic.Bool
	free := func() (uint64, error) {
		if full.Load() {
			return 0, nil
		}
		return 1 << 30, nil
	}
	s := open(t, dir, &badgerstore.Options{Free: free})
	if err := put(t, s, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ballast")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the ballast was not given up: %v", err)
	}
}
