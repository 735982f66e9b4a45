package badgerstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/options"
)

// Badger's tables (NNNNNN.sst): blocks, each compressed by itself, then an
// index of where they begin, its length (4 bytes), its checksum, the length of
// that (4 bytes). In a block, entries with their offsets (4 bytes each, in the
// byte order of the machine), their number (4 bytes), a checksum and its length.
//
// Badger checks the index only. A block that does not read ends its iterators
// as if the table ended there, so the merging of such a table deletes the rest
// of it; a block that reads wrongly can panic one of Badger's goroutines. Hence
// all of a table is read before Badger is let near it.
const (
	tableSpan  = 1 << 20  // read at once
	tableBlock = 64 << 20 // more than any block has: one value is 256 KiB
)

// tableFile is what a table holds.
type tableFile struct {
	path     string
	id       uint64
	level    uint8
	codec    options.CompressionType
	listed   bool
	err      error       // not nil: nothing in it can be read
	index    bool        // the index is damaged, though the blocks were found with it
	blocks   []blockPart // in order
	commit   uint64      // the highest commit number in it
	noCommit bool        // the block that may hold the commit number does not read
}

// blockPart is where a block lies.
type blockPart struct {
	first       []byte // key, with its version
	offset, len int64
	err         error
}

// bad returns how many blocks do not read.
func (t *tableFile) bad() (n int) {
	for _, b := range t.blocks {
		if b.err != nil {
			n++
		}
	}
	return n
}

// damage says in words what is wrong, or "".
func (t *tableFile) damage() string {
	name := filepath.Base(t.path)
	switch n := t.bad(); {
	case t.err != nil:
		return fmt.Sprintf("%s does not read: %v", name, t.err)
	case n > 0:
		return fmt.Sprintf("%s: %d of %d blocks do not read", name, n, len(t.blocks))
	case t.index:
		return fmt.Sprintf("%s: its index does not read", name)
	}
	return ""
}

// read finds out all of it. A file that does not open is in t.err, too.
func (t *tableFile) read() {
	f, err := os.Open(t.path)
	if err != nil {
		t.err = err
		return
	}
	defer f.Close()
	end, err := t.readIndex(f)
	if err != nil {
		t.err = err
		return
	}
	t.checkExtent(end)
	var in inflater
	for i, raw := range t.raw(f) {
		b := &t.blocks[i]
		if b.err != nil {
			continue
		}
		var plain []byte
		if plain, b.err = in.inflate(raw, t.codec); b.err != nil || !t.mayHoldCommit(i) {
			continue
		}
		var entries []tableEntry
		entries, b.err = splitBlock(plain)
		for _, e := range entries {
			if n, ok := e.commit(); ok {
				t.commit = max(t.commit, n)
			}
		}
	}
	for i, b := range t.blocks {
		t.noCommit = t.noCommit || b.err != nil && t.mayHoldCommit(i)
	}
}

// mayHoldCommit says whether commitsKey can be in block i.
func (t *tableFile) mayHoldCommit(i int) bool {
	if t.index {
		return true // the keys in it may be wrong
	}
	after := append(bytes.Clone(commitsKey), bytes.Repeat([]byte{0xff}, 9)...)
	return bytes.Compare(t.blocks[i].first, after) < 0 &&
		(i+1 == len(t.blocks) || bytes.Compare(t.blocks[i+1].first, commitsKey) >= 0)
}

var errTableEnd = errors.New("it is too short, or its end is damaged")

// readIndex fills blocks, and returns where they end.
func (t *tableFile) readIndex(f *os.File) (end int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	at := info.Size()
	field := func(n int64) ([]byte, error) { // the n bytes before at
		if n < 0 || n > at || n > math.MaxInt32 {
			return nil, errTableEnd
		}
		at -= n
		b := make([]byte, n)
		_, err := f.ReadAt(b, at)
		return b, err
	}
	sized := func() ([]byte, error) { // what has its length behind it
		n, err := field(4)
		if err != nil {
			return nil, err
		}
		return field(int64(binary.BigEndian.Uint32(n)))
	}
	sum, err := sized()
	if err != nil {
		return 0, err
	}
	index, err := sized()
	if err != nil {
		return 0, err
	}
	t.index = !bytes.Equal(sum, checksumOf(index))
	if t.blocks, err = parseIndex(index); err != nil {
		return 0, err
	}
	if len(t.blocks) == 0 {
		return 0, errTableEnd
	}
	return at, nil
}

// checkExtent marks what an index, which may be damaged, says of blocks that
// cannot be: they lie behind each other from 0 to end.
func (t *tableFile) checkExtent(end int64) {
	var at int64
	for i := range t.blocks {
		b := &t.blocks[i]
		if b.offset != at || b.len > min(end-at, tableBlock) {
			b.err = errors.New("the index is wrong about it")
			b.len = max(0, min(b.len, end-at, tableBlock))
		}
		at = b.offset + b.len
	}
	if at != end {
		t.blocks[len(t.blocks)-1].err = errors.New("the index leaves out what is behind it")
	}
}

// parseIndex returns the blocks of an index, of which the checksum may be wrong.
func parseIndex(index []byte) (blocks []blockPart, err error) {
	defer func() {
		if r := recover(); r != nil { // FlatBuffers check no bounds
			blocks, err = nil, fmt.Errorf("its index does not read: %v", r)
		}
	}()
	root := fb.GetRootAsTableIndex(index, 0)
	n := root.OffsetsLength()
	if n > len(index)/8 {
		return nil, errTableEnd
	}
	for i := range n {
		var o fb.BlockOffset
		if !root.Offsets(&o, i) {
			return nil, errTableEnd
		}
		blocks = append(blocks, blockPart{first: bytes.Clone(o.KeyBytes()), offset: int64(o.Offset()), len: int64(o.Len())})
	}
	return blocks, nil
}

// checksumOf returns a protobuf Checksum of algorithm 0, CRC-32C, as Badger
// writes it: field 2 alone.
func checksumOf(b []byte) []byte {
	return binary.AppendUvarint([]byte{2 << 3}, uint64(crc32.Checksum(b, castagnoli)))
}

// raw yields each block's bytes in the file; blocks that the disk does not give
// get an error in blocks, and nil.
func (t *tableFile) raw(f io.ReaderAt) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		var span []byte
		var start int64
		for i := range t.blocks {
			b := &t.blocks[i]
			if b.err == nil && (b.offset < start || b.offset+b.len > start+int64(len(span))) {
				n := max(b.len, tableSpan)
				if int64(cap(span)) < n {
					span = make([]byte, n)
				}
				start = b.offset
				got, err := f.ReadAt(span[:n], start)
				if span = span[:got]; int64(got) < b.len {
					b.err, span = fmt.Errorf("read: %w", err), nil
				}
			}
			if b.err != nil {
				if !yield(i, nil) {
					return
				}
				continue
			}
			if !yield(i, span[b.offset-start:][:b.len]) {
				return
			}
		}
	}
}
