package schema

import (
	"hash/maphash"
	"slices"

	"tombolo/doc"
)

// verdict is what a document's marks mean for a version.
type verdict struct {
	sum        uint64 // of the marks
	unreadable error
	why        error // it may not write
	stale      bool  // see Report
	missing    marks // that it leaves with its first edit
}

// marks are those that a version leaves in a document.
type marks struct {
	lineage [][8]byte
	min     int
}

var seed = maphash.MakeSeed()

// judge says what a version may do with a document. Most documents of a kind have the same marks, so the last verdict is kept.
func (s *Schema) judge(version *compiled, c doc.Content) *verdict {
	sum, ok := c.MarksSum(seed)
	if last := version.judged.Load(); ok && last != nil && last.sum == sum {
		return last
	}
	m := c.Marks()
	v := &verdict{sum: sum, unreadable: s.unreadable(m.App, m.Layout), why: s.status(version.n, m).Why, stale: m.MinWriter > version.n}
	if !slices.ContainsFunc(m.Versions, func(w doc.SchemaMark) bool { return w.Print == version.print && len(w.Lineage) == version.n }) {
		v.missing.lineage = s.lineage(version.n)
	}
	if m.MinWriter < version.min {
		v.missing.min = version.min
	}
	if ok {
		version.judged.Store(v)
	}
	return v
}
