package persist

import "encoding/binary"

// Keys of the log. Numbers are big-endian, so that key order is their order.
//
//	f                          the store's format
//	n                          the next document number
//	d | space 16 | doc 16      the header of a document
//	r | num 8 | first 8 | part 2    a record: changes from sequence number first on
//	c | num 8 | kind 1 | part 2     a cache
//	g | num 8                  a removed document whose records are still to be deleted
//	x | …                      the engine's own, see Settings
const (
	prefixFormat   = 'f'
	prefixNext     = 'n'
	prefixHeader   = 'd'
	prefixRecord   = 'r'
	prefixCache    = 'c'
	prefixGarbage  = 'g'
	prefixSettings = 'x'
)

func headerKey(n Name) []byte {
	k := make([]byte, 0, 33)
	k = append(k, prefixHeader)
	k = append(k, n.Space[:]...)
	return append(k, n.Doc[:]...)
}

// parseHeaderKey takes a header's key apart; ok is false for another length.
func parseHeaderKey(k []byte) (n Name, ok bool) {
	if len(k) != 33 {
		return Name{}, false
	}
	copy(n.Space[:], k[1:])
	copy(n.Doc[:], k[17:])
	return n, true
}

// numPrefix returns letter | num, the beginning of the keys of one document.
func numPrefix(letter byte, num uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{letter}, num)
}

func recordKey(num, first uint64, part int) []byte {
	k := make([]byte, 0, 19)
	k = append(k, prefixRecord)
	k = binary.BigEndian.AppendUint64(k, num)
	k = binary.BigEndian.AppendUint64(k, first)
	return binary.BigEndian.AppendUint16(k, uint16(part))
}

// parseRecordKey takes a record's key apart; ok is false for another length.
func parseRecordKey(k []byte) (first uint64, part int, ok bool) {
	if len(k) != 19 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(k[9:]), int(binary.BigEndian.Uint16(k[17:])), true
}

func cachePrefix(num uint64, kind byte) []byte { return append(numPrefix(prefixCache, num), kind) }

func cacheKey(num uint64, kind byte, part int) []byte {
	return binary.BigEndian.AppendUint16(cachePrefix(num, kind), uint16(part))
}
