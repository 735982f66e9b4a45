package badgerstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"tombolo/persist"
	"tombolo/persist/badgerstore"
)

func size(t *testing.T, s *badgerstore.Store) uint64 {
	t.Helper()
	n, err := s.Size()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestCompact deletes most of what there is, and looks at the disk.
func TestCompact(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	value := make([]byte, 200<<10)
	random := rand.NewChaCha8([32]byte{3})
	for i := range 150 {
		random.Read(value)
		if err := put(t, s, fmt.Sprintf("%03d", i), value); err != nil {
			t.Fatal(err)
		}
	}
	before := size(t, s)
	if before < 28<<20 {
		t.Fatalf("30 MB take %d bytes", before)
	}
	for i := range 149 {
		b := &persist.Batch{}
		b.Delete(fmt.Appendf(nil, "%03d", i))
		if err := s.Apply(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	var calls int
	var done, total uint64
	if err := s.Compact(context.Background(), func(d, n uint64) { calls, done, total = calls+1, d, n }); err != nil {
		t.Fatal(err)
	}
	if calls == 0 || done != total {
		t.Errorf("the last of %d calls of progress: %d of %d", calls, done, total)
	}
	if after := size(t, s); after > 2<<20 {
		t.Errorf("%d bytes before, %d after compacting, with 200 kB left", before, after)
	}
	if v, err := s.Get(context.Background(), []byte("149")); err != nil || string(v) != string(value) {
		t.Errorf("Get: %d bytes, %v", len(v), err)
	}
	s.Close()
	if err := s.Compact(context.Background(), nil); !errors.Is(err, persist.ErrClosed) {
		t.Errorf("Compact when closed: %v", err)
	}
}

// TestCompactStopped ends the context before and while Compact is at work, and
// closes the store under what it leaves behind.
func TestCompactStopped(t *testing.T) {
	dir := filled(t)
	s := open(t, dir, nil)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Compact(over, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("Compact under a context that had ended: %v", err)
	}
	if err := put(t, s, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	compacted := make(chan error, 1)
	go func() { compacted <- s.Compact(ctx, nil) }()
	cancel()
	if err := <-compacted; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatalf("Compact while its context ends: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, nil)
	if err := s.Check(ctx); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Get(context.Background(), []byte("079")); err != nil || len(v) != 200<<10 {
		t.Fatalf("Get: %d bytes, %v", len(v), err)
	}
}

// TestCompactTwice starts a second one from within the first.
func TestCompactTwice(t *testing.T) {
	s := open(t, filled(t), nil)
	if err := put(t, s, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	var second error
	if err := s.Compact(context.Background(), func(uint64, uint64) {
		if second == nil {
			second = s.Compact(context.Background(), nil)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if second != nil && !errors.Is(second, badgerstore.ErrCompacting) {
		t.Fatalf("the second: %v", second)
	}
}

// TestCompactRefused has no space, and then a damaged table.
func TestCompactRefused(t *testing.T) {
	dir := filled(t)
	free := uint64(1 << 30)
	s := open(t, dir, &badgerstore.Options{Free: func() (uint64, error) { return free, nil }})
	free = 80 << 20 // enough to write, not to merge 16 MB
	if err := put(t, s, "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(context.Background(), nil); !errors.Is(err, persist.ErrNoSpace) {
		t.Fatalf("Compact on a nearly full disk: %v", err)
	}
	free = 1 << 30
	tables, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	flip.do(t, tables[0], 0.5)
	err := s.Compact(context.Background(), nil)
	if e, ok := errors.AsType[*badgerstore.DamagedError](err); !ok || !strings.Contains(tables[0], e.File) {
		t.Fatalf("Compact of a damaged table: %v", err)
	}
	s.Close()
}

// TestRoom goes from plenty to little and back.
func TestRoom(t *testing.T) {
	free, broken := uint64(1<<30), error(nil)
	s := open(t, t.TempDir(), &badgerstore.Options{Free: func() (uint64, error) { return free, broken }})
	if err := s.Room(); err != nil {
		t.Fatalf("with 1 GiB free: %v", err)
	}
	free = 64 << 20
	if _, ok := errors.AsType[*persist.NoSpaceError](s.Room()); !ok {
		t.Fatalf("with 64 MiB free: %v", s.Room())
	}
	broken = errors.New("no such disk")
	if err := s.Room(); !errors.Is(err, broken) {
		t.Fatalf("without knowing: %v", err)
	}
	free, broken = 1<<30, nil
	if err := s.Room(); err != nil {
		t.Fatalf("with 1 GiB free again: %v", err)
	}
	s.Close()
	if err := s.Room(); !errors.Is(err, persist.ErrClosed) {
		t.Fatalf("when closed: %v", err)
	}
}

// TestNode opens a store in turn as a node's and as a desktop's, each time with
// a log that the other one left.
func TestNode(t *testing.T) {
	dir, keys := killed(t, 20)
	for range 2 {
		for _, node := range []bool{true, false} {
			s := open(t, dir, &badgerstore.Options{Node: node})
			if right, wrong := keysIn(t, s); len(right) != keys || wrong > 0 {
				t.Fatalf("node %v: %d keys and %d wrong ones, want %d", node, len(right), wrong, keys)
			}
			if err := put(t, s, keyOf(0), valueOf(0)); err != nil {
				t.Fatal(err)
			}
			copied := t.TempDir()
			copyStore(t, dir, copied)
			s.Close()
			dir = copied
		}
	}
}
