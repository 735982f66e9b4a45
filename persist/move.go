package persist

import (
	"context"
	"encoding/binary"
	"errors"
)

// Move gives a document another name; changes and caches stay where they are.
// Errors: ErrNotFound without from, ErrExists when to is taken, and what
// Store.Apply returns. Appends submitted to from behind it find no document.
func (l *Log) Move(ctx context.Context, from, to Name) error {
	return l.take(ctx, func(t *turn) error {
		h, err := t.header(from)
		if err != nil {
			return err
		}
		if _, err := t.header(to); err == nil {
			return ErrExists
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		t.remove(from)
		return t.put(to, h)
	})
}

// Remove takes a document away: first its header, which is the commit point,
// then its changes and caches. When it returns an error after the header is
// gone, or the process dies, the next OpenLog finishes it. ErrNotFound says
// that there is no such document.
//
// A document whose header does not read is taken from the list too; its changes
// stay in the store, out of reach, because only the header knew their number.
func (l *Log) Remove(ctx context.Context, name Name) error {
	num := uint64(0)
	err := l.take(ctx, func(t *turn) error {
		h, err := t.header(name)
		if errors.Is(err, ErrNotFound) {
			return err
		}
		t.remove(name)
		if _, damaged := errors.AsType[*DamagedError](err); damaged {
			return nil
		}
		if err != nil {
			return err
		}
		num = h.Num
		t.batch.put(numPrefix(prefixGarbage, num), seal(codecGarbage))
		return nil
	})
	if err != nil || num == 0 {
		return err
	}
	return l.sweep(ctx, num)
}

// sweep deletes what lies under the number of a removed document, and the mark
// that it is to be done.
func (l *Log) sweep(ctx context.Context, num uint64) error {
	b := &Batch{}
	for _, letter := range []byte{prefixRecord, prefixCache} {
		for e, err := range l.store.List(ctx, numPrefix(letter, num)) {
			if err != nil {
				return err
			}
			if b.Bytes()+len(e.Key)+EntryCost > MaxBatch {
				if err := l.committer.Commit(ctx, b); err != nil {
					return err
				}
				b = &Batch{}
			}
			b.del(e.Key)
		}
	}
	if err := l.committer.Commit(ctx, b); err != nil {
		return err
	}
	mark := &Batch{}
	mark.del(numPrefix(prefixGarbage, num))
	return l.committer.Commit(ctx, mark)
}

// sweepAll finishes what earlier calls of Remove did not. Its errors (a full
// disk, say) are passed over: the marks stay, and the next OpenLog tries again.
func (l *Log) sweepAll(ctx context.Context) {
	var nums []uint64
	for e, err := range l.store.List(ctx, []byte{prefixGarbage}) {
		if err != nil {
			return
		}
		if len(e.Key) == 9 {
			nums = append(nums, binary.BigEndian.Uint64(e.Key[1:]))
		}
	}
	for _, num := range nums {
		if l.sweep(ctx, num) != nil {
			return
		}
	}
}
