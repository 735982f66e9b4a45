package tombolo_test

import (
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/persist"
)

// The headers that an earlier version wrote are written anew once, when their documents are read, and listing writes nothing. No change is touched.
func TestOldHeadersAreWrittenOnce(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/stores/2026-11-format-1*.tar.gz")
	must(t, err)
	for _, name := range names {
		if strings.Contains(name, "sealed") {
			continue // its keys and values are hidden
		}
		dir := t.TempDir()
		unpack(t, name, dir)
		entries := func(letter byte) map[string]string {
			out := map[string]string{}
			inStore(t, dir, func(s persist.Store) {
				for entry, err := range s.List(t.Context(), []byte{letter}) {
					must(t, err)
					out[string(entry.Key)] = string(entry.Value)
				}
			})
			return out
		}
		use := func(read bool) {
			e := open(t, dir, fixtureOptions(name))
			st, err := e.Status(t.Context())
			must(t, err)
			for _, d := range st.Documents {
				if !read {
					continue
				}
				u, err := doc.ParseURL(d.URL)
				must(t, err)
				h, err := e.Document(t.Context(), u)
				must(t, err)
				must(t, errors.Join(h.Flush(t.Context()), h.Close()))
			}
			must(t, e.Close())
		}
		use(false) // which makes this directory its own
		headers, changes := entries('d'), entries('r')
		use(false)
		if !maps.Equal(entries('d'), headers) {
			t.Errorf("%s: listing wrote", name)
		}
		use(true)
		once := entries('d')
		if old := !strings.Contains(name, "schema"); len(once) != len(headers) || maps.Equal(once, headers) == old {
			t.Errorf("%s: the headers are %d, and were %d", name, len(once), len(headers))
		}
		use(true)
		if !maps.Equal(entries('d'), once) {
			t.Errorf("%s: opening again wrote again", name)
		}
		if len(changes) == 0 || !maps.Equal(entries('r'), changes) {
			t.Errorf("%s: changes were touched", name)
		}
	}
}
