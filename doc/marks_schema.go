package doc

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// MaxSchemaVersion is the greatest version of a schema that marks may name.
const MaxSchemaVersion = 1 << 20

// Keys inside the marks that are never taken away again.
const (
	markVersion   = "v/"   // and version, "/", print: the lineage in bytes
	markMinWriter = "min/" // and version: true
)

// SchemaMark is a version of a schema that wrote to a document.
type SchemaMark struct {
	Version int     // 1 to MaxSchemaVersion
	Print   [8]byte // the fingerprint of its definition
	// Lineage is the fingerprints of the versions 1 to Version, as the writer defines them: the last is Print. Nil where the mark is malformed.
	Lineage [][8]byte
}

// schemaMarks reads the marks of schema versions. Other keys, and malformed ones, are somebody else's.
func schemaMarks(v opset.View, marks opset.Object) (versions []SchemaMark, minWriter int) {
	for sl, item := range v.Keys(marks) {
		key := v.Set().KeyOf(sl)
		if n, ok := minWriterOf(key); ok {
			minWriter = max(minWriter, n)
			continue
		}
		text, ok := strings.CutPrefix(key, markVersion)
		if !ok {
			continue
		}
		text, print, _ := strings.Cut(text, "/")
		m := SchemaMark{}
		if m.Version, ok = markedVersion(text); !ok || len(print) != hex.EncodedLen(len(m.Print)) || strings.ToLower(print) != print {
			continue
		}
		if _, err := hex.Decode(m.Print[:], []byte(print)); err != nil {
			continue
		}
		m.Lineage = lineageOf(v, item, m)
		versions = append(versions, m)
	}
	slices.SortFunc(versions, func(a, b SchemaMark) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), bytes.Compare(a.Print[:], b.Print[:]))
	})
	return versions, minWriter
}

// minWriterOf is the version in the key of a mark that requires one, 0 where it does not parse; false for another key.
func minWriterOf(key string) (int, bool) {
	text, ok := strings.CutPrefix(key, markMinWriter)
	if !ok {
		return 0, false
	}
	n, _ := markedVersion(text)
	return n, true
}

// markedVersion is the version in the key of a mark.
func markedVersion(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > MaxSchemaVersion || strconv.Itoa(n) != text {
		return 0, false
	}
	return n, true
}

// lineageOf is the lineage in the value of a mark, nil where it is none.
func lineageOf(v opset.View, item opset.Item, m SchemaMark) [][8]byte {
	t, b := v.Set().Scalar(item)
	if t != gate.TypeBytes || len(b) != m.Version*len(m.Print) || !bytes.HasSuffix(b, m.Print[:]) {
		return nil
	}
	out := make([][8]byte, 0, m.Version)
	for print := range slices.Chunk(b, len(m.Print)) {
		out = append(out, [8]byte(print))
	}
	return out
}

// MarkSchema says in the marks that a version of a schema writes here. lineage is the fingerprints of the versions 1 to this one, of which there are at
// most [MaxSchemaVersion]. The mark stays for ever, also when the edit is undone; nothing happens where it is there.
func (tx *Tx) MarkSchema(lineage [][8]byte) error {
	marks, err := tx.marks("mark the schema")
	if err != nil {
		return err
	}
	n := len(lineage)
	if n < 1 || n > MaxSchemaVersion {
		return fmt.Errorf("mark the schema: there are %d fingerprints; give one for each version, from 1 to at most %d", n, MaxSchemaVersion)
	}
	m := SchemaMark{Version: n, Print: lineage[n-1]}
	key := markVersion + strconv.Itoa(n) + "/" + hex.EncodeToString(m.Print[:])
	if item, ok := tx.s.Now().Get(marks, key); ok && lineageOf(tx.s.Now(), item, m) != nil {
		return nil
	}
	draft, err := tx.write()
	if err != nil {
		return err
	}
	var b []byte
	for _, print := range lineage {
		b = append(b, print[:]...)
	}
	draft.Set(tx.s.NewKey(marks, key), gate.TypeBytes, b)
	return nil
}

// RequireWriter says in the marks that versions of a schema below n may not write here. Programs keep to that on their own: what
// older ones wrote before they knew still comes in. It stays for ever, also when the edit is undone; nothing happens where n or more is required.
func (tx *Tx) RequireWriter(n int) error {
	marks, err := tx.marks("require a newer writer")
	if err != nil {
		return err
	}
	if n < 1 || n > MaxSchemaVersion {
		return fmt.Errorf("require a newer writer: there is no version %d; versions go from 1 to %d", n, MaxSchemaVersion)
	}
	if _, have := schemaMarks(tx.s.Now(), marks); have >= n {
		return nil
	}
	draft, err := tx.write()
	if err != nil {
		return err
	}
	draft.Set(tx.s.NewKey(marks, markMinWriter+strconv.Itoa(n)), gate.TypeTrue, nil)
	return nil
}

// marks is the map of marks, for writing.
func (tx *Tx) marks(what string) (opset.Object, error) {
	if tx.over {
		return 0, errTxOver
	}
	marks, ok := mapAt(tx.s.Now(), opset.Root, marksKey)
	if !ok {
		return 0, errors.New(what + ": the document has no genesis; apply that first")
	}
	return marks, nil
}
