package tombolo_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
)

var record = flag.String("record-store", "", "record a device's directory as testdata/stores/`NAME`.tar.gz, for this and all later versions to open")

// Every directory that a version has written opens in all later ones, shows what it held, and can be written. One is recorded for each change of the
// format on disk, before it is released:
//
//	go test -run TestStoresOfBefore -record-store 2026-11-format-1 .
//
// A name with "sealed" in it is that of a sealed directory; those with "marks" or "schema" have a deleted document and a purged one, the
// latter also one that versions 1 to 3 of a schema wrote.
func TestStoresOfBefore(t *testing.T) {
	if *record != "" {
		recordStore(t, filepath.Join("testdata", "stores", *record+".tar.gz"))
	}
	names, err := filepath.Glob("testdata/stores/*.tar.gz")
	must(t, err)
	if len(names) == 0 {
		t.Fatal("no store is recorded in testdata/stores")
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			dir := t.TempDir()
			unpack(t, name, dir)
			e := open(t, dir, fixtureOptions(name))
			h, err := e.Home().Open(t.Context(), "named")
			must(t, err)
			defer h.Close()
			if got := text(t, h); got != fixtureValue {
				t.Errorf("it holds %s, want %s", got, fixtureValue)
			}
			var messages []string
			for entry, err := range h.History() {
				must(t, err)
				if !entry.Structural {
					messages = append(messages, entry.Message)
				}
			}
			if len(messages) != 302 || messages[0] != "last" || messages[len(messages)-1] != "create" {
				t.Errorf("its history has %d changes from %q to %q", len(messages), messages[len(messages)-1], messages[0])
			}
			list, err := e.Home().List(t.Context())
			must(t, err)
			var others []string
			for _, info := range list {
				others = append(others, info.Name)
			}
			want := []string{"", "named"}
			if strings.Contains(name, "schema") {
				want = []string{"", "issue", "named"}
				holdsIssue(t, e)
			}
			if slices.Sort(others); !slices.Equal(others, want) {
				t.Errorf("it lists %q", others)
			}
			set(t, h, "/n", 1)
			if strings.Contains(name, "marks") || strings.Contains(name, "schema") {
				holdsDeleted(t, e)
			}
		})
	}
}

// holdsDeleted finds the deleted document and the purged one of a recorded directory.
func holdsDeleted(t *testing.T, e *tombolo.Engine) {
	t.Helper()
	gone, err := e.Home().ListDeleted(t.Context())
	must(t, err)
	if len(gone) != 1 || gone[0].Name != "deleted" || gone[0].Deleted.IsZero() {
		t.Errorf("it lists as deleted %+v", gone)
	}
	for name, purged := range map[string]bool{"deleted": false, "purged": true} {
		_, err := e.Home().Open(t.Context(), name)
		if deleted, ok := errors.AsType[*tombolo.DeletedError](err); !ok || deleted.Purged != purged {
			t.Errorf("opening %q: %v", name, err)
		}
	}
}

const fixtureValue = `{"count":{"$counter":300},"items":["milk","eggs"],"text":{"$text":"añ😀"}}`

// fixtureOptions opens a recorded directory, which was copied here.
func fixtureOptions(name string) tombolo.Options {
	opts := tombolo.Options{App: "fixture", Name: "recorder", Offline: true, Copied: tombolo.CopiedMoved}
	if strings.Contains(name, "sealed") {
		opts.Unlock = passphrase("fixture passphrase")
	}
	return opts
}

// recordStore makes a device with a packed document, loose changes, a document without a name, a deleted and a purged one.
func recordStore(t *testing.T, name string) {
	dir, opts := t.TempDir(), fixtureOptions(name)
	e, err := tombolo.Open(t.Context(), dir, &opts)
	must(t, err)
	h, err := e.Home().Open(t.Context(), "named")
	must(t, err)
	must(t, h.Change(t.Context(), "first", func(tx *doc.Tx) error {
		return tx.Put(map[string]any{"count": doc.Counter(0), "items": []any{"milk"}, "text": doc.Text("añ😀")})
	}))
	for range 299 {
		_, err := h.ChangeAsync(t.Context(), "count", func(tx *doc.Tx) error { return tx.Add("count", 1) })
		must(t, err)
	}
	must(t, h.Close())
	must(t, e.Close()) // packs
	e, err = tombolo.Open(t.Context(), dir, &opts)
	must(t, err)
	if h, err = e.Home().Open(t.Context(), "named"); err == nil {
		err = h.Change(t.Context(), "last", func(tx *doc.Tx) error {
			return errors.Join(tx.Add("count", 1), tx.List("items").Append("eggs"))
		})
	}
	must(t, err)
	other, err := e.Home().Create(t.Context(), map[string]any{"x": 1})
	must(t, err)
	for _, name := range []string{"deleted", "purged"} {
		gone, err := e.Home().Open(t.Context(), name)
		must(t, err)
		must(t, errors.Join(gone.Delete(t.Context()), gone.Close()))
	}
	must(t, e.Purge(t.Context(), doc.URL{Space: e.Home().ID(), Doc: doc.NamedID("fixture", "purged")}))
	recordIssue(t, e)
	must(t, errors.Join(h.Close(), other.Close(), e.Close()))

	must(t, os.MkdirAll(filepath.Dir(name), 0o755))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // what is recorded never changes
	must(t, err)
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "ballast" { // zeros, made again where they are missing
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		at, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: filepath.ToSlash(at), Mode: 0o600, Size: int64(len(b))}); err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	}))
	must(t, errors.Join(w.Close(), z.Close(), f.Close()))
}

func unpack(t *testing.T, name, dir string) {
	t.Helper()
	f, err := os.Open(name)
	must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	must(t, err)
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		must(t, err)
		if !filepath.IsLocal(h.Name) || strings.Contains(h.Name, "..") {
			t.Fatalf("a store with a file outside: %s", h.Name)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		b, err := io.ReadAll(r)
		must(t, err)
		must(t, os.WriteFile(path, b, 0o600))
	}
}
