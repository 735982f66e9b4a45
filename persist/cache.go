package persist

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// MaxCache is the most bytes of one cache.
const MaxCache = 256 << 20

// PutCache keeps data, derived from the first at changes of a document, under a
// kind of the caller's choosing; it takes the place of what lay there. The log
// may lose a cache at any time. It is written in parts between which other
// writes go on. Errors: ErrNotFound without the document, *OutOfStepError when
// at is ahead of its Last, ErrTooLarge, and what Store.Apply returns.
func (l *Log) PutCache(ctx context.Context, name Name, kind byte, at uint64, data []byte) error {
	if len(data) > MaxCache {
		return fmt.Errorf("%w: a cache of %d bytes, the limit is %d", ErrTooLarge, len(data), MaxCache)
	}
	h, err := l.header(ctx, name)
	if err != nil {
		return err
	}
	before, err := l.cacheParts(ctx, h.Num, kind)
	if err != nil {
		return err
	}
	head := binary.AppendUvarint(nil, at)
	head = binary.AppendUvarint(head, uint64(len(data)))
	head = binary.BigEndian.AppendUint32(head, crc32.Checksum(data, castagnoli))
	parts := sealParts(codecCache, codecCacheMore, head, data)

	b := &Batch{}
	send := func() error {
		piece := b
		b = &Batch{}
		return l.take(ctx, func(t *turn) error {
			now, err := t.header(name)
			switch {
			case err != nil:
				return err
			case now.Num != h.Num:
				return ErrNotFound // removed and made again
			case at > now.Last:
				return &OutOfStepError{Name: name, After: at, Last: now.Last}
			}
			t.batch.join(piece)
			return nil
		})
	}
	for i, v := range parts {
		if b.Len() > 0 && b.Bytes()+len(v)+2*EntryCost > MaxBatch {
			if err := send(); err != nil {
				return err
			}
		}
		b.put(cacheKey(h.Num, kind, i), v)
	}
	if err := send(); err != nil {
		return err
	}
	for i := len(parts); i < before; i++ {
		b.del(cacheKey(h.Num, kind, i))
	}
	if b.Len() == 0 {
		return nil
	}
	return send()
}

// Cache returns what PutCache kept last, and the number of changes it is
// derived from, which is at most the document's Last. ErrNotFound says that
// there is none, that it is torn or altered, or that there is no such document.
func (l *Log) Cache(ctx context.Context, name Name, kind byte) (at uint64, data []byte, err error) {
	h, err := l.header(ctx, name)
	if err != nil {
		return 0, nil, err
	}
	parts, length, want := 0, 0, uint32(0)
	for e, err := range l.store.List(ctx, cachePrefix(h.Num, kind)) {
		if err != nil {
			return 0, nil, fmt.Errorf("persist: read a cache: %w", err)
		}
		codec, body, ok := unseal(e.Value)
		if !ok || string(e.Key) != string(cacheKey(h.Num, kind, parts)) {
			return 0, nil, ErrNotFound
		}
		if parts == 0 {
			at, length, want, body, ok = cacheHead(codec, body)
			if !ok || at > h.Last {
				return 0, nil, ErrNotFound
			}
		} else if codec != codecCacheMore {
			return 0, nil, ErrNotFound
		}
		data = append(data, body...)
		if parts++; len(data) >= length {
			break
		}
	}
	if parts == 0 || len(data) != length || crc32.Checksum(data, castagnoli) != want {
		return 0, nil, ErrNotFound
	}
	return at, data, nil
}

// cacheParts returns how many parts the cache has that lies there now.
func (l *Log) cacheParts(ctx context.Context, num uint64, kind byte) (int, error) {
	v, err := l.get(ctx, cacheKey(num, kind, 0))
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	codec, body, ok := unseal(v)
	if !ok {
		return 0, nil
	}
	_, length, _, _, ok := cacheHead(codec, body)
	if !ok {
		return 0, nil
	}
	return partCount(length), nil
}

// cacheHead takes the body of part 0 apart.
func cacheHead(codec byte, body []byte) (at uint64, length int, sum uint32, data []byte, ok bool) {
	at, n := binary.Uvarint(body)
	if codec != codecCache || n <= 0 {
		return 0, 0, 0, nil, false
	}
	size, m := binary.Uvarint(body[n:])
	if m <= 0 || size > MaxCache || len(body) < n+m+4 {
		return 0, 0, 0, nil, false
	}
	body = body[n+m:]
	return at, int(size), binary.BigEndian.Uint32(body), body[4:], true
}
