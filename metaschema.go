package tombolo

import (
	"encoding/binary"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"tombolo/doc"
)

// A header's meta has the marks of schema versions and the layout, so that lists and the value of a large document need not wait until the document
// is read. They are a copy: what may be written is decided by the document's own marks, in memory.

// metaForm is the form of the meta that this version writes; 0 is that of versions that knew no marks of schemas.
const metaForm = 1

// maxVersionsMeta bounds the marks of schema versions in a header, in bytes: others have the say what they are. A document with more is read
// where they are asked for.
const maxVersionsMeta = 16 << 10

// encodeVersions writes marks of schema versions, ascending by version and print, in one canonical string, and reports whether they fit. For each: its
// version, its print, how many fingerprints its lineage shares with that of the mark before, how many more it has, and these. Both are 0 where a mark
// has no lineage.
func encodeVersions(marks []doc.SchemaMark) (cbor.ByteString, bool) {
	var b []byte
	var before [][8]byte
	for _, m := range marks {
		shared := 0
		for shared < min(len(before), len(m.Lineage)) && before[shared] == m.Lineage[shared] {
			shared++
		}
		more := m.Lineage[shared:]
		b = binary.AppendUvarint(b, uint64(m.Version))
		b = append(b, m.Print[:]...)
		b = binary.AppendUvarint(b, uint64(shared))
		b = binary.AppendUvarint(b, uint64(len(more)))
		if len(b)+8*len(more) > maxVersionsMeta {
			return "", false
		}
		for _, print := range more {
			b = append(b, print[:]...)
		}
		before = m.Lineage
	}
	return cbor.ByteString(b), len(b) <= maxVersionsMeta
}

// decodeVersions reads what encodeVersions wrote.
func decodeVersions(s cbor.ByteString) ([]doc.SchemaMark, error) {
	bad := fmt.Errorf("the marks of schema versions in a header do not read: %w", errCodec)
	b := []byte(s)
	failed := false
	number := func() int {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > doc.MaxSchemaVersion {
			failed = true
			return 0
		}
		b = b[size:]
		return int(n)
	}
	print := func() (p [8]byte) {
		if len(b) < len(p) {
			failed = true
			return p
		}
		p, b = [8]byte(b[:len(p)]), b[len(p):]
		return p
	}
	var out []doc.SchemaMark
	var before [][8]byte
	for len(b) > 0 {
		m := doc.SchemaMark{Version: number(), Print: print()}
		shared, more := number(), number()
		if failed || shared > len(before) || 8*more > len(b) {
			return nil, bad
		}
		if n := shared + more; n > 0 {
			m.Lineage = append(make([][8]byte, 0, n), before[:shared]...)
		}
		for range more {
			m.Lineage = append(m.Lineage, print())
		}
		out, before = append(out, m), m.Lineage
	}
	return out, nil
}

// setSchema copies the marks of schemas and the layout.
func (m *meta) setSchema(marks doc.Marks) {
	versions, fit := encodeVersions(marks.Versions)
	m.Form, m.Versions, m.Many, m.MinWriter, m.Layout = metaForm, versions, !fit, marks.MinWriter, marks.Layout
}

// isWhole reports whether the meta has all marks.
func (m meta) isWhole() bool { return m.Form == metaForm && !m.Many && !m.Stale }

// docMarks are the marks as the header has them.
func (m meta) docMarks() (doc.Marks, error) {
	versions, err := decodeVersions(m.Versions)
	if err != nil {
		return doc.Marks{}, err
	}
	return doc.Marks{App: m.App, Name: m.Name, Layout: m.Layout, Deleted: m.deletedAt(), Versions: versions, MinWriter: m.MinWriter}, nil
}
