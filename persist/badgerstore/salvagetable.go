package badgerstore

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/y"
	"github.com/klauspost/compress/s2"
)

var errTable = errors.New("it does not read")

// table reads a table of Badger: blocks, index, length of the index, checksum
// of the index, length of the checksum.
func (s *salvage) table(b []byte) {
	index, err := tableIndex(b)
	if err != nil {
		s.miss("its index: %v", err)
		s.inOrder(b)
		return
	}
	var block fb.BlockOffset
	for i := range index.OffsetsLength() {
		entries, err := []blockEntry(nil), errTable
		if index.Offsets(&block, i) {
			entries, err = readBlock(b, uint64(block.Offset()), uint64(block.Len()))
		}
		if err != nil {
			s.miss("block %d of %d: %v", i+1, index.OffsetsLength(), err)
		}
		if s.giveAll(entries); s.err != nil {
			return
		}
	}
}

func (s *salvage) giveAll(entries []blockEntry) {
	for _, e := range entries {
		if s.give(e.key, e.Value, e.Meta); s.err != nil {
			return
		}
	}
}

// inOrder reads the blocks of a table whose index is gone: they follow each
// other from the beginning. What lies behind the first that does not read is
// not found.
func (s *salvage) inOrder(b []byte) {
	for at := 0; s.err == nil; {
		size := snappyLength(b[at:])
		entries, err := readBlock(b, uint64(at), uint64(size))
		if size == 0 || err != nil {
			return
		}
		s.giveAll(entries)
		at += size
	}
}

// snappyLength returns how many bytes the Snappy block at the beginning of b
// takes, 0 when there is none: the length of what it holds, then literals and
// copies that add up to it.
func snappyLength(b []byte) int {
	want, at := binary.Uvarint(b)
	if at <= 0 || want > maxBlock {
		return 0
	}
	for want > 0 {
		if at >= len(b) {
			return 0
		}
		tag := b[at]
		length, more := uint64(tag>>2)+1, 0
		switch tag & 3 {
		case 0:
			if extra := int(tag>>2) - 59; extra > 0 { // the length is in the next bytes
				if at+extra >= len(b) {
					return 0
				}
				length = 1
				for i := range extra {
					length += uint64(b[at+1+i]) << (8 * i)
				}
				more = extra
			}
			at += int(length)
		case 1:
			length, more = uint64(tag>>2&7)+4, 1
		case 2:
			more = 2
		case 3:
			more = 4
		}
		if length > want {
			return 0
		}
		want, at = want-length, at+1+more
	}
	if at > len(b) {
		return 0
	}
	return at
}

func tableIndex(b []byte) (_ *fb.TableIndex, err error) {
	defer recovered(&err) // flatbuffers panic when offsets lead outside
	rest, sum, err := checksum(b)
	if err != nil {
		return nil, err
	}
	_, data, err := lengthBefore(rest)
	if err != nil {
		return nil, err
	}
	if err := y.VerifyChecksum(data, sum); err != nil {
		return nil, errTable
	}
	return fb.GetRootAsTableIndex(data, 0), nil
}

// recovered turns the panic of a reader that trusts its bytes into errTable.
func recovered(err *error) {
	if recover() != nil {
		*err = errTable
	}
}

// checksum takes a checksum with its length from the end of b.
func checksum(b []byte) (rest []byte, sum *pb.Checksum, err error) {
	rest, raw, err := lengthBefore(b)
	if err != nil {
		return nil, nil, err
	}
	// A protobuf message: 1 algorithm, where it is not CRC-32C, and 2 sum.
	sum = &pb.Checksum{}
	for len(raw) > 0 {
		v, n := binary.Uvarint(raw[1:])
		switch {
		case n <= 0 || raw[0] != 8 && raw[0] != 16:
			return nil, nil, errTable
		case raw[0] == 8:
			sum.Algo = pb.Checksum_Algorithm(v)
		default:
			sum.Sum = v
		}
		raw = raw[1+n:]
	}
	return rest, sum, nil
}

// lengthBefore takes 4 bytes of length and so many bytes before them from the
// end of b.
func lengthBefore(b []byte) (rest, part []byte, err error) {
	end := len(b) - 4
	if end < 0 {
		return nil, nil, errTable
	}
	n := uint64(binary.BigEndian.Uint32(b[end:]))
	if n > uint64(end) {
		return nil, nil, errTable
	}
	return b[:end-int(n)], b[end-int(n) : end], nil
}

// maxBlock bounds what a block may inflate to: a value of MaxValue and its like.
const maxBlock = 8 << 20

// blockEntry is an entry of a table's block.
type blockEntry struct {
	key []byte
	y.ValueStruct
}

// readBlock reads one block: entries, their offsets, the number of them, checksum,
// length of the checksum, all in one piece of Snappy.
func readBlock(file []byte, offset, size uint64) (entries []blockEntry, err error) {
	defer recovered(&err)
	if offset+size > uint64(len(file)) {
		return nil, errTable
	}
	raw := file[offset : offset+size]
	if n, err := s2.DecodedLen(raw); err != nil || n > maxBlock {
		return nil, errTable
	}
	b, err := s2.Decode(nil, raw)
	if err != nil {
		return nil, errTable
	}
	b, sum, err := checksum(b)
	if err != nil {
		return nil, err
	}
	if err := y.VerifyChecksum(b, sum); err != nil {
		return nil, errTable
	}
	end := len(b) - 4
	count := int(binary.BigEndian.Uint32(b[end:]))
	offsets := b[end-4*count : end]
	b = b[:end-4*count]
	var first []byte
	for i := range count {
		// The offsets are in the byte order of the machine, as Badger writes them.
		from, to := int(binary.NativeEndian.Uint32(offsets[4*i:])), len(b)
		if i+1 < count {
			to = int(binary.NativeEndian.Uint32(offsets[4*i+4:]))
		}
		entry := b[from:to]
		// Bytes shared with the block's first key, and bytes that follow them.
		overlap, diff := binary.NativeEndian.Uint16(entry), int(binary.NativeEndian.Uint16(entry[2:]))
		key := slices.Concat(first[:overlap], entry[4:4+diff])
		if i == 0 {
			first = key
		}
		e := blockEntry{key: key}
		e.Decode(entry[4+diff:])
		entries = append(entries, e)
	}
	return entries, nil
}
