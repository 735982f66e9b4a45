package schema

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"tombolo/doc"
)

// Layout is the version of the storage layout that this package reads and writes.
const Layout = 1

// ErrLayout says that a document is laid out in a way that this program does not know. It is neither read nor written, and passed on as before.
var ErrLayout = errors.New("the document has a layout that this program does not know; update it")

// Status is what a version of a schema may do with a document.
type Status struct {
	Have      int   // the version at hand
	Seen      int   // the newest version that wrote the document; 0 for none
	MinWriter int   // the least version that may write; 0 for any
	Forked    []int // versions that exist in another definition than the one at hand, ascending
	Writable  bool
	Why       error // why not: a [VersionError], a [ForkedError], [ErrNotOurs] or [ErrLayout]
}

// Status says what the newest version of the schema may do with a document that has these marks.
func (s *Schema) Status(m doc.Marks) Status { return s.status(len(s.versions), m) }

func (s *Schema) status(have int, m doc.Marks) Status {
	st := Status{Have: have, MinWriter: m.MinWriter}
	for _, w := range m.Versions {
		st.Seen = max(st.Seen, w.Version)
		n := s.fork(have, w)
		if n == 0 || slices.Contains(st.Forked, n) {
			continue
		}
		if st.Forked = append(st.Forked, n); n == slices.Min(st.Forked) {
			st.Why = &ForkedError{Version: n, Theirs: hex.EncodeToString(printOf(w, n)), Ours: hex.EncodeToString(s.versions[n-1].print[:])}
		}
	}
	slices.Sort(st.Forked)
	if err := s.unreadable(m.App, m.Layout); err != nil {
		st.Why = err
	} else if st.Why == nil && m.MinWriter > have {
		st.Why = &VersionError{Have: have, Need: m.MinWriter}
	}
	st.Writable = st.Why == nil
	return st
}

// unreadable says why a document is none that the schema can read.
func (s *Schema) unreadable(app string, layout uint64) error {
	switch {
	case layout > Layout:
		return ErrLayout
	case layout == 0 || app != s.app:
		return fmt.Errorf("%w: it is of %q, the schema of %q", ErrNotOurs, app, s.app)
	}
	return nil
}

// fork is the first version up to have that a writer knew in another definition; 0 for none.
func (s *Schema) fork(have int, w doc.SchemaMark) int {
	for i := range min(len(w.Lineage), have) {
		if w.Lineage[i] != s.versions[i].print {
			return i + 1
		}
	}
	if w.Lineage == nil && w.Version >= 1 && w.Version <= have && w.Print != s.versions[w.Version-1].print {
		return w.Version
	}
	return 0
}

// printOf is a writer's fingerprint of version n.
func printOf(w doc.SchemaMark, n int) []byte {
	if n <= len(w.Lineage) {
		return w.Lineage[n-1][:]
	}
	return w.Print[:]
}

// Inspect says what the newest version of the schema may do with a document. It writes nothing.
func (s *Schema) Inspect(d Readable) (st Status, err error) {
	err = d.Content(func(c doc.Content) error {
		st = s.Status(c.Marks())
		return nil
	})
	return st, err
}

// Writer is one definition of a version that wrote a document, as its marks say.
type Writer struct {
	Version int
	Print   [8]byte
	// Forked says that the marks know this version in another definition, too: programs of the two cannot both write.
	Forked bool
}

// Written are the versions that wrote a document, ascending. It needs no schema: it is for tools that know none.
func Written(m doc.Marks) []Writer {
	known := map[int]map[[8]byte]bool{}
	note := func(version int, print [8]byte) {
		if known[version] == nil {
			known[version] = map[[8]byte]bool{}
		}
		known[version][print] = true
	}
	for _, w := range m.Versions {
		note(w.Version, w.Print)
		for i, print := range w.Lineage {
			note(i+1, print)
		}
	}
	out := make([]Writer, len(m.Versions))
	for i, w := range m.Versions {
		out[i] = Writer{Version: w.Version, Print: w.Print, Forked: len(known[w.Version]) > 1}
	}
	return out
}

// lineage is the fingerprints of versions 1 to n.
func (s *Schema) lineage(n int) [][8]byte {
	out := make([][8]byte, n)
	for i := range out {
		out[i] = s.versions[i].print
	}
	return out
}
