package badgerstore_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tombolo/persist"
)

// Keys of the stores below: how many each batch has, and a closed store.
const (
	perBatch   = 5
	closedKeys = 600 * perBatch
)

func keyOf(i int) string { return fmt.Sprintf("k/%06d", i) }

func valueOf(i int) []byte {
	v := make([]byte, 800)
	rand.NewChaCha8([32]byte{byte(i), byte(i >> 8), 9}).Read(v)
	return v
}

// closed returns a closed store of several tables; killed one that has gone on
// for some batches since and was killed then.
func closed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir, nil)
	fill(t, s, 0, closedKeys/perBatch)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if tables, _ := filepath.Glob(filepath.Join(dir, "*.sst")); len(tables) < 2 {
		t.Fatalf("%d tables, the tests want several", len(tables))
	}
	return dir
}

func killed(t *testing.T, batches int) (dir string, keys int) {
	t.Helper()
	dir = closed(t)
	s := open(t, dir, nil)
	defer s.Close()
	fill(t, s, closedKeys/perBatch, batches)
	copied := t.TempDir()
	copyStore(t, dir, copied)
	return copied, closedKeys + batches*perBatch
}

func fill(t *testing.T, s persist.Store, from, batches int) {
	t.Helper()
	for i := range batches {
		b := &persist.Batch{}
		for j := range perBatch {
			n := (from+i)*perBatch + j
			b.Put([]byte(keyOf(n)), valueOf(n))
		}
		if err := s.Apply(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
}

// copyStore copies a store, which may be open: again, until it did nothing in
// the background meanwhile. Links would not do: Badger truncates what it deletes.
func copyStore(t *testing.T, from, to string) {
	t.Helper()
	for range 200 {
		before := names(t, from)
		err := copyOnce(from, to)
		if slices.Equal(before, names(t, from)) {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the store is never at rest")
}

// names returns the files of a directory, with times.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			list = append(list, fmt.Sprint(e.Name(), info.Size(), info.ModTime().UnixNano()))
		}
	}
	return list
}

func copyOnce(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, e := range entries {
		src, dst := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		if e.IsDir() {
			if err := os.CopyFS(dst, os.DirFS(src)); err != nil {
				return err
			}
			continue
		}
		if e.Name() == "ballast" { // 32 MiB, and of no interest
			continue
		}
		b, err := os.ReadFile(src)
		if err != nil {
			return err
		}
		if err := os.WriteFile(dst, bytes.TrimRight(b, "\x00"), 0o600); err != nil {
			return err
		}
		if err := os.Truncate(dst, int64(len(b))); err != nil {
			return err
		}
	}
	return nil
}

// keysIn returns the numbers of the keys that a store gives with their values,
// and how many others it has or claims to have.
func keysIn(t *testing.T, s persist.Store) (right map[int]bool, wrong int) {
	t.Helper()
	right = map[int]bool{}
	for e, err := range s.List(context.Background(), nil) {
		var n int
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscanf(string(e.Key), "k/%d", &n); err != nil || !bytes.Equal(e.Value, valueOf(n)) {
			wrong++
			continue
		}
		right[n] = true
	}
	for n := range right {
		if v, err := s.Get(context.Background(), []byte(keyOf(n))); err != nil || !bytes.Equal(v, valueOf(n)) {
			t.Fatalf("Get(%q): %d bytes, %v, which List gave", keyOf(n), len(v), err)
		}
	}
	return right, wrong
}

// fingerprint returns a sum over the files of a directory.
func fingerprint(t *testing.T, dir string) uint32 {
	t.Helper()
	sum := crc32.NewIEEE()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "LOCK" {
			return err
		}
		b, err := os.ReadFile(path)
		fmt.Fprintln(sum, path, len(b))
		sum.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum.Sum32()
}
