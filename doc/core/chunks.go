package core

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"tombolo/doc/gate"
)

// The frame of a chunk: magic, the first four bytes of the hash, type, length of the body, body.
const (
	magic        = "\x85\x6f\x4a\x83"
	typeAt       = len(magic) + 4
	typeDocument = 0
	typeChange   = 1
	typeDeflated = 2
)

// loose reads the frames of a saved document: document chunks, and after them single changes, which it gives. The core skips what it
// does not know and keeps aside what it lacks the past of, so that is found here.
func loose(saved []byte) (changes []gate.Hash, err error) {
	if len(saved) == 0 {
		return nil, errors.New("the file is empty")
	}
	for rest := saved; len(rest) > 0; {
		chunk, err := first(rest)
		if err != nil {
			return nil, fmt.Errorf("at byte %d: %w", len(saved)-len(rest), err)
		}
		rest = rest[len(chunk):]
		switch chunk[typeAt] {
		case typeDocument:
			if sum := sha256.Sum256(chunk[typeAt:]); !bytes.Equal(sum[:4], chunk[len(magic):typeAt]) {
				return nil, errors.New("the file is damaged: its checksum does not fit the content")
			}
		case typeChange, typeDeflated:
			c, err := gate.Parse(chunk)
			if err != nil {
				return nil, err
			}
			changes = append(changes, c.Hash)
		default:
			return nil, fmt.Errorf("a chunk of type %d, which is newer than this core; save the document as a whole in the program it comes from", chunk[typeAt])
		}
	}
	return changes, nil
}

// first is the chunk that b begins with.
func first(b []byte) ([]byte, error) {
	if len(b) <= typeAt || string(b[:len(magic)]) != magic {
		return nil, errors.New("this is not an Automerge document")
	}
	length, n := binary.Uvarint(b[typeAt+1:])
	body := typeAt + 1 + n
	if n <= 0 || length > uint64(len(b)-body) {
		return nil, errors.New("the file is cut short")
	}
	return b[:body+int(length)], nil
}
