package backup

import (
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Format is the number of the layout described here. An archive with a higher
// one is not read.
//
//	"tombolo backup 1\n"
//	1 head    length (uvarint), CBOR
//	2 entry   length (uvarint), key, length (uvarint), value; any number, in key order
//	3 tail    length (uvarint), CBOR: counts, and SHA-256 of everything before the tail
//
// All of it is one zstd frame.
const Format = 1

const (
	magic     = "tombolo backup "
	kindHead  = 1
	kindEntry = 2
	kindTail  = 3
)

// maxFixed bounds head and tail, in bytes.
const maxFixed = 64 << 10

// Head says where an archive comes from.
type Head struct {
	Created   time.Time // to the second
	Peer      string    // the device's peer ID
	Name      string    // what people call it
	Documents uint64    // about how many there are, for a progress bar
	Identity  []byte    // the device's secret key; nil where it was not asked for
}

type headRecord struct {
	Created   int64  `cbor:"1,keyasint"` // Unix seconds
	Peer      string `cbor:"2,keyasint"`
	Name      string `cbor:"3,keyasint"`
	Documents uint64 `cbor:"4,keyasint"`
	Identity  []byte `cbor:"5,keyasint,omitempty"`
}

// Summary counts what an archive holds.
type Summary struct {
	Documents uint64 // headers
	Entries   uint64 // entries of the store
	Bytes     uint64 // of their keys and values, before compression
	Damaged   uint64 // entries that the store found altered, and that are not in the archive
}

type tailRecord struct {
	Documents uint64 `cbor:"1,keyasint"`
	Entries   uint64 `cbor:"2,keyasint"`
	Bytes     uint64 `cbor:"3,keyasint"`
	Damaged   uint64 `cbor:"4,keyasint"`
	Sum       []byte `cbor:"5,keyasint"`
}

// modes are the two directions of CBOR. Later fields are passed over: they add,
// as docs/format.md says.
var encoding, decoding = func() (cbor.EncMode, cbor.DecMode) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic("backup: " + err.Error()) // options of ours, which a test reads
	}
	dec, err := cbor.DecOptions{
		DupMapKey:   cbor.DupMapKeyEnforcedAPF,
		IndefLength: cbor.IndefLengthForbidden,
		TagsMd:      cbor.TagsForbidden,
	}.DecMode()
	if err != nil {
		panic("backup: " + err.Error())
	}
	return enc, dec
}()
