package persist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Where Pack cuts. 64 KiB of raw changes pack as well as everything at once
// (6.5 bytes a change of text; 8.4 when cut at 8 KiB). The count keeps the
// deletions (2,048 of 83 bytes), the pack (partSize), the header (MaxHeader)
// and the parts of one large change in one batch, hence in one transaction.
const (
	packRaw   = 64 << 10
	packCount = 2048
	// recordCost is what a record costs beside its change: key and head. A
	// pack gains when it takes less than the records it replaces.
	recordCost = 28
)

// Pack turns the loose changes of a document into packs. It may be called at
// any time, also while appends go on, and stops cleanly at any error: each pack
// is proved to give back the exact bytes before one transaction puts it, moves
// the header on and deletes the changes it replaces.
//
// A change too large to gain by packing stays as it is, and so does the last
// run of changes while it does not gain. Errors: ErrCodec, those of Records,
// and what Store.Apply returns.
func (l *Log) Pack(ctx context.Context, name Name) error {
	h, err := l.header(ctx, name)
	if err != nil {
		return err
	}
	p := packing{log: l, ctx: ctx, name: name, num: h.Num, packed: h.Packed}
	var failed error
	for r, err := range l.Records(ctx, name, h.Packed+1) {
		if err != nil {
			return err
		}
		if failed = p.add(r); failed != nil {
			break
		}
	}
	if failed == nil {
		failed = p.flush(true)
	}
	if errors.Is(failed, errOvertaken) {
		return nil
	}
	return failed
}

// errOvertaken ends a Pack that finds another one, or a pack appended as it is,
// ahead of it.
var errOvertaken = errors.New("persist: packed by another")

// packing is one run of Pack.
type packing struct {
	log    *Log
	ctx    context.Context
	name   Name
	num    uint64
	packed uint64 // the header's Packed when we last looked

	run [][]byte // loose changes from packed+1 on
	raw int      // their bytes
}

// add takes the next record. A pack, or a run that is full, ends a run.
func (p *packing) add(r Record) error {
	if r.First <= p.packed {
		return errOvertaken
	}
	if r.Packed {
		if err := p.flush(false); err != nil {
			return err
		}
		return p.move(r.Last, 0, nil) // it is a pack already
	}
	if len(p.run) == packCount || len(p.run) > 0 && p.raw+len(r.Data) > packRaw {
		if err := p.flush(false); err != nil {
			return err
		}
	}
	p.run = append(p.run, r.Data)
	p.raw += len(r.Data)
	return nil
}

// flush packs the run.
func (p *packing) flush(last bool) error {
	if len(p.run) == 0 {
		return nil
	}
	pack, err := p.log.codec.Pack(p.run)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCodec, err)
	}
	back, err := p.log.codec.Unpack(pack)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCodec, err)
	}
	if !slices.EqualFunc(p.run, back, bytes.Equal) {
		return ErrCodec
	}
	gains := len(pack) < p.raw+recordCost*(len(p.run)-1) && len(pack) <= partSize
	if !gains && last && p.raw < packRaw {
		return nil // more changes may come to it
	}
	first, upto, raw := p.packed+1, p.packed+uint64(len(p.run)), uint64(p.raw)
	var replace *Batch
	if gains {
		replace = &Batch{}
		newRecord(codecPack, len(p.run), pack).put(replace, p.num, first)
		for i, c := range p.run {
			for part := range partCount(len(c)) {
				if i > 0 || part > 0 { // the pack has the key of the first part
					replace.del(recordKey(p.num, first+uint64(i), part))
				}
			}
		}
	}
	p.run, p.raw = nil, 0
	return p.move(upto, raw, replace)
}

// move sets the header's Packed to upto, together with what replaces the
// records up to there, if anything does. That is the commit point.
func (p *packing) move(upto, raw uint64, replace *Batch) error {
	was := p.packed
	err := p.log.take(p.ctx, func(t *turn) error {
		old, err := t.header(p.name)
		if err != nil {
			return err
		}
		if old.Num != p.num || old.Packed != was {
			return errOvertaken
		}
		h := *old
		h.Packed, h.Loose, h.Generation = upto, h.Loose-min(raw, h.Loose), h.Generation+1
		if replace != nil {
			t.batch.join(replace)
		}
		return t.put(p.name, &h)
	})
	p.packed = upto
	return err
}
