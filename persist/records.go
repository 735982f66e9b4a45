package persist

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
)

// Record is a change or a pack as it is kept.
type Record struct {
	First, Last uint64 // sequence numbers of the changes in it, equal for a change
	Packed      bool   // Data is a pack of the log's Codec, else one raw change
	Data        []byte // the caller's own
}

// Records yields the records of a document in order, from the one that holds
// the change numbered from (zero is one) to the newest. A loop that appends to
// the document sees none or all of each of its appends.
//
// It checks that no change is missing up to the header's Last: the error is a
// *DamagedError that names the first one, after everything before it. Other
// errors are those of Log.Header and Store.List, and *TooNewError for a record
// of an unknown codec, which stays as it is.
//
// Records before from are read and skipped, which costs 2 to 3 ms for 100,000
// packed changes.
func (l *Log) Records(ctx context.Context, name Name, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		h, err := l.header(ctx, name)
		if err != nil {
			yield(Record{}, err)
			return
		}
		err = l.scan(ctx, name, h, func(r Record) bool {
			return r.Last < from || yield(r, nil)
		})
		if _, damaged := errors.AsType[*DamagedError](err); damaged {
			// Removed while it was read? Then nothing is damaged.
			now, gone := l.header(ctx, name)
			if errors.Is(gone, ErrNotFound) || gone == nil && now.Num != h.Num {
				err = ErrNotFound
			}
		}
		if err != nil {
			yield(Record{}, err)
		}
	}
}

// Changes yields the raw changes of a document in order, from the one numbered
// from (zero is one). Errors are those of Records, and a *DamagedError for a
// pack that does not unpack to its count of changes.
func (l *Log) Changes(ctx context.Context, name Name, from uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for r, err := range l.Records(ctx, name, from) {
			if err != nil {
				yield(nil, err)
				return
			}
			changes := [][]byte{r.Data}
			if r.Packed {
				if changes, err = l.unpack(name, r); err != nil {
					yield(nil, err)
					return
				}
			}
			if from > r.First {
				changes = changes[from-r.First:]
			}
			for _, c := range changes {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

func (l *Log) unpack(name Name, r Record) ([][]byte, error) {
	changes, err := l.codec.Unpack(r.Data)
	if err != nil {
		return nil, &DamagedError{Name: name, Seq: r.First, What: "a pack does not unpack: " + err.Error()}
	}
	if want := r.Last - r.First + 1; uint64(len(changes)) != want {
		return nil, &DamagedError{Name: name, Seq: r.First, What: fmt.Sprintf("a pack of %d changes holds %d", want, len(changes))}
	}
	return changes, nil
}

// scan gives the records that h speaks of to each, until each returns false.
//
// What counts is decided by position alone: the record that begins where the
// one before it ended. Everything else is a leftover of an append that failed
// or of a pack that replaced it, and is passed over: parts behind a record's
// length, records inside a pack, records behind the header's Last. Each is
// overwritten when its number is given out again.
func (l *Log) scan(ctx context.Context, name Name, h *Header, each func(Record) bool) error {
	want := uint64(1) // the next change
	var cur Record    // being put together while missing > 0
	missing, part := 0, 0
	for e, err := range l.store.List(ctx, numPrefix(prefixRecord, h.Num)) {
		if err != nil {
			return fmt.Errorf("persist: read document %x: %w", name.Doc, err)
		}
		first, p, ok := parseRecordKey(e.Key)
		if !ok || first < want || first == want && missing == 0 && p > 0 {
			continue
		}
		if first > h.Last {
			break
		}
		if first > want || p != part {
			return &DamagedError{Name: name, Seq: want, What: fmt.Sprintf("part %d of its record is missing", part)}
		}
		codec, body, ok := unseal(e.Value)
		if !ok {
			return &DamagedError{Name: name, Seq: want, What: "the checksum of its record is wrong"}
		}
		if missing == 0 {
			if codec != codecChange && codec != codecPack {
				return &TooNewError{What: "record codec", Have: uint64(codec), Known: codecPack}
			}
			count, length, data, ok := recordHead(body)
			if !ok || codec == codecChange && count != 1 {
				return &DamagedError{Name: name, Seq: want, What: "its record does not read"}
			}
			if count-1 > h.Last-first {
				return &DamagedError{Name: name, Seq: want, What: fmt.Sprintf("its record has %d changes, the header ends at %d", count, h.Last)}
			}
			cur = Record{First: first, Last: first + count - 1, Packed: codec == codecPack, Data: data}
			missing, part = length-len(data), 0
		} else {
			if codec != codecMore || len(body) > missing {
				return &DamagedError{Name: name, Seq: want, What: "the parts of its record do not fit"}
			}
			cur.Data = append(cur.Data, body...)
			missing -= len(body)
		}
		if part++; missing > 0 {
			continue
		}
		part, want = 0, cur.Last+1
		if !each(cur) {
			return nil
		}
	}
	if want <= h.Last {
		return &DamagedError{Name: name, Seq: want, What: fmt.Sprintf("its records end there, the header says %d changes", h.Last)}
	}
	return nil
}

// recordHead takes the body of part 0 apart. The data is a slice of body.
func recordHead(body []byte) (count uint64, length int, data []byte, ok bool) {
	count, n := binary.Uvarint(body)
	if n <= 0 || count < 1 || count > MaxCount {
		return 0, 0, nil, false
	}
	size, m := binary.Uvarint(body[n:])
	if m <= 0 || size > MaxRecord {
		return 0, 0, nil, false
	}
	data = body[n+m:]
	return count, int(size), data, len(data) > 0 && uint64(len(data)) <= size
}
