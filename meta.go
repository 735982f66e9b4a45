package tombolo

import (
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"tombolo/doc"
)

// meta is what a document's header says beside its version: the marks, as they were when a device last read them.
type meta struct {
	App   string `cbor:"1,keyasint,omitempty"`
	Name  string `cbor:"2,keyasint,omitempty"`
	Stale bool   `cbor:"3,keyasint,omitempty"` // they have to be read again; earlier versions wrote it, this one does not

	Deleted int64 `cbor:"4,keyasint,omitempty"` // when it was deleted, Unix milliseconds; 0 where it is not

	Form      uint8           `cbor:"5,keyasint,omitempty"` // metaForm; 0 where an earlier version wrote it, which leaves out what follows
	Versions  cbor.ByteString `cbor:"6,keyasint,omitempty"` // marks of schema versions, see encodeVersions
	Many      bool            `cbor:"7,keyasint,omitempty"` // they do not fit, so there are none
	MinWriter int             `cbor:"8,keyasint,omitempty"`
	Layout    uint64          `cbor:"9,keyasint,omitempty"`
}

// codecCBOR is the first byte of the engine's own records: CBOR follows.
const codecCBOR = 1

func encodeRecord(v any) []byte {
	b, err := cbor.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("tombolo: encode %T: %v", v, err)) // our own types: all of them can be encoded
	}
	return append([]byte{codecCBOR}, b...)
}

var errCodec = errors.New("a record that this version cannot read; update this program")

func decodeRecord(b []byte, v any) error {
	if len(b) == 0 || b[0] != codecCBOR {
		return errCodec
	}
	return cbor.Unmarshal(b[1:], v)
}

func (m meta) encode() []byte { return encodeRecord(m) }

// decodeMeta reads a header's meta; a document without one has to be read to know its marks.
func decodeMeta(b []byte) (meta, error) {
	if len(b) == 0 {
		return meta{Stale: true}, nil
	}
	var m meta
	err := decodeRecord(b, &m)
	return m, err
}

// marks reads the marks of the full document, nil if the header has them already. Called with mu held.
func (d *document) marks() *meta {
	marks, err := d.full.Marks()
	if err != nil {
		return nil
	}
	m := metaOf(marks)
	d.judge(m, marks)
	if m == d.meta {
		return nil
	}
	return &m
}

func metaOf(m doc.Marks) meta {
	out := meta{App: m.App, Name: m.Name}
	if !m.Deleted.IsZero() {
		out.Deleted = max(1, m.Deleted.UnixMilli()) // a clock may stand before 1970
	}
	out.setSchema(m)
	return out
}

// deletedAt is the time in the marks; zero for a document that is not deleted.
func (m meta) deletedAt() time.Time {
	if m.Deleted == 0 {
		return time.Time{}
	}
	return time.UnixMilli(m.Deleted).UTC()
}
