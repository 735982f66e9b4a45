package tombolo_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tombolo"
	"tombolo/doc"
)

// TestDamage is a small piece of scripts/damage: each damage to a directory is noticed, or nothing is missing; and after a repair every document
// comes back from the other device.
func TestDamage(t *testing.T) {
	a, b, dir, first := couple(t)
	urls := []doc.URL{first}
	create := func(n int) {
		for i := range n {
			h, err := a.Home().Create(t.Context(), map[string]any{"n": i})
			must(t, err)
			urls = append(urls, h.URL())
			must(t, h.Close())
		}
	}
	create(5)
	must(t, a.Close()) // these lie in a table
	a = open(t, dir, tombolo.Options{})
	create(5) // and these in the log
	want := map[doc.URL][]doc.Hash{}
	for _, u := range urls {
		h := arrives(t, b, u)
		must(t, saved(t, a, u))
		want[u] = h.Heads()
	}
	master := t.TempDir()
	must(t, os.Remove(filepath.Join(dir, "store", "ballast")))
	must(t, os.CopyFS(master, os.DirFS(dir))) // as a kill leaves it
	must(t, a.Close())

	flip := func(t *testing.T, path string) {
		spoilFile(t, path, func(b []byte) []byte {
			b[len(b)/2] ^= 1
			return b
		})
	}
	cut := func(t *testing.T, path string) {
		spoilFile(t, path, func(b []byte) []byte { return b[:len(b)/2] })
	}
	zero := func(t *testing.T, path string) {
		spoilFile(t, path, func(b []byte) []byte { return make([]byte, len(b)) })
	}
	remove := func(t *testing.T, path string) { must(t, os.RemoveAll(path)) }
	for _, c := range []struct {
		file, name string
		do         func(t *testing.T, path string)
	}{
		{"identity.key", "zeros", zero},
		{"memberships", "flipped", flip},
		{"store", "removed", remove},
		{"store/MANIFEST", "removed", remove},
		{"store/MANIFEST", "cut", cut},
		{"store/*.sst", "flipped", flip},
		{"store/*.sst", "cut", cut},
		{"store/*.sst", "removed", remove},
		{"store/*.mem", "flipped", flip},
		{"store/*.mem", "removed", remove},
	} {
		t.Run(c.file+" "+c.name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.CopyFS(dir, os.DirFS(master)))
			for _, name := range []string{"identity.key", "identity.copy"} { // CopyFS makes them readable for all
				must(t, os.Chmod(filepath.Join(dir, name), 0o600))
			}
			paths, err := filepath.Glob(filepath.Join(dir, c.file))
			must(t, err)
			if len(paths) == 0 {
				t.Fatal("there is no such file: nothing was tried")
			}
			c.do(t, paths[0])
			opts := &tombolo.Options{Copied: tombolo.CopiedMoved, NoDiscovery: true, Listen: []string{"/ip4/127.0.0.1/tcp/0"}}
			d, err := tombolo.Examine(t.Context(), dir, opts, tombolo.Attending{})
			must(t, err)
			if len(d.Findings) == 0 {
				t.Error("it was not noticed")
			}
			r, err := tombolo.Repair(t.Context(), dir, opts, tombolo.RepairOptions{})
			must(t, err)
			t.Logf("found: %+v\nrepaired: %q", d.Findings, r.Repaired)
			a := open(t, dir, *opts)
			for u, heads := range want {
				equals(t, a, u, heads)
			}
			must(t, a.Close())
			if d, err := tombolo.Examine(t.Context(), dir, opts, tombolo.Attending{}); err != nil || !d.Sound || d.Documents != len(want) {
				t.Errorf("in the end: %+v, %v", d, err)
			}
		})
	}
}

// spoilFile rewrites the part of a file that is in use.
func spoilFile(t *testing.T, path string, do func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	used := len(b)
	for used > 0 && b[used-1] == 0 {
		used--
	}
	rest := b[used:]
	must(t, os.WriteFile(path, append(do(slices.Clone(b[:used])), rest...), 0o600))
}

// equals waits until a device has exactly these heads of a document.
func equals(t *testing.T, e *tombolo.Engine, u doc.URL, heads []doc.Hash) {
	t.Helper()
	ctx := patience(t)
	for {
		news := e.News()
		have := "nothing"
		if h, err := e.Document(ctx, u); err == nil {
			have = fmt.Sprint(h.Heads())
			must(t, h.Close())
		}
		if have == fmt.Sprint(heads) {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatalf("%s has %s, want %v", u, have, heads)
		}
	}
}
