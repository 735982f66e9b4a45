package badgerstore

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"strconv"
)

// Badger's write-ahead log (NNNNN.mem): 20 bytes of header (8 of them the
// number of an encryption key, 0 with us), then entries of meta, user meta,
// uvarint key length, value length and expiry, key, value and CRC-32C, then
// zeros. The last 8 bytes of a key are math.MaxUint64 less its transaction's
// number. A transaction ends with an entry of its own.
const (
	walHeader = 20
	walTxn    = 1 << 6 // meta: belongs to a transaction
	walFin    = 1 << 7 // meta: ends one
	walMaxKey = 1 << 16
)

// wal is what a write-ahead log holds.
type wal struct {
	path        string
	end         int    // behind the last whole transaction; what Badger keeps
	length      int    // of the file
	first, last uint64 // commit numbers of the first and last transaction that has one; 0: none has
	beyond      uint64 // the highest commit number in entries behind end
	torn        bool   // something lies behind end
	key         uint64 // encryption key in the header, 0 unless it is damaged
}

// readWAL reads the log at path as Badger does when it opens.
func readWAL(path string) (wal, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return wal{}, err
	}
	w := wal{path: path, end: min(walHeader, len(data)), length: len(data)}
	if len(data) < walHeader {
		w.torn = len(data) > 0
		return w, nil
	}
	w.key = binary.BigEndian.Uint64(data)
	w.scan(data)
	tail := data[w.end:]
	w.torn = len(bytes.TrimRight(tail, "\x00")) > 0
	for { // entries are looked for by the one key that every transaction has
		i := bytes.Index(tail, commitsKey)
		if i < 0 {
			return w, nil
		}
		// meta, user meta, two lengths and the expiry are a byte each.
		if i >= 5 {
			if e, _, ok := readEntry(tail[i-5:]); ok && e.isCommit() {
				w.beyond = max(w.beyond, binary.BigEndian.Uint64(e.value))
			}
		}
		tail = tail[i+len(commitsKey):]
	}
}

// scan finds end, first and last.
func (w *wal) scan(data []byte) {
	var txn, commit uint64 // of the transaction that is open
	for at := walHeader; ; {
		e, n, ok := readEntry(data[at:])
		if !ok {
			return
		}
		at += n
		switch {
		case e.meta&walTxn > 0:
			if txn == 0 {
				txn = e.txn()
			}
			if e.txn() != txn {
				return
			}
			if e.isCommit() {
				commit = binary.BigEndian.Uint64(e.value)
			}
		case e.meta&walFin > 0:
			if n, err := strconv.ParseUint(string(e.value), 10, 64); err != nil || n != txn {
				return
			}
			w.end = at
			if w.first == 0 {
				w.first = commit
			}
			w.last = max(w.last, commit)
			txn, commit = 0, 0
		default:
			if txn != 0 {
				return
			}
			w.end = at
		}
	}
}

// walEntry is one entry; its slices are parts of the file's.
type walEntry struct {
	meta       byte
	key, value []byte
}

func (e walEntry) txn() uint64 {
	if len(e.key) < 8 {
		return 0
	}
	return math.MaxUint64 - binary.BigEndian.Uint64(e.key[len(e.key)-8:])
}

func (e walEntry) isCommit() bool {
	return len(e.value) == 8 && len(e.key) == len(commitsKey)+8 && bytes.HasPrefix(e.key, commitsKey)
}

// readEntry returns the entry at the beginning of b and its length. It is not
// ok where Badger stops reading: at zeros, at the end, at a wrong checksum.
func readEntry(b []byte) (e walEntry, length int, ok bool) {
	if len(b) < 2 {
		return e, 0, false
	}
	at := 2
	var sizes [3]uint64 // key, value, expiry
	for i := range sizes {
		v, n := binary.Uvarint(b[at:])
		if n <= 0 {
			return e, 0, false
		}
		sizes[i], at = v, at+n
	}
	left := uint64(len(b) - at)
	if sizes[0] == 0 || sizes[0] > walMaxKey || sizes[1] > left || sizes[0]+sizes[1]+crc32.Size > left {
		return e, 0, false
	}
	e.meta = b[0]
	e.key = b[at : at+int(sizes[0])]
	at += int(sizes[0])
	e.value = b[at : at+int(sizes[1])]
	at += int(sizes[1])
	if binary.BigEndian.Uint32(b[at:]) != crc32.Checksum(b[:at], castagnoli) {
		return e, 0, false
	}
	return e, at + crc32.Size, true
}
