package main

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"

	"tombolo/doc/gate"
)

const magic = "\x85\x6f\x4a\x83"

// The types of chunks.
const (
	chunkDocument = 0
	chunkChange   = 1
	chunkDeflated = 2
)

// unframe takes the first chunk off b.
func unframe(b []byte) (chunkType byte, body, rest []byte, ok bool) {
	if len(b) < 10 || string(b[:4]) != magic {
		return 0, nil, nil, false
	}
	in := &input{rest: b[9:]}
	body = in.bytes(in.uint())
	return b[8], body, in.rest, !in.bad
}

// frame puts a chunk around body, with the checksum of its plain form.
func frame(body []byte) []byte {
	chunk := append(binary.AppendUvarint([]byte{chunkChange}, uint64(len(body))), body...)
	sum := sha256.Sum256(chunk)
	return append(append([]byte(magic), sum[:4]...), chunk...)
}

// deflated is the compressed form of a plain chunk.
func deflated(chunk []byte) []byte {
	_, body, _, ok := unframe(chunk)
	if !ok {
		return chunk
	}
	return wrap(chunk[4:8], squeeze(body))
}

// wrap puts the frame of a deflated chunk around squeezed bytes.
func wrap(sum, squeezed []byte) []byte {
	out := append([]byte(magic), sum...)
	out = binary.AppendUvarint(append(out, chunkDeflated), uint64(len(squeezed)))
	return append(out, squeezed...)
}

func squeeze(body []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.DefaultCompression) // the level is valid
	_, _ = w.Write(body)                                    // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// hashOf is the hash that a plain chunk gives its change.
func hashOf(chunk []byte) gate.Hash { return sha256.Sum256(chunk[min(8, len(chunk)):]) }
