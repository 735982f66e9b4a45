package badgerstore

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/y"
	"github.com/klauspost/compress/snappy"
)

// tableEntry is one entry of a block.
type tableEntry struct {
	key   []byte // with its version
	value []byte // encoded as y.ValueStruct
}

// commit returns the commit number, when the entry is one.
func (e tableEntry) commit() (uint64, bool) {
	if len(e.key) != len(commitsKey)+8 || !bytes.HasPrefix(e.key, commitsKey) {
		return 0, false
	}
	var v y.ValueStruct
	if v.Decode(e.value); len(v.Value) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(v.Value), true
}

var errBlock = errors.New("its checksum is wrong")

// inflater inflates blocks into one buffer, again and again.
type inflater struct{ buf []byte }

// inflate returns what the checksum of a block covers, when it is right: until
// the next call.
func (in *inflater) inflate(raw []byte, codec options.CompressionType) ([]byte, error) {
	b := raw
	if codec == options.Snappy {
		n, err := snappy.DecodedLen(raw)
		if err != nil || n > tableBlock {
			return nil, errBlock
		}
		if cap(in.buf) < n {
			in.buf = make([]byte, n)
		}
		if b, err = snappy.Decode(in.buf[:cap(in.buf)], raw); err != nil {
			return nil, err
		}
	}
	b, size, ok := cutEnd(b, 4)
	if !ok {
		return nil, errBlock
	}
	b, sum, ok := cutEnd(b, int(binary.BigEndian.Uint32(size)))
	if !ok || !bytes.Equal(sum, checksumOf(b)) {
		return nil, errBlock
	}
	return b, nil
}

// splitBlock returns the entries of an inflated block.
func splitBlock(b []byte) ([]tableEntry, error) {
	b, count, ok := cutEnd(b, 4)
	if !ok {
		return nil, errBlock
	}
	b, offsets, ok := cutEnd(b, 4*int(binary.BigEndian.Uint32(count)))
	if !ok {
		return nil, errBlock
	}
	return splitEntries(b, offsets)
}

// cutEnd cuts the last n bytes off b.
func cutEnd(b []byte, n int) (rest, end []byte, ok bool) {
	if n < 0 || n > len(b) {
		return b, nil, false
	}
	return b[:len(b)-n], b[len(b)-n:], true
}

// splitEntries takes b apart at offsets. An entry begins with how many bytes
// of the block's first key it shares, and how many of its own follow (2 bytes
// each, big-endian).
func splitEntries(b, offsets []byte) ([]tableEntry, error) {
	var list []tableEntry
	var base []byte
	for i := 0; i < len(offsets); i += 4 {
		begin, end := binary.NativeEndian.Uint32(offsets[i:]), uint32(len(b))
		if i+4 < len(offsets) {
			end = binary.NativeEndian.Uint32(offsets[i+4:])
		}
		if end > uint32(len(b)) || begin > end || end-begin < 4 {
			return nil, errBlock
		}
		e := b[begin:end]
		shared, own := int(binary.NativeEndian.Uint16(e)), int(binary.NativeEndian.Uint16(e[2:]))
		if shared > len(base) || 4+own > len(e) {
			return nil, errBlock
		}
		key := append(bytes.Clone(base[:shared]), e[4:4+own]...)
		if i == 0 {
			base = key
		}
		list = append(list, tableEntry{key: key, value: e[4+own:]})
	}
	return list, nil
}
