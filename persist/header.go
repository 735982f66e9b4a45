package persist

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// MaxHeader is the most bytes a header takes as stored: about 4,000 heads
// without Meta. It leaves room in one batch for what Pack writes beside it.
const MaxHeader = 128 << 10

// Name says which document: the same document in two spaces is two documents.
type Name struct {
	Space, Doc [16]byte
}

// Hash is a SHA-256 hash: of a change, or of heads.
type Hash = [32]byte

// Header is what the log knows of a document without reading its changes. The
// log keeps the numbers; Heads, HeadsHash and Meta are what Append gave.
type Header struct {
	Num        uint64 // local number, from 1: records lie under it, so a document moves between names without rewriting
	Heads      []Hash // the version of the document
	HeadsHash  Hash   // a hash of Heads, for reconciliation
	Last       uint64 // sequence number of the newest change, the first is 1; zero without changes
	Packed     uint64 // changes up to this one are packed, or too large to gain by it
	Loose      uint64 // raw bytes of the loose changes behind Packed
	Generation uint64 // grows with every Pack that changed something
	Meta       []byte // opaque: app, name, schema marks and the like
}

// clone returns a copy of h that shares nothing with it.
func (h *Header) clone() Header {
	c := *h
	c.Heads, c.Meta = slices.Clone(h.Heads), slices.Clone(h.Meta)
	return c
}

// headerRecord is Header on disk: a CBOR map with small numbers for keys, in
// the core deterministic encoding of RFC 8949. A field this program does not
// know makes the header too new, because rewriting it would drop the field.
type headerRecord struct {
	Num        uint64 `cbor:"1,keyasint"`
	Heads      []byte `cbor:"2,keyasint,omitempty"` // 32 bytes each
	HeadsHash  []byte `cbor:"3,keyasint"`
	Last       uint64 `cbor:"4,keyasint,omitempty"`
	Packed     uint64 `cbor:"5,keyasint,omitempty"`
	Loose      uint64 `cbor:"6,keyasint,omitempty"`
	Generation uint64 `cbor:"7,keyasint,omitempty"`
	Meta       []byte `cbor:"8,keyasint,omitempty"`
}

// headerCodec holds the two directions of the encoding; it is made once per log.
type headerCodec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newHeaderCodec() (headerCodec, error) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return headerCodec{}, err
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	}.DecMode()
	return headerCodec{enc, dec}, err
}

// encode returns h as a value, or ErrTooLarge.
func (c headerCodec) encode(h *Header) ([]byte, error) {
	r := headerRecord{
		Num: h.Num, HeadsHash: h.HeadsHash[:], Last: h.Last,
		Packed: h.Packed, Loose: h.Loose, Generation: h.Generation, Meta: h.Meta,
	}
	for _, hash := range h.Heads {
		r.Heads = append(r.Heads, hash[:]...)
	}
	body, err := c.enc.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("persist: encode a header: %w", err)
	}
	if len(body)+sealSize > MaxHeader {
		return nil, fmt.Errorf("%w: a header of %d bytes (%d heads, %d bytes of Meta), the limit is %d",
			ErrTooLarge, len(body), len(h.Heads), len(h.Meta), MaxHeader)
	}
	return seal(codecHeader, body), nil
}

// decode reads the header of name, or says in a DamagedError or TooNewError why it cannot.
func (c headerCodec) decode(name Name, value []byte) (*Header, error) {
	codec, body, ok := unseal(value)
	if !ok {
		return nil, &DamagedError{Name: name, What: "the checksum of its header is wrong"}
	}
	if codec != codecHeader {
		return nil, &TooNewError{What: "header codec", Have: uint64(codec), Known: codecHeader}
	}
	var r headerRecord
	if err := c.dec.Unmarshal(body, &r); err != nil {
		if unknown, ok := errors.AsType[*cbor.UnknownFieldError](err); ok {
			return nil, &TooNewError{What: "header field", Have: uint64(unknown.Index)}
		}
		return nil, &DamagedError{Name: name, What: "its header does not read: " + err.Error()}
	}
	if r.Num == 0 || len(r.Heads)%32 != 0 || len(r.HeadsHash) != 32 || r.Packed > r.Last {
		return nil, &DamagedError{Name: name, What: "its header contradicts itself"}
	}
	h := &Header{
		Num: r.Num, HeadsHash: Hash(r.HeadsHash), Last: r.Last,
		Packed: r.Packed, Loose: r.Loose, Generation: r.Generation, Meta: r.Meta,
	}
	for b := range slices.Chunk(r.Heads, 32) {
		h.Heads = append(h.Heads, Hash(b))
	}
	return h, nil
}
