package tombolo

import (
	"bytes"
	"cmp"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"tombolo/doc"
)

// Marks of schemas read from a header as they were written, and nothing else does.
func TestMarksInMeta(t *testing.T) {
	prints := rapid.Custom(func(t *rapid.T) [8]byte { return [8]byte{rapid.Byte().Draw(t, "print"), 1} })
	rapid.Check(t, func(t *rapid.T) {
		marks := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) doc.SchemaMark {
			of := rapid.SliceOfN(prints, 1, 6).Draw(t, "lineage")
			m := doc.SchemaMark{Version: len(of), Print: of[len(of)-1], Lineage: of}
			if rapid.Bool().Draw(t, "malformed") {
				m.Lineage = nil
			}
			return m
		}), 0, 8).Draw(t, "marks")
		slices.SortFunc(marks, func(a, b doc.SchemaMark) int {
			return cmp.Or(cmp.Compare(a.Version, b.Version), bytes.Compare(a.Print[:], b.Print[:]))
		})
		marks = slices.CompactFunc(marks, func(a, b doc.SchemaMark) bool { return a.Version == b.Version && a.Print == b.Print })
		text, fit := encodeVersions(marks)
		got, err := decodeVersions(text)
		if err != nil || !fit || len(marks) > 0 && !reflect.DeepEqual(got, marks) {
			t.Fatalf("%v became %v, %v, %v", marks, got, fit, err)
		}
		m := metaOf(doc.Marks{App: "a", Versions: marks, MinWriter: 3, Layout: 1})
		back, err := decodeMeta(m.encode())
		if err != nil || back != m || !back.isWhole() {
			t.Fatalf("%+v became %+v, %v", m, back, err)
		}
		if cut := rapid.IntRange(0, len(text)).Draw(t, "cut"); cut < len(text) {
			if got, err := decodeVersions(text[:cut]); err == nil && len(got) >= len(marks) {
				t.Fatalf("a piece of it reads as %v", got)
			} else if err != nil && !errors.Is(err, errCodec) {
				t.Fatal(err)
			}
		}
	})
	for _, bad := range []cbor.ByteString{"\x01", "\x01aaaaaaaa\x01\x00", "\x01aaaaaaaa\x00\x01", "\x01aaaaaaaa\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		if got, err := decodeVersions(bad); err == nil {
			t.Errorf("%q reads as %v", bad, got)
		}
	}
}
