package persist

import (
	"context"
	"encoding/binary"
	"fmt"
)

// DropCaches deletes the caches for which stale says so, and those that do not
// read, of all documents of the log: stale is told which kind of whose it is,
// from how many changes it was derived, and how many the document has. It
// returns the bytes of keys and values that were deleted, also beside an error.
// A cache that is written at the same moment may be lost with an older one.
// Errors are those of Store.List and Committer.Commit.
func (l *Log) DropCaches(ctx context.Context, stale func(name Name, kind byte, at, last uint64) bool) (uint64, error) {
	names := map[uint64]Name{}
	for name, slim := range l.Docs() {
		names[slim.Num] = name
	}
	var dropped uint64
	b, size := &Batch{}, uint64(0)
	commit := func() error {
		if err := l.committer.Commit(ctx, b); err != nil {
			return fmt.Errorf("persist: drop caches: %w", err)
		}
		dropped, size, b = dropped+size, 0, &Batch{}
		return nil
	}
	drop := false // the cache whose parts come now
	for e, err := range l.store.List(ctx, []byte{prefixCache}) {
		if err != nil {
			return dropped, fmt.Errorf("persist: drop caches: %w", err)
		}
		if len(e.Key) != cacheKeySize {
			continue
		}
		num, kind, part := binary.BigEndian.Uint64(e.Key[1:]), e.Key[9], binary.BigEndian.Uint16(e.Key[10:])
		name, ours := names[num]
		if !ours {
			continue // of a document that was set aside: all of it is kept
		}
		if part == 0 {
			at, ok := cacheAt(e.Value)
			l.mu.RLock()
			last := l.index[name].Last
			l.mu.RUnlock()
			drop = !ok || stale(name, kind, at, last)
		}
		if !drop {
			continue
		}
		if b.Bytes()+len(e.Key)+EntryCost > MaxBatch {
			if err := commit(); err != nil {
				return dropped, err
			}
		}
		b.del(e.Key)
		size += uint64(len(e.Key) + len(e.Value))
	}
	if b.Len() == 0 {
		return dropped, nil
	}
	return dropped, commit()
}

const cacheKeySize = 12

// cacheAt is what part 0 of a cache says of its origin.
func cacheAt(value []byte) (at uint64, ok bool) {
	codec, body, ok := unseal(value)
	if !ok {
		return 0, false
	}
	at, _, _, _, ok = cacheHead(codec, body)
	return at, ok
}
