package persist

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
)

// Aside is a document that was set aside because it does not read. Its records
// lie where they were, out of reach of Records and of every write, until
// DropAside; Salvage gives those that are whole.
type Aside struct {
	Num    uint64  // the number its records lie under
	Name   Name    // what it was called; another document may have that name by now
	Header *Header // as it was, nil when it is the header that does not read
}

// SetAside takes a document from the list and keeps everything of it, under its
// number. num is for a document whose header did not read when the log was
// opened: the number to keep it under, from Orphans, or zero for one with no
// records. It does not count otherwise. In one write with it goes nothing else, so
// a crash leaves the document as it was, or aside. ErrNotFound says that there
// is no such document.
func (l *Log) SetAside(ctx context.Context, name Name, num uint64) (Aside, error) {
	aside := Aside{Name: name}
	err := l.take(ctx, func(t *turn) error {
		h, err := t.header(name)
		_, damaged := errors.AsType[*DamagedError](err)
		l.mu.RLock()
		known := l.index[name].Num
		l.mu.RUnlock()
		switch {
		case err == nil:
			aside.Num, aside.Header = h.Num, h
		case !damaged:
			return err
		case known != 0:
			aside.Num = known
		case num == 0:
			aside.Num = t.newNumber()
		default:
			aside.Num = num
		}
		var header []byte
		if aside.Header != nil {
			if header, err = l.headers.encode(h); err != nil {
				return err
			}
		} else if header, err = l.get(ctx, headerKey(name)); err != nil {
			return err
		}
		t.batch.put(asideKey(aside), seal(codecAside, header))
		t.remove(name)
		return nil
	})
	if err != nil {
		return Aside{}, err
	}
	return aside, nil
}

// Asides yields what is set aside, in the order of numbers. An entry that does
// not read itself comes without a Header.
func (l *Log) Asides(ctx context.Context) iter.Seq2[Aside, error] {
	return func(yield func(Aside, error) bool) {
		for e, err := range l.store.List(ctx, []byte{prefixAside}) {
			if err != nil {
				yield(Aside{}, err)
				return
			}
			a, ok := parseAsideKey(e.Key)
			if !ok {
				continue // its key was altered: the records stay, and nobody knows whose they are
			}
			if codec, body, sound := unseal(e.Value); sound && codec == codecAside {
				if h, err := l.headers.decode(a.Name, body); err == nil {
					a.Header = h
				}
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

// Salvage yields the raw changes that can be read under a number, in the order
// of their sequence numbers up to last (zero for all), passing over what is
// missing or altered. Some may come twice. The error is the store's, and ends
// it; the codec is asked about each pack, and a pack that it refuses is passed
// over.
func (l *Log) Salvage(ctx context.Context, num, last uint64) iter.Seq2[[]byte, error] {
	if last == 0 {
		last = math.MaxUint64
	}
	return func(yield func([]byte, error) bool) {
		var cur salvaging
		for e, err := range l.store.List(ctx, numPrefix(prefixRecord, num)) {
			if err != nil {
				yield(nil, fmt.Errorf("persist: salvage a document: %w", err))
				return
			}
			first, part, ok := parseRecordKey(e.Key)
			if !ok || first > last || !cur.add(first, part, e.Value) {
				continue
			}
			changes := [][]byte{cur.data}
			if cur.packed {
				if changes, err = l.codec.Unpack(cur.data); err != nil {
					continue
				}
			}
			for _, c := range changes {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

// salvaging is a record being put together from the parts that are whole.
type salvaging struct {
	first   uint64
	next    int // the part that must come now; 0: only a beginning helps
	missing int
	packed  bool
	data    []byte
}

// add takes the next value, and reports whether the record is complete.
func (s *salvaging) add(first uint64, part int, value []byte) bool {
	codec, body, sound := unseal(value)
	if part == 0 {
		*s = salvaging{first: first}
		if !sound || codec != codecChange && codec != codecPack {
			return false
		}
		_, length, data, ok := recordHead(body)
		if !ok {
			return false
		}
		s.packed, s.data, s.missing = codec == codecPack, data, length-len(data)
	} else {
		if s.next == 0 || first != s.first || part != s.next || !sound || codec != codecMore || len(body) > s.missing {
			*s = salvaging{}
			return false
		}
		s.data, s.missing = append(s.data, body...), s.missing-len(body)
	}
	s.next = part + 1
	if s.missing > 0 {
		return false
	}
	s.next = 0
	return true
}

// Orphans are the numbers under which records lie that no document, nothing set
// aside and no removal under way accounts for: those of documents whose headers
// do not read, or that came back from a damaged store. It reads the whole store.
func (l *Log) Orphans(ctx context.Context) ([]uint64, error) {
	known := map[uint64]bool{}
	l.mu.RLock()
	for _, s := range l.index {
		known[s.Num] = true
	}
	l.mu.RUnlock()
	for _, letter := range []byte{prefixAside, prefixGarbage} {
		for e, err := range l.store.List(ctx, []byte{letter}) {
			if err != nil {
				return nil, err
			}
			if len(e.Key) >= 9 {
				known[binary.BigEndian.Uint64(e.Key[1:])] = true
			}
		}
	}
	var out []uint64
	for e, err := range l.store.List(ctx, []byte{prefixRecord}) {
		if err != nil {
			return nil, err
		}
		if len(e.Key) != 19 {
			continue
		}
		if num := binary.BigEndian.Uint64(e.Key[1:]); !known[num] {
			known[num] = true
			out = append(out, num)
		}
	}
	return out, nil
}

// RenameAside gives what was set aside another name, as Move does to documents.
func (l *Log) RenameAside(ctx context.Context, a Aside, name Name) (Aside, error) {
	renamed := a
	renamed.Name = name
	err := l.take(ctx, func(t *turn) error {
		value, err := l.store.Get(ctx, asideKey(a))
		if err != nil {
			return err
		}
		t.batch.del(asideKey(a))
		t.batch.put(asideKey(renamed), value)
		return nil
	})
	if err != nil {
		return Aside{}, err
	}
	return renamed, nil
}

// DropAside deletes what was set aside. Like Remove it goes on at the next
// OpenLog when it is interrupted.
func (l *Log) DropAside(ctx context.Context, a Aside) error {
	err := l.take(ctx, func(t *turn) error {
		t.batch.put(numPrefix(prefixGarbage, a.Num), seal(codecGarbage))
		t.batch.del(asideKey(a))
		return nil
	})
	if err != nil {
		return err
	}
	return l.sweep(ctx, a.Num)
}
