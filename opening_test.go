package tombolo_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"tombolo"
	"tombolo/persist"
	"tombolo/persist/memstore"
)

// files is what a directory holds, by path; the lock's contents do not count.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "lock" {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = string(b)
		return err
	}))
	return out
}

// closing tells whether the engine closed the store it was given.
type closing struct {
	persist.Store
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return c.Store.Close()
}

// An Open that fails leaves nothing open, and of what it found everything as it was.
func TestOpenFails(t *testing.T) {
	newer := func() persist.Store {
		s := memstore.New()
		var b persist.Batch
		b.Put([]byte("f"), []byte{1, 99}) // the format record, of a version to come
		must(t, s.Apply(t.Context(), &b))
		return s
	}
	foreign := func() persist.Store {
		s := memstore.New()
		var b persist.Batch
		b.Put([]byte("somebody"), []byte("else's"))
		must(t, s.Apply(t.Context(), &b))
		return s
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		opts   tombolo.Options
		damage func(dir string)
	}{
		{"the identity is broken", t.Context(), tombolo.Options{}, func(dir string) {
			must(t, os.WriteFile(filepath.Join(dir, "identity.key"), []byte("not a key"), 0o600))
		}},
		{"the identity is gone", t.Context(), tombolo.Options{}, func(dir string) {
			must(t, os.Remove(filepath.Join(dir, "identity.key")))
		}},
		{"the context has ended", gone, tombolo.Options{}, func(string) {}},
		{"the store is newer", t.Context(), tombolo.Options{Store: newer()}, func(string) {}},
		{"the store is another's", t.Context(), tombolo.Options{Store: foreign()}, func(string) {}},
		{"the address is none", t.Context(), tombolo.Options{Listen: []string{"/nowhere"}}, func(string) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			e := open(t, dir, tombolo.Options{Offline: true})
			h, err := e.Home().Create(t.Context(), map[string]any{"n": 1})
			must(t, err)
			must(t, e.Close())
			key, err := os.ReadFile(filepath.Join(dir, "identity.key"))
			must(t, err)
			c.damage(dir)
			before := files(t, dir)
			var store *closing
			if c.opts.Store != nil {
				store = &closing{Store: c.opts.Store}
				c.opts.Store = store
			}
			for range 2 { // a lock left behind would show
				if e, err := tombolo.Open(c.ctx, dir, &c.opts); err == nil {
					must(t, e.Close())
					t.Fatal("it opened")
				} else if _, inUse := errors.AsType[*tombolo.InUseError](err); inUse {
					t.Fatalf("the first Open left something open: %v", err)
				}
			}
			if store != nil && !store.closed {
				t.Error("the store was left open")
			}
			for path, was := range before {
				if now := files(t, dir)[path]; now != was && c.opts.Listen == nil {
					t.Errorf("%s was altered", path)
				}
			}
			must(t, os.WriteFile(filepath.Join(dir, "identity.key"), key, 0o600))
			again := open(t, dir, tombolo.Options{Offline: true})
			h, err = again.Document(t.Context(), h.URL())
			must(t, err)
			defer h.Close()
			if got := text(t, h); got != `{"n":1}` {
				t.Errorf("the document is %s", got)
			}
		})
	}
}

// A directory that cannot be made, or is held by another engine, closes the store too.
func TestOpenWithoutDirectory(t *testing.T) {
	dir := t.TempDir()
	held := open(t, dir, tombolo.Options{Offline: true})
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, at := range []string{dir, filepath.Join(file, "below")} {
		store := &closing{Store: memstore.New()}
		if _, err := tombolo.Open(t.Context(), at, &tombolo.Options{Store: store}); err == nil || !store.closed {
			t.Errorf("open %s: %v, store closed: %t", at, err, store.closed)
		}
	}
	_, err := tombolo.Open(t.Context(), dir, nil)
	if inUse, ok := errors.AsType[*tombolo.InUseError](err); !ok || inUse.PID != os.Getpid() || inUse.Dir != dir {
		t.Errorf("a directory in use: %v", err)
	}
	must(t, held.Close())
	if tombolo.Exists(t.TempDir()) || !tombolo.Exists(dir) {
		t.Error("Exists is wrong")
	}
}
