package doc

import (
	"bytes"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// Where a document cannot be brought into a new shape as it lies, another one is derived from it. Marks link the two: the new one says from which
// versions of the old one its content is, and the old one says what was derived from it. They are only added, never changed; undo takes back those of a source alone.
const (
	markSource  = "from/"    // and document, "/", the first bytes of its HeadsHash: space and heads in bytes
	markDerived = "derived/" // and document: its space
)

// Source is a version of another document whose content was taken over into a document.
type Source struct {
	URL   URL
	Heads []Hash // sorted
}

// DerivedID is the ID of the document that is derived from another one under a name: the same on every device.
func DerivedID(from ID, name string) ID {
	sum := digest("tombolo derived document 1", from[:], []byte(name))
	return ID(sum[:16])
}

// MarkSource says in the marks that the content of a version of another document is in this one: as it was taken over, or as it was brought up to later
// edits. Nothing happens where the mark is there. Undoing the edit takes it back.
func (tx *Tx) MarkSource(from Source) error {
	marks, err := tx.marks("name the document that this one is derived from")
	if err != nil {
		return err
	}
	heads := slices.Compact(slices.SortedFunc(slices.Values(from.Heads), Hash.Compare))
	sum := HeadsHash(from.URL.Doc, heads)
	value := slices.Clone(from.URL.Space[:])
	for _, h := range heads {
		value = append(value, h[:]...)
	}
	return tx.mark(marks, markSource+from.URL.Doc.String()+"/"+hex.EncodeToString(sum[:8]), value)
}

// MarkDerived says in the marks that another document was derived from this one. Nothing happens where the mark is there.
func (tx *Tx) MarkDerived(to URL) error {
	marks, err := tx.marks("name the document that is derived from this one")
	if err != nil {
		return err
	}
	return tx.mark(marks, markDerived+to.Doc.String(), to.Space[:])
}

// mark puts bytes into the marks, unless they are there.
func (tx *Tx) mark(marks opset.Object, key string, value []byte) error {
	if item, ok := tx.s.Now().Get(marks, key); ok {
		if have, ok := tx.s.Now().Value(item).([]byte); ok && bytes.Equal(have, value) {
			return nil
		}
	}
	draft, err := tx.write()
	if err != nil {
		return err
	}
	draft.Set(tx.s.NewKey(marks, key), gate.TypeBytes, value)
	return nil
}

// Sources are the versions of other documents whose content is in this one, by the order of their marks; none where it was not derived. Malformed
// marks are left out.
func (d *Doc) Sources() ([]Source, error) {
	var out []Source
	err := d.eachMark(markSource, func(key string, value []byte) {
		id, sum, _ := strings.Cut(key, "/")
		s := Source{}
		if !s.URL.Doc.parse(id) || len(value) < len(s.URL.Space) || len(value[len(s.URL.Space):])%len(Hash{}) != 0 {
			return
		}
		s.URL.Space = SpaceID(value[:len(s.URL.Space)])
		for h := range slices.Chunk(value[len(s.URL.Space):], len(Hash{})) {
			s.Heads = append(s.Heads, Hash(h))
		}
		if hash := HeadsHash(s.URL.Doc, s.Heads); hex.EncodeToString(hash[:8]) == sum {
			out = append(out, s)
		}
	})
	return out, err
}

// Derived are the documents that were derived from this one, by the order of their IDs. Malformed marks are left out.
func (d *Doc) Derived() ([]URL, error) {
	var out []URL
	err := d.eachMark(markDerived, func(key string, value []byte) {
		u := URL{}
		if u.Doc.parse(key) && len(value) == len(u.Space) {
			u.Space = SpaceID(value)
			out = append(out, u)
		}
	})
	return out, err
}

// isSource reports whether a key of the marks is that of a source.
func isSource(key string) bool { return strings.HasPrefix(key, markSource) }

// eachMark gives the marks under a prefix whose values are bytes, without it, by key.
func (d *Doc) eachMark(prefix string, each func(key string, value []byte)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.open()
	if err != nil {
		return err
	}
	v := s.Now()
	marks, ok := mapAt(v, opset.Root, marksKey)
	if !ok {
		return nil
	}
	found := map[string][]byte{}
	for sl, item := range v.Keys(marks) {
		key, ok := strings.CutPrefix(s.KeyOf(sl), prefix)
		if b, isBytes := v.Value(item).([]byte); ok && isBytes {
			found[key] = b
		}
	}
	for _, key := range slices.Sorted(maps.Keys(found)) {
		each(key, found[key])
	}
	return nil
}

// parse reads what [ID.String] gave.
func (id *ID) parse(text string) bool {
	b, err := lower.DecodeString(text)
	if err != nil || len(b) != len(id) || lower.EncodeToString(b) != text {
		return false
	}
	*id = ID(b)
	return true
}
