package badgerstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"tombolo/persist"
)

// Salvaged is one version of a key, found in the files of a store.
type Salvaged struct {
	Key, Value []byte
	Version    uint64 // the higher one is the newer
	Deleted    bool   // the key was deleted in this version
}

// Salvage reads what the files in dir still give without opening them as a
// store, and changes nothing: every block of every table whose checksum is
// right, whether MANIFEST names the table or not, and every whole batch of the
// logs (and of the copies in dir/damaged). It tells what it could not read.
//
// Versions come in no order, and some more than once: the newest of a key
// counts. A key that was deleted long ago may be there without the version that
// deleted it, so whoever takes it over looks at what it holds. The only errors
// are those of each and ctx, and that dir cannot be listed.
func Salvage(ctx context.Context, dir string, each func(Salvaged) error) (unread []string, err error) {
	var files []string
	for _, pattern := range []string{"*.sst*", "*.mem*", filepath.Join(damagedName, "*.sst*"), filepath.Join(damagedName, "*.mem*")} {
		found, err := filepath.Glob(filepath.Join(globSafe(dir), pattern))
		if err != nil {
			return nil, fmt.Errorf("badgerstore: salvage: %w", err)
		}
		files = append(files, found...)
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("badgerstore: salvage: %w", err)
	}
	for _, path := range files {
		s := salvage{ctx: ctx, each: each}
		name, _ := filepath.Rel(dir, path)
		b, err := os.ReadFile(path)
		switch {
		case err != nil:
			s.miss("%v", err)
		case strings.Contains(filepath.Base(path), ".sst"):
			s.table(b)
		default:
			s.log(b)
		}
		for _, what := range s.missed {
			unread = append(unread, name+": "+what)
		}
		if s.err != nil {
			return unread, s.err
		}
	}
	return unread, nil
}

// salvage is the reading of one file.
type salvage struct {
	ctx    context.Context
	each   func(Salvaged) error
	err    error // of each or ctx: no reason to go on
	missed []string
}

func (s *salvage) miss(format string, args ...any) {
	s.missed = append(s.missed, fmt.Sprintf(format, args...))
}

// give hands out one version of a key as Badger writes it: the key with its
// version behind it. Keys of the store's own are left out.
func (s *salvage) give(key, value []byte, meta byte) {
	if meta&badgerPointer != 0 {
		return
	}
	if s.err = errors.Join(s.err, s.ctx.Err()); s.err != nil || len(key) <= 8 || key[0] == '!' || len(key)-8 > persist.MaxKey {
		return
	}
	end := len(key) - 8
	s.err = s.each(Salvaged{
		Key: slices.Clone(key[:end]), Value: slices.Clone(value),
		Version: math.MaxUint64 - binary.BigEndian.Uint64(key[end:]), Deleted: meta&badgerDeleted != 0,
	})
}

// badgerDeleted is the bit of an entry's meta byte that marks a deletion;
// badgerPointer that of a value in the value log, which this store never uses.
const (
	badgerDeleted = 1 << 0
	badgerPointer = 1 << 1
	badgerInBatch = 1 << 6
	badgerEnd     = 1 << 7 // the last entry of a batch; its value is the batch's version
)

// beforeEntries is what stands before the first entry of a log.
const beforeEntries = 20

// foundEntry is an entry of a log: meta byte, user's meta byte, lengths of key
// and value and expiry as uvarints, key, value, CRC-32C of all that.
type foundEntry struct {
	meta       byte
	key, value []byte
	size       int
}

func entryAt(b []byte) (e foundEntry, ok bool) {
	if len(b) < 2 || b[1] != 0 {
		return e, false
	}
	e.meta = b[0]
	at := 2
	var numbers [3]uint64
	for i := range numbers {
		n, size := binary.Uvarint(b[at:])
		if size <= 0 {
			return e, false
		}
		numbers[i], at = n, at+size
	}
	klen, vlen := numbers[0], numbers[1]
	if klen <= 8 || klen > persist.MaxKey+8 || vlen > persist.MaxValue+persist.EntryCost || numbers[2] != 0 {
		return e, false
	}
	end := at + int(klen) + int(vlen)
	if end+4 > len(b) || binary.BigEndian.Uint32(b[end:]) != crc32.Checksum(b[:end], castagnoli) {
		return e, false
	}
	e.key, e.value, e.size = b[at:at+int(klen)], b[at+int(klen):end], end+4
	return e, true
}

// log reads the batches of a log. Badger stops at the first entry that does not
// read; this goes on behind it, with the next whole batch.
func (s *salvage) log(b []byte) {
	if len(b) < beforeEntries {
		return
	}
	var batch []foundEntry
	whole, skipped := true, 0 // whole: the batch was seen from its beginning
	for at := beforeEntries; at < len(b) && s.err == nil; {
		e, ok := entryAt(b[at:])
		if !ok {
			batch, whole = nil, false
			if b[at] != 0 {
				skipped++
			}
			at++
			continue
		}
		at += e.size
		switch {
		case e.meta&badgerInBatch != 0:
			batch = append(batch, e)
			continue
		case e.meta&badgerEnd != 0:
			if version, err := strconv.ParseUint(string(e.value), 10, 64); whole && err == nil {
				s.batch(batch, version)
			}
		case len(batch) == 0:
			s.give(e.key, e.value, e.meta)
		}
		batch, whole = nil, true
	}
	if skipped > 0 {
		s.miss("%d bytes of its entries", skipped)
	}
}

func (s *salvage) batch(entries []foundEntry, version uint64) {
	for _, e := range entries {
		if math.MaxUint64-binary.BigEndian.Uint64(e.key[len(e.key)-8:]) != version {
			return // parts of two batches, with what was between them gone
		}
	}
	for _, e := range entries {
		s.give(e.key, e.value, e.meta)
	}
}
