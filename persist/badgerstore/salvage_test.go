package badgerstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"tombolo/persist"
	"tombolo/persist/badgerstore"
)

// salvaged is the newest version of every key that the files give.
func salvaged(t *testing.T, dir string) (map[string]string, []string) {
	t.Helper()
	newest := map[string]badgerstore.Salvaged{}
	unread, err := badgerstore.Salvage(t.Context(), dir, func(s badgerstore.Salvaged) error {
		if have, ok := newest[string(s.Key)]; !ok || have.Version < s.Version {
			newest[string(s.Key)] = s
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for key, s := range newest {
		if !s.Deleted {
			out[key] = string(s.Value)
		}
	}
	return out, unread
}

func contents(t *testing.T, s persist.Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	for e, err := range s.List(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		out[string(e.Key)] = string(e.Value)
	}
	return out
}

// TestSalvage reads a store's files, open (the newest batches are in the log)
// and closed (everything is in tables), and finds what the store has.
func TestSalvage(t *testing.T) {
	dir := filled(t)
	s := open(t, dir, nil)
	for i := range 200 {
		var b persist.Batch
		for j := range 5 {
			b.Put(fmt.Appendf(nil, "k%03d", (7*i+j)%150), fmt.Appendf(nil, "value %d", i))
		}
		b.Delete(fmt.Appendf(nil, "k%03d", i%40))
		if err := s.Apply(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	want := contents(t, s)
	for _, state := range []string{"open", "closed"} {
		got, unread := salvaged(t, dir)
		if len(unread) > 0 {
			t.Errorf("%s: %v", state, unread)
		}
		for key, value := range want {
			if got[key] != value {
				t.Fatalf("%s: %q is %.20q, want %.20q", state, key, got[key], value)
			}
		}
		if state == "open" && len(got) != len(want) {
			t.Errorf("%d keys, want %d", len(got), len(want))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSalvageDamaged takes away MANIFEST, and breaks one block and one index:
// everything else is still found, nothing is invented, and what is not read is named.
func TestSalvageDamaged(t *testing.T) {
	dir := filled(t)
	s := open(t, dir, nil)
	want := contents(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tables, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	spoil(t, tables[0], 1000)
	info, err := os.Stat(tables[1])
	if err != nil {
		t.Fatal(err)
	}
	spoil(t, tables[1], info.Size()-30)
	if err := os.Remove(filepath.Join(dir, badger.ManifestFilename)); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(tables[len(tables)-1], 100); len(tables) > 2 && err != nil {
		t.Fatal(err)
	}
	got, unread := salvaged(t, dir)
	for key, value := range got {
		if want[key] != value {
			t.Errorf("%q is not what was written", key)
		}
	}
	if len(got) == 0 || len(got) == len(want) || len(unread) < 2 {
		t.Errorf("%d of %d keys, unread: %v", len(got), len(want), unread)
	}
}

// TestSalvageWithoutIndex cuts the end off every table: the blocks before it are found without the index.
func TestSalvageWithoutIndex(t *testing.T) {
	dir := filled(t)
	s := open(t, dir, nil)
	want := contents(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tables, _ := filepath.Glob(filepath.Join(dir, "*.sst"))
	for _, path := range tables {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, info.Size()-5); err != nil {
			t.Fatal(err)
		}
	}
	got, unread := salvaged(t, dir)
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%q is %.20q", key, got[key])
		}
	}
	if len(unread) != len(tables) {
		t.Errorf("unread: %v", unread)
	}
}

// FuzzSalvage reads bytes as a table and as a log: it gives what it gives, and no panic.
func FuzzSalvage(f *testing.F) {
	f.Add([]byte{3, 8, 'a', 'b', 'c'})
	f.Add(make([]byte, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		for _, name := range []string{"000001.sst", "00001.mem"} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := badgerstore.Salvage(t.Context(), dir, func(badgerstore.Salvaged) error { return nil }); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSalvageLog breaks a log in the middle: the batches behind the damage are found, that one is left out as a whole.
func TestSalvageLog(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	for i := range 100 {
		var b persist.Batch
		b.Put(fmt.Appendf(nil, "a%02d", i), fmt.Appendf(nil, "value %d", i))
		b.Put(fmt.Appendf(nil, "b%02d", i), fmt.Appendf(nil, "value %d", i))
		if err := s.Apply(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	logs, _ := filepath.Glob(filepath.Join(dir, "*.mem"))
	copied := t.TempDir()
	b, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(b[2000:], 'b') + 2000 // the key of a second entry
	b[at] ^= 1
	if err := os.WriteFile(filepath.Join(copied, filepath.Base(logs[0])), b, 0o600); err != nil {
		t.Fatal(err)
	}
	got, unread := salvaged(t, copied)
	if len(got) != 198 || len(unread) != 1 {
		t.Errorf("%d keys, want 198; unread: %v", len(got), unread)
	}
	for i := range 100 {
		if (got[fmt.Sprintf("a%02d", i)] == "") != (got[fmt.Sprintf("b%02d", i)] == "") {
			t.Errorf("batch %d was taken in part", i)
		}
	}
}

func TestSalvageErrors(t *testing.T) {
	if _, err := badgerstore.Salvage(t.Context(), filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("salvaged a directory that is not there")
	}
	dir := filled(t)
	stop := errors.New("stop")
	if _, err := badgerstore.Salvage(t.Context(), dir, func(badgerstore.Salvaged) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the error of each is lost: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := badgerstore.Salvage(ctx, dir, func(badgerstore.Salvaged) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("the context's error is lost: %v", err)
	}
}

// spoil flips a bit of a file.
func spoil(t *testing.T, path string, at int64) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
