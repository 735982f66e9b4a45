package persist

import (
	"context"
	"encoding/binary"
	"fmt"
)

// Size is what one document has in the store: bytes of keys and values, as they
// are before a store compresses or seals them.
type Size struct {
	Header uint64 // the document's header
	Loose  uint64 // changes that lie one by one
	Packed uint64 // packs
	Caches uint64 // what can be made again
}

// Sum is all of it.
func (s Size) Sum() uint64 { return s.Header + s.Loose + s.Packed + s.Caches }

// Sizes is what the store of a log is made of, at one moment.
type Sizes struct {
	Docs  map[Name]Size // every document of the log
	Aside uint64        // bytes of documents that were set aside
	// Orphans is bytes of records and caches that belong to no document in the
	// list: to headers that do not read, and to removals that are not finished.
	Orphans uint64
	Rest    uint64 // bytes of the engine's own records, and a few of the log's
}

// Sizes measures every document in one pass over the store, which reads all of
// it once. Writing goes on meanwhile; what is written behind the pass does not
// count. progress, which may be nil, is told how many of the documents were
// passed. Errors are those of Store.List.
func (l *Log) Sizes(ctx context.Context, progress func(done, total uint64)) (Sizes, error) {
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	s := sizing{out: Sizes{Docs: map[Name]Size{}}, names: map[uint64]Name{}, aside: map[uint64]bool{}}
	for name, slim := range l.Docs() {
		s.out.Docs[name] = Size{}
		if slim.Num != 0 {
			s.names[slim.Num] = name
		}
	}
	for e, err := range l.store.List(ctx, nil) {
		if err != nil {
			return Sizes{}, fmt.Errorf("persist: measure the store: %w", err)
		}
		if s.add(e) {
			progress(s.passed, max(s.passed, uint64(len(s.names))))
		}
	}
	return s.out, nil
}

// sizing is one run of Sizes. Keys come in order: caches, headers, what was set
// aside, then records.
type sizing struct {
	out    Sizes
	names  map[uint64]Name
	aside  map[uint64]bool
	num    uint64 // of the last record
	packed bool   // that record is a pack; its further parts follow it
	passed uint64 // documents whose records were seen
}

// add counts an entry, and reports whether it is the first record of a document.
func (s *sizing) add(e Entry) (first bool) {
	size := uint64(len(e.Key) + len(e.Value))
	if len(e.Key) == 0 {
		return false
	}
	switch letter := e.Key[0]; {
	case letter == prefixHeader:
		if name, ok := parseHeaderKey(e.Key); ok {
			s.update(name, func(d *Size) { d.Header += size })
			return false
		}
	case letter == prefixAside:
		if a, ok := parseAsideKey(e.Key); ok {
			s.aside[a.Num] = true
		}
		s.out.Aside += size
		return false
	case (letter == prefixCache || letter == prefixRecord) && len(e.Key) >= 9:
		return s.numbered(letter, binary.BigEndian.Uint64(e.Key[1:]), size, e)
	}
	s.out.Rest += size
	return false
}

// numbered counts what lies under the number of a document.
func (s *sizing) numbered(letter byte, num, size uint64, e Entry) (first bool) {
	if letter == prefixRecord {
		first = num != s.num
		s.num = num
		if _, part, ok := parseRecordKey(e.Key); first || ok && part == 0 {
			s.packed = len(e.Value) > 0 && e.Value[0] == codecPack
		}
	}
	name, ok := s.names[num]
	switch {
	case !ok && s.aside[num]:
		s.out.Aside += size
		return false
	case !ok:
		s.out.Orphans += size
		return false
	case first:
		s.passed++
	}
	s.update(name, func(d *Size) {
		switch {
		case letter == prefixCache:
			d.Caches += size
		case s.packed:
			d.Packed += size
		default:
			d.Loose += size
		}
	})
	return first
}

func (s *sizing) update(name Name, change func(*Size)) {
	d := s.out.Docs[name]
	change(&d)
	s.out.Docs[name] = d
}
