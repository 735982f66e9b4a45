package tombolo

import (
	"encoding/hex"
	"fmt"

	"tombolo/doc"
	"tombolo/schema"
)

// A program says in Options.Schemas which versions of its documents it knows. Where a document's marks say that a newer version wrote what this one
// would damage, or that the same version exists in another definition, this program reads and passes on, and does not write. Marks of another device
// count from the moment they are here, in open documents too. Whoever has no schema, as cmd/peer, is not restricted.

// knownLayout is the newest layout of documents that this version reads.
const knownLayout = schema.Layout

// SchemaVersion is one definition of a version of a schema that wrote to a document.
type SchemaVersion struct {
	Version int    `json:"version"`
	Print   string `json:"print"` // its fingerprint in hex
}

// LayoutError reports a document that is laid out as this version of the engine does not know. It is stored and passed on as others, and not opened: what
// it holds would be read wrongly. It is a [schema.ErrLayout], too.
type LayoutError struct {
	URL         doc.URL
	Have, Known uint64 // the document's layout, and the newest that is known here
}

func (e *LayoutError) Error() string {
	return fmt.Sprintf("document %s has layout %d, and this program knows layouts up to %d; update it. The document is kept and passed on as it is",
		e.URL, e.Have, e.Known)
}

// Unwrap gives [schema.ErrLayout].
func (e *LayoutError) Unwrap() error { return schema.ErrLayout }

// standing is what a document's marks mean for this program.
type standing struct {
	of  meta  // as it was when the rest was found out
	why error // why the value may not be changed; nil where it may
}

// judge brings the document's standing up to its marks, m in short. Called with mu held.
func (d *document) judge(m meta, marks doc.Marks) {
	if m == d.standing.of && !m.Many {
		return
	}
	d.standing = standing{of: m, why: d.e.judge(marks)}
}

// isKnown is a [LayoutError] where the document has another layout. Called with mu held, when the document is read or its value is here.
func (d *document) isKnown() error {
	if d.full == nil || d.standing.of.Layout <= knownLayout {
		return nil
	}
	return &LayoutError{URL: doc.URL{Space: d.key.Space, Doc: d.key.Doc}, Have: d.standing.of.Layout, Known: knownLayout}
}

// addSchema adds to a document's info what its marks say about schemas.
func (e *Engine) addSchema(info *Info, m meta) {
	marks, err := m.docMarks()
	if err != nil { // as another version of this program wrote them: they are read again with the document
		marks = doc.Marks{}
	}
	for _, v := range marks.Versions {
		info.Schema = append(info.Schema, SchemaVersion{Version: v.Version, Print: hex.EncodeToString(v.Print[:])})
	}
	info.MinWriter = m.MinWriter
	err = e.judge(marks)
	if m.Layout > knownLayout {
		err = &LayoutError{URL: info.URL, Have: m.Layout, Known: knownLayout}
	}
	if err != nil {
		info.State, info.Problem = StateReadOnly, err.Error()
	}
}

// judge says why this program's schemas do not write to a document with these marks; nil for one that no version of a schema has written to, unless
// that requires a newer one all the same.
func (e *Engine) judge(marks doc.Marks) error {
	all := e.schemas[marks.App]
	ours, begun := e.schemaOf(marks)
	switch {
	case len(all) == 0:
		return nil
	case begun == nil:
		for _, s := range all { // it may become a document of any of them
			if s.Newest() >= marks.MinWriter {
				return nil
			}
		}
	case ours == nil:
		return fmt.Errorf("%w: it was begun with version 1 as %s, which this program does not have", schema.ErrNotOurs, hex.EncodeToString(begun))
	}
	return ours.Status(marks).Why
}

// schemaOf is the program's schema for a document: of those for its App the one whose version 1 the document was begun with. begun is the fingerprint
// of that version; nil where no mark says so, and then it is the first of those for its App.
func (e *Engine) schemaOf(marks doc.Marks) (ours *schema.Schema, begun []byte) {
	all := e.schemas[marks.App]
	for _, m := range marks.Versions {
		if len(m.Lineage) == 0 {
			continue // malformed: no program of ours wrote it
		}
		begun = m.Lineage[0][:]
		for _, s := range all {
			if s.Fingerprint(1) == m.Lineage[0] {
				return s, begun
			}
		}
	}
	if begun == nil && len(all) > 0 {
		return all[0], nil
	}
	return nil, begun
}

// schemasByApp are a program's schemas, in their order.
func schemasByApp(all []*schema.Schema) map[string][]*schema.Schema {
	out := map[string][]*schema.Schema{}
	for _, s := range all {
		if s != nil {
			out[s.App()] = append(out[s.App()], s)
		}
	}
	return out
}
