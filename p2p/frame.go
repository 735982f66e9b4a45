package p2p

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxFrame is the largest frame Send takes and Events.Frame delivers, in bytes.
const MaxFrame = 256 << 10

// A frame on the stream: four bytes big endian length of what follows (kind and
// payload), one byte kind, payload. docs/format.md has the same numbers.
const (
	frameHeader = 5

	kindHeartbeat = 0 // no payload; says only that the sender lives
	kindFrame     = 1 // payload: one frame of the engine, opaque here
)

// errGarbage marks bytes that no version of ours writes.
var errGarbage = errors.New("the peer sent something that is not our protocol")

// appendFrame writes one frame behind b.
func appendFrame(b []byte, kind byte, payload []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(1+len(payload)))
	b = append(b, kind)
	return append(b, payload...)
}

// readFrame reads one frame. Nothing is allocated before the length is known to
// be allowed; the payload is fresh memory that the caller may keep.
func readFrame(r io.Reader) (kind byte, payload []byte, err error) {
	var h [frameHeader]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(h[:4])
	if n < 1 || n > 1+MaxFrame {
		return 0, nil, fmt.Errorf("%w: a frame of %d bytes", errGarbage, n)
	}
	switch kind = h[4]; {
	case kind == kindHeartbeat && n == 1:
		return kind, nil, nil
	case kind == kindFrame:
		payload = make([]byte, n-1)
		_, err = io.ReadFull(r, payload)
		return kind, payload, err
	}
	return 0, nil, fmt.Errorf("%w: frame kind %d of %d bytes", errGarbage, kind, n)
}
