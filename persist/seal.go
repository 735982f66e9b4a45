package persist

import (
	"encoding/binary"
	"hash/crc32"
)

// Codec bytes: the first byte of every value of the log. After it come, except
// in the format record, the CRC-32C of codec byte and body (4 bytes,
// big-endian), then the body. The sum is ours because Badger returns a flipped
// bit of a table as a value, without an error.
//
//	1 change  part 0: count (uvarint, 1) | length (uvarint) | the first bytes of the change
//	2 pack    part 0: count of changes (uvarint) | length (uvarint) | the first bytes of the pack
//	3 more    part 1 and on of either: the next bytes
//	4 header  the header as CBOR, see header.go
//	5 cache   part 0: at (uvarint) | length (uvarint) | CRC-32C of it all (4) | the first bytes
//	6 cache, part 1 and on: the next bytes
//	7 next    the next document number (uvarint)
//	8 garbage nothing
//	9 format  the number of the format (uvarint), without a sum
//	11 aside  the header of a document that was set aside, as it lay there
//	10 sealed any of the others, encrypted by persist/sealed; the log never sees it
const (
	codecChange    = 1
	codecPack      = 2
	codecMore      = 3
	codecHeader    = 4
	codecCache     = 5
	codecCacheMore = 6
	codecNext      = 7
	codecGarbage   = 8
	codecFormat    = 9
	codecAside     = 11
)

// CodecSealed is the first byte of every value that persist/sealed writes.
const CodecSealed = 10

// partSize is how many bytes of a change, pack or cache one value carries:
// three such values fit into one batch beside a header.
const partSize = 240 << 10

// sealSize is what seal adds to a body.
const sealSize = 5

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal returns codec byte, sum and body, given in pieces, as one value.
func seal(codec byte, pieces ...[]byte) []byte {
	n := sealSize
	for _, p := range pieces {
		n += len(p)
	}
	v := make([]byte, sealSize, n)
	v[0] = codec
	for _, p := range pieces {
		v = append(v, p...)
	}
	binary.BigEndian.PutUint32(v[1:], sum(v))
	return v
}

// unseal returns codec byte and body of a value; ok is false when it was altered.
func unseal(v []byte) (codec byte, body []byte, ok bool) {
	if len(v) < sealSize || binary.BigEndian.Uint32(v[1:]) != sum(v) {
		return 0, nil, false
	}
	return v[0], v[sealSize:], true
}

// sum is the CRC-32C of a sealed value without the sum itself.
func sum(v []byte) uint32 {
	return crc32.Update(crc32.Checksum(v[:1], castagnoli), castagnoli, v[sealSize:])
}

// sealParts seals data in values of at most partSize bytes of it: the first
// under codec first and behind head, the others under codec more.
func sealParts(first, more byte, head, data []byte) [][]byte {
	n := min(len(data), partSize)
	parts := make([][]byte, 1, 1+len(data)/partSize)
	parts[0] = seal(first, head, data[:n])
	for data = data[n:]; len(data) > 0; data = data[n:] {
		n = min(len(data), partSize)
		parts = append(parts, seal(more, data[:n]))
	}
	return parts
}

// partCount returns the number of values sealParts makes of n bytes.
func partCount(n int) int { return max(1, (n+partSize-1)/partSize) }
