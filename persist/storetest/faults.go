package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tombolo/persist"
)

// seed makes the random cases the same in every run: a store that fails one
// fails it again.
const seed = 20261121

// testModel compares the store with a map, over many batches that write and
// delete a few keys again and again, often one key several times in a batch.
func testModel(t *testing.T, s persist.Store) {
	m := newModel()
	for range 150 {
		apply(t, s, m.batch())
		m.compare(t, s)
	}
}

// testSizes writes values of many sizes in one batch, and in one each.
func testSizes(t *testing.T, s persist.Store) {
	random := rand.NewChaCha8([32]byte{seed % 251})
	var keys, values []string
	for _, n := range []int{0, 1, 63, 64, 255, 256, 4095, 4096, 65535, 65536, 65537, persist.MaxValue - 1, persist.MaxValue} {
		value := make([]byte, n)
		random.Read(value)
		keys, values = append(keys, fmt.Sprintf("size/%06d", n)), append(values, string(value))
	}
	together := &persist.Batch{}
	for i, key := range keys {
		apply(t, s, batch(key, values[i]))
		if together.Bytes()+len(values[i]) < persist.MaxBatch-(1<<10) {
			together.Put([]byte("together/"+key), []byte(values[i]))
		}
	}
	apply(t, s, together)
	for i, key := range keys {
		want(t, s, key, values[i])
	}
	for op := range together.Ops() {
		want(t, s, string(op.Key), string(op.Value))
	}
}

// testReadYourWrites reads a key, writes it, and reads it again, in all ways.
func testReadYourWrites(t *testing.T, s persist.Store) {
	for i := range 30 {
		v := fmt.Sprint(i)
		apply(t, s, batch("a", v, "b", v))
		want(t, s, "a", v)
		if got, err := list(context.Background(), s, ""); err != nil || !slices.Equal(got, []string{"a", v, "b", v}) {
			t.Fatalf("List gave %q, %v right after a write of %s", got, err, v)
		}
		b := &persist.Batch{}
		b.Delete([]byte("a"))
		apply(t, s, b)
		want(t, s, "a")
		if got, err := list(context.Background(), s, "a"); err != nil || len(got) > 0 {
			t.Fatalf("List gave %q, %v right after that was deleted", got, err)
		}
	}
}

// testRefusedWhole looks at what stood before a refused batch: it must be as it was.
func testRefusedWhole(t *testing.T, s persist.Store) {
	apply(t, s, batch("a", "1", "b", "1"))
	for _, bad := range []string{"", "!x", strings.Repeat("k", persist.MaxKey+1)} {
		b := batch("a", "2")
		b.Delete([]byte("b"))
		b.Put([]byte(bad), nil)
		b.Put([]byte("c"), []byte("2"))
		wantErr(t, s.Apply(context.Background(), b), persist.ErrKey)
		got, err := list(context.Background(), s, "")
		if err != nil || !slices.Equal(got, []string{"a", "1", "b", "1"}) {
			t.Fatalf("List gave %q, %v after a batch that was refused", got, err)
		}
	}
}

// testModelReopened is testModel over many lives of a store.
func testModelReopened(t *testing.T, open func(*testing.T, string) persist.Store) {
	m := newModel()
	dir := t.TempDir()
	for range 12 {
		s := open(t, dir)
		m.compare(t, s)
		for range 1 + m.random.IntN(8) {
			apply(t, s, m.batch())
		}
		m.compare(t, s)
		closeStore(t, s)
	}
}

// testKilled opens a copy of the directory of a store that is open and at rest.
// That is what a killed process leaves behind: what it was told is durable has
// to be there. (It is not what a power cut leaves; see doc.go.)
func testKilled(t *testing.T, open func(*testing.T, string) persist.Store) {
	m := newModel()
	dir := t.TempDir()
	for range 4 {
		s := open(t, dir)
		m.compare(t, s)
		for range 1 + m.random.IntN(8) {
			apply(t, s, m.batch())
		}
		next := copyAtRest(t, dir)
		closeStore(t, s)
		dir = next
	}
	s := open(t, dir)
	defer closeStore(t, s)
	m.compare(t, s)
}

// copyAtRest copies the directory of an open store into a new one, which it
// returns: again, until nothing in it changed meanwhile. What a store does in
// the background is over some time after its last write.
func copyAtRest(t *testing.T, dir string) string {
	t.Helper()
	for range 200 {
		before := listDir(t, dir)
		to := t.TempDir()
		err := copyDir(dir, to)
		if slices.Equal(before, listDir(t, dir)) {
			if err != nil {
				t.Fatalf("copy the directory of the store: %v", err)
			}
			return to
		}
	}
	t.Fatal("the files of the store never stop changing, so that they cannot be copied")
	return ""
}

// listDir returns names, sizes and times of the files below dir.
func listDir(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil {
			var info os.FileInfo
			if info, err = d.Info(); err == nil {
				files = append(files, fmt.Sprint(path, info.Size(), info.ModTime().UnixNano()))
			}
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil // deleted since its directory was read
		}
		return err
	})
	if err != nil {
		t.Fatalf("list the directory of the store: %v", err)
	}
	return files
}

// copyDir copies the files below from.
func copyDir(from, to string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case !d.Type().IsRegular():
			return nil // a socket, say
		}
		return copySparse(path, target)
	})
}

// copySparse copies a file without its zeros at the end: stores lay out large
// files ahead.
func copySparse(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, bytes.TrimRight(b, "\x00"), 0o600); err != nil {
		return err
	}
	return os.Truncate(to, int64(len(b)))
}

// model is what a store should hold.
type model struct {
	random *rand.Rand
	values map[string]string
	writes int
}

func newModel() *model {
	return &model{random: rand.New(rand.NewPCG(seed, 1)), values: map[string]string{}}
}

// batch returns a random batch, and does it to the model.
func (m *model) batch() *persist.Batch {
	b := &persist.Batch{}
	for range 1 + m.random.IntN(6) {
		key := fmt.Sprintf("%c/%d", 'a'+m.random.IntN(3), m.random.IntN(6))
		if m.random.IntN(4) == 0 {
			b.Delete([]byte(key))
			delete(m.values, key)
			continue
		}
		m.writes++
		value := fmt.Sprintf("%d %s", m.writes, strings.Repeat("v", m.random.IntN(3)*m.random.IntN(900)))
		b.Put([]byte(key), []byte(value))
		m.values[key] = value
	}
	return b
}

// compare fails unless s has what the model has, and nothing else.
func (m *model) compare(t *testing.T, s persist.Store) {
	t.Helper()
	for _, prefix := range []string{"", "b", "c/1"} {
		var exp []string
		for _, key := range slices.Sorted(maps.Keys(m.values)) {
			if strings.HasPrefix(key, prefix) {
				exp = append(exp, key, m.values[key])
			}
		}
		got, err := list(context.Background(), s, prefix)
		if err != nil || !slices.Equal(got, exp) {
			t.Fatalf("after %d values written, List(%q) gave %.200q, %v; want %.200q", m.writes, prefix, got, err, exp)
		}
	}
	for _, table := range []string{"a", "b", "c"} {
		for i := range 6 {
			key := fmt.Sprintf("%s/%d", table, i)
			got, err := s.Get(context.Background(), []byte(key))
			exp, ok := m.values[key]
			if ok && (err != nil || string(got) != exp) || !ok && !errors.Is(err, persist.ErrNotFound) {
				t.Fatalf("after %d values written, Get(%q) gave %.80q, %v; want %.80q, there: %v", m.writes, key, got, err, exp, ok)
			}
		}
	}
}
