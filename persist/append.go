package persist

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Limits of an Append.
const (
	MaxRecord = 16 << 20 // bytes of one change, or of one pack
	MaxCount  = 1 << 24  // changes in one pack
)

// Append adds changes to a document and says what its version is then. It
// carries Changes, or one Pack with its Count, or neither to alter the rest.
type Append struct {
	After   uint64   // the Last this builds on, zero to create the document; see OutOfStepError
	Changes [][]byte // raw, each takes the next sequence number
	Pack    []byte   // a pack of the log's Codec, kept as it is; the caller has proved that it unpacks
	Count   int      // how many changes Pack holds

	Heads     []Hash // the heads after it
	HeadsHash Hash   // the hash of Heads
	Meta      []byte // nil keeps what the document has
}

// Pending is an append on its way to the disk.
type Pending struct {
	done   chan struct{}
	header *Header
	err    error
}

// Done is closed when the append is durable, or could not be made so.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Wait returns the document's header as the append left it once that is
// durable, or the error that kept it from the disk. When ctx ends first, it
// returns ctx.Err() and the append may still be written; Wait may be called
// again, and by several goroutines.
func (p *Pending) Wait(ctx context.Context) (Header, error) {
	select {
	case <-p.done:
	case <-ctx.Done():
		return Header{}, ctx.Err()
	}
	if p.err != nil {
		return Header{}, p.err
	}
	return p.header.clone(), nil
}

// Append submits a and waits: see Submit and Pending.Wait.
func (l *Log) Append(ctx context.Context, name Name, a Append) (Header, error) {
	if err := ctx.Err(); err != nil {
		return Header{}, err
	}
	return l.Submit(name, a).Wait(ctx)
}

// Submit queues a and returns at once; a's slices may be used again. Appends of
// one document are committed in the order of submission, and an append whose
// turn finds another Last than After fails with *OutOfStepError: so, when one
// fails, those behind it fail too and no gap arises. An append larger than one
// batch is written in several; its header comes last, so that half of it counts
// for nothing. What waits is held in memory: the caller bounds it.
//
// Other errors: ErrInvalid, ErrTooLarge, ErrClosed, *DamagedError and
// *TooNewError for a header that does not read, and what Store.Apply returns.
func (l *Log) Submit(name Name, a Append) *Pending {
	p := &Pending{done: make(chan struct{})}
	recs, raw, err := a.records()
	if err != nil {
		p.err = err
		close(p.done)
		return p
	}
	packed := a.Pack != nil
	a.Changes, a.Pack = nil, nil // recs has them; the caller may alter his
	a.Heads, a.Meta = slices.Clone(a.Heads), slices.Clone(a.Meta)
	build := func(t *turn) error {
		h, err := t.next(name, a)
		if err != nil {
			return err
		}
		was := h.Last
		for _, r := range recs {
			r.put(t.batch, h.Num, h.Last+1)
			h.Last += r.count
		}
		if packed && h.Packed == was {
			h.Packed = h.Last
		}
		h.Loose += raw
		p.header = h
		return t.put(name, h)
	}
	l.submit(build, func(err error) {
		p.err = err
		close(p.done)
	})
	return p
}

// next returns a header that a may fill: of the document as it is, with what a
// says of its version, or of a new document.
func (t *turn) next(name Name, a Append) (*Header, error) {
	old, err := t.header(name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	h := &Header{}
	if old != nil {
		*h = *old
	}
	if h.Last != a.After {
		return nil, &OutOfStepError{Name: name, After: a.After, Last: h.Last}
	}
	if old == nil {
		h.Num = t.newNumber()
	}
	h.Heads, h.HeadsHash = a.Heads, a.HeadsHash
	if a.Meta != nil {
		h.Meta = a.Meta
	}
	return h, nil
}

// record is a change or a pack as values, ready but for its place.
type record struct {
	parts [][]byte
	count uint64
}

func newRecord(codec byte, count int, data []byte) record {
	head := binary.AppendUvarint(nil, uint64(count))
	head = binary.AppendUvarint(head, uint64(len(data)))
	return record{sealParts(codec, codecMore, head, data), uint64(count)}
}

func (r record) put(b *Batch, num, first uint64) {
	for i, v := range r.parts {
		b.put(recordKey(num, first, i), v)
	}
}

// records seals what a carries, in the caller's goroutine, and counts the raw
// bytes that will lie loose.
func (a *Append) records() (recs []record, raw uint64, err error) {
	if a.Pack != nil || a.Count != 0 {
		if len(a.Changes) > 0 || len(a.Pack) == 0 || a.Count < 1 || a.Count > MaxCount {
			return nil, 0, ErrInvalid
		}
		if len(a.Pack) > MaxRecord {
			return nil, 0, fmt.Errorf("%w: a pack of %d bytes, the limit is %d", ErrTooLarge, len(a.Pack), MaxRecord)
		}
		return []record{newRecord(codecPack, a.Count, a.Pack)}, 0, nil
	}
	recs = make([]record, len(a.Changes))
	for i, c := range a.Changes {
		if len(c) == 0 {
			return nil, 0, ErrInvalid
		}
		if len(c) > MaxRecord {
			return nil, 0, fmt.Errorf("%w: a change of %d bytes, the limit is %d", ErrTooLarge, len(c), MaxRecord)
		}
		recs[i] = newRecord(codecChange, 1, c)
		raw += uint64(len(c))
	}
	return recs, raw, nil
}
