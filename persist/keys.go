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
//	q | num 8 | space 16 | doc 16    a document that was set aside, see Aside
//	x | …                      the engine's own, see Settings
const (
	prefixFormat   = 'f'
	prefixNext     = 'n'
	prefixHeader   = 'd'
	prefixRecord   = 'r'
	prefixCache    = 'c'
	prefixGarbage  = 'g'
	prefixAside    = 'q'
	prefixSettings = 'x'
)

// Visible says what a store may show of the keys that begin with letter when it
// hides what they name (persist/sealed): their first n bytes are the letter and
// numbers, whose order listings rely on; what comes after them are the IDs and
// names of spaces, documents and devices. Where grouped is true, listings ask
// for what begins with a word and its '/', see Settings.
func Visible(letter byte) (n int, grouped bool) {
	switch letter {
	case prefixRecord:
		return 19, false
	case prefixCache:
		return 12, false
	case prefixGarbage, prefixAside:
		return 9, false
	case prefixSettings:
		return 1, true
	}
	return 1, false
}

// Rewritten has the letters of the keys whose values are written over in place,
// so that an older value, put back by someone, would read as the present one.
// Changes are checked against their document's header, caches say what they
// are derived from, and a removed document's number is never given out again.
var Rewritten = [...]byte{prefixHeader, prefixNext, prefixSettings}

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

func asideKey(a Aside) []byte {
	k := append(numPrefix(prefixAside, a.Num), a.Name.Space[:]...)
	return append(k, a.Name.Doc[:]...)
}

// parseAsideKey takes the key of an Aside apart; ok is false for another length.
func parseAsideKey(k []byte) (a Aside, ok bool) {
	if len(k) != 41 {
		return Aside{}, false
	}
	a.Num = binary.BigEndian.Uint64(k[1:])
	copy(a.Name.Space[:], k[9:])
	copy(a.Name.Doc[:], k[25:])
	return a, true
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
