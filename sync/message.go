package sync

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"tombolo/doc"
)

// Sizes on the wire, in bytes. They are part of the protocol.
const (
	MaxFrame  = 256 << 10               // one frame
	maxPart   = MaxFrame - 48<<10       // pack bytes in one delta; the rest is room for heads and sample
	maxPack   = 24 << 20                // one pack, over several deltas; it can hold the largest change
	MaxPush   = 64 << 10                // raw changes in one push; what is more goes as a delta
	listBatch = (MaxFrame - 1<<10) / 40 // entries in one list
	maxHeads  = 1024                    // heads in one message
	maxSample = maxHeads / 16           // sampled hashes in one message
	maxSpaces = 1024                    // spaces in one hello
	maxName   = 256                     // of a device
	packFrom  = 4                       // as many changes in one push go as a pack, which is ten times smaller
)

// frameCodec is the first byte of every frame. Frames with another first byte come from a later version and are an error here.
const frameCodec = 1

// Protocol versions this program speaks.
const (
	minVersion = 1
	maxVersion = 1
)

// kind is the number of a message, the first element of its CBOR array. Numbers are never used again for something else.
type kind uint8

const (
	kindHello   kind = 1
	kindMembers kind = 2
	kindSummary kind = 3
	kindList    kind = 4
	kindHave    kind = 5
	kindDelta   kind = 6
	kindPush    kind = 7
	kindDurable kind = 8
	kindRanges  kind = 9
	kindPurged  kind = 10
)

// hello opens a session.
type hello struct {
	_        struct{} `cbor:",toarray"`
	Min, Max uint
	Name     string
	Spaces   []offer
}

// offer names a space by a hash that only its members can recompute, and the state of its membership log.
type offer struct {
	_       struct{} `cbor:",toarray"`
	Token   [16]byte
	Members [8]byte
}

// members carries the whole membership log of a space; receivers merge it.
type members struct {
	_       struct{} `cbor:",toarray"`
	Space   doc.SpaceID
	Records [][]byte
}

// summary is the state of all documents of a space in a few bytes.
type summary struct {
	_     struct{} `cbor:",toarray"`
	Space doc.SpaceID
	Count uint64
	Sum   [32]byte
}

// ranges has a sum of 8 bytes for each of so many equal parts of the document IDs, as both summaries lead to.
type ranges struct {
	_     struct{} `cbor:",toarray"`
	Space doc.SpaceID
	Sums  []byte
}

// list names documents and their versions in the parts whose sums differ; the last one of a space says so.
type list struct {
	_     struct{} `cbor:",toarray"`
	Space doc.SpaceID
	Items []item
	Last  bool
}

type item struct {
	_    struct{} `cbor:",toarray"`
	Doc  doc.ID
	Hash version
}

// version is the first half of a document's HeadsHash: enough to tell versions apart.
type version [16]byte

// have says where the sender stands with a document and asks for what it lacks.
type have struct {
	_      struct{} `cbor:",toarray"`
	Space  doc.SpaceID
	Doc    doc.ID
	Heads  []doc.Hash
	Sample []doc.Hash
}

// delta carries part of a pack; a pack ends with the first delta that does not say Cont. The last one of an answer names the
// sender's heads.
type delta struct {
	_      struct{} `cbor:",toarray"`
	Space  doc.SpaceID
	Doc    doc.ID
	Part   []byte
	Cont   bool
	Last   bool
	Heads  []doc.Hash
	Sample []doc.Hash
}

// push carries new changes to a peer that has everything before them: raw, or several as one pack.
type push struct {
	_       struct{} `cbor:",toarray"`
	Space   doc.SpaceID
	Doc     doc.ID
	Changes [][]byte
	Pack    []byte
	Heads   []doc.Hash
}

// durable says that these heads of a document are on the sender's disk.
type durable struct {
	_     struct{} `cbor:",toarray"`
	Space doc.SpaceID
	Doc   doc.ID
	Heads []doc.Hash
}

// purged names documents of which the sender keeps nothing but the version, which it goes on listing.
type purged struct {
	_     struct{} `cbor:",toarray"`
	Space doc.SpaceID
	Docs  []doc.ID
}

type envelope struct {
	_    struct{} `cbor:",toarray"`
	Kind kind
	Body cbor.RawMessage
}

var (
	encoder = must(cbor.CoreDetEncOptions().EncMode())
	decoder = must(cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  6,
		MaxArrayElements: 1 << 17,
	}.DecMode())
)

// must is for the two fixed option sets above, which a test exercises.
func must[T any](v T, err error) T {
	if err != nil {
		panic("sync: CBOR options: " + err.Error())
	}
	return v
}

// encode gives the frame of a message. All fields are of types CBOR can say, so an error is a broken promise of this package.
func encode(k kind, m any) []byte {
	body, err := encoder.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("sync: encode %T: %v", m, err))
	}
	frame, err := encoder.Marshal(envelope{Kind: k, Body: body})
	if err != nil {
		panic(fmt.Sprintf("sync: encode %T: %v", m, err))
	}
	return append([]byte{frameCodec}, frame...)
}

// decode reads a frame: the message, or why its sender cannot be talked to.
func decode(frame []byte) (any, error) {
	if len(frame) == 0 || frame[0] != frameCodec {
		return nil, errors.New("a frame this version cannot read; update this program")
	}
	if len(frame) > MaxFrame {
		return nil, fmt.Errorf("a frame of %d bytes, the limit is %d", len(frame), MaxFrame)
	}
	var e envelope
	if err := decoder.Unmarshal(frame[1:], &e); err != nil {
		return nil, fmt.Errorf("a malformed frame: %w", err)
	}
	var m any
	var err error
	switch e.Kind {
	case kindHello:
		m, err = decodeHello(e.Body)
	case kindMembers:
		m, err = body[members](e.Body)
	case kindSummary:
		m, err = body[summary](e.Body)
	case kindList:
		m, err = body[list](e.Body)
	case kindHave:
		m, err = body[have](e.Body)
	case kindDelta:
		m, err = body[delta](e.Body)
	case kindPush:
		m, err = body[push](e.Body)
	case kindRanges:
		m, err = body[ranges](e.Body)
	case kindPurged:
		m, err = body[purged](e.Body)
	case kindDurable:
		m, err = body[durable](e.Body)
	default:
		return nil, fmt.Errorf("a message of unknown kind %d", e.Kind)
	}
	if err != nil {
		return nil, fmt.Errorf("a malformed message of kind %d: %w", e.Kind, err)
	}
	return m, nil
}

// decodeHello reads the part of a hello that all versions share; later ones may add to its end. Where the versions do not meet, nothing
// else is read, so that the verdict can say who is to update.
func decodeHello(b []byte) (m hello, err error) {
	parts, err := body[[]cbor.RawMessage](b)
	if err != nil {
		return m, err
	}
	if len(parts) < 4 {
		return m, fmt.Errorf("a hello of %d parts", len(parts))
	}
	m.Min, err = body[uint](parts[0])
	if err == nil {
		m.Max, err = body[uint](parts[1])
	}
	if err != nil || m.Min > maxVersion || m.Max < minVersion {
		return m, err
	}
	m.Name, err = body[string](parts[2])
	if err == nil {
		m.Spaces, err = body[[]offer](parts[3])
	}
	return m, err
}

func body[T any](b []byte) (T, error) {
	var m T
	err := decoder.Unmarshal(b, &m)
	return m, err
}
