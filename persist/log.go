package persist

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"sync"
)

// Format is the number of the layout of keys and records described in this
// package. A store with a higher one is not touched.
const Format = 1

// hotHeaders is how many whole headers the committer keeps at hand. An append
// to another document reads its header first (tens of microseconds).
const hotHeaders = 1024

// Codec packs changes and gives them back. It is called by several goroutines
// at once, and must be a pure function of its argument.
type Codec interface {
	// Pack joins changes, of which there is at least one, into one pack.
	Pack(changes [][]byte) ([]byte, error)
	// Unpack returns the changes of a pack, byte for byte.
	Unpack(pack []byte) ([][]byte, error)
}

// Slim is what the log holds in memory of every document.
type Slim struct {
	Num       uint64 // as in Header; zero when the header does not read: Log.Header says why
	HeadsHash Hash   // as in Header
	Last      uint64 // as in Header
}

// Log keeps documents on a Store: a header each, changes and packs in the order
// in which they came, and caches. All writes go through one committer in the
// order in which they were submitted. Its methods may be called from several
// goroutines at once.
//
// One Log at a time may be open on a store, and nothing else may write to the
// store's keys except through Committer and Settings.
type Log struct {
	store     Store
	codec     Codec
	headers   headerCodec
	committer *Committer

	mu    sync.RWMutex
	index map[Name]Slim // 100,000 documents take about 12 MB

	// What only the committer's goroutine uses.
	staged map[Name]*Header // in the group being built; nil: removed
	hot    map[Name]*Header // some of those committed
	next   uint64           // number of the next document
}

// OpenLog opens the log on store, or begins one on an empty store. ctx covers
// the opening only; Close ends what OpenLog began, and leaves store open.
//
// It reads every header (0.2 to 0.4 s for 100,000) and none of the changes. A
// header that does not read is no error here: see Slim. Errors: *TooNewError
// for a store of a later format, ErrForeign for a store with other contents,
// ErrSealed for one that needs keys, all with nothing touched.
func OpenLog(ctx context.Context, store Store, codec Codec) (*Log, error) {
	headers, err := newHeaderCodec()
	if err != nil {
		return nil, fmt.Errorf("persist: open: %w", err)
	}
	l := &Log{
		store: store, codec: codec, headers: headers,
		index: map[Name]Slim{}, staged: map[Name]*Header{}, hot: map[Name]*Header{},
	}
	if err := l.checkFormat(ctx); err != nil {
		return nil, fmt.Errorf("persist: open: %w", err)
	}
	if err := l.readHeaders(ctx); err != nil {
		return nil, fmt.Errorf("persist: open: %w", err)
	}
	l.committer = NewCommitter(store)
	l.sweepAll(ctx)
	return l, nil
}

// Committer returns the committer of this log, for writes that belong together
// with its order. Keys of such writes begin with 'x'.
func (l *Log) Committer() *Committer { return l.committer }

// Close waits until everything submitted is written. Writes submitted later
// fail with ErrClosed; reading goes on while the store is open. It returns nil.
func (l *Log) Close() error { return l.committer.Close() }

// Docs yields every document of the log as it is now, in the order of names.
// Of documents committed meanwhile it may show the older state or the newer.
func (l *Log) Docs() iter.Seq2[Name, Slim] {
	return func(yield func(Name, Slim) bool) {
		l.mu.RLock()
		names := slices.AppendSeq(make([]Name, 0, len(l.index)), maps.Keys(l.index))
		l.mu.RUnlock()
		slices.SortFunc(names, func(a, b Name) int {
			if c := bytes.Compare(a.Space[:], b.Space[:]); c != 0 {
				return c
			}
			return bytes.Compare(a.Doc[:], b.Doc[:])
		})
		for _, n := range names {
			l.mu.RLock()
			s, ok := l.index[n]
			l.mu.RUnlock()
			if ok && !yield(n, s) {
				return
			}
		}
	}
}

// Header returns the header of a document as it is on disk. Errors:
// ErrNotFound, or *DamagedError or *TooNewError when it does not read; such a
// document takes no appends. Remove takes a damaged one away, not a newer one.
func (l *Log) Header(ctx context.Context, name Name) (Header, error) {
	h, err := l.header(ctx, name)
	if err != nil {
		return Header{}, err
	}
	return *h, nil
}

func (l *Log) header(ctx context.Context, name Name) (*Header, error) {
	v, err := l.get(ctx, headerKey(name))
	if err != nil {
		return nil, err
	}
	return l.headers.decode(name, v)
}

// get is Store.Get, except that a value which the store found altered comes
// back empty, as in a listing: it fits no codec, so whoever reads it reports
// what was damaged.
func (l *Log) get(ctx context.Context, key []byte) ([]byte, error) {
	v, err := l.store.Get(ctx, key)
	if errors.Is(err, ErrAltered) {
		return nil, nil
	}
	return v, err
}

// checkFormat reads the format record, or writes it to an empty store.
func (l *Log) checkFormat(ctx context.Context) error {
	v, err := l.store.Get(ctx, []byte{prefixFormat})
	if errors.Is(err, ErrNotFound) {
		for _, err := range l.store.List(ctx, nil) {
			if err != nil {
				return err
			}
			return ErrForeign
		}
		b := &Batch{}
		b.Put([]byte{prefixFormat}, binary.AppendUvarint([]byte{codecFormat}, Format))
		return l.store.Apply(ctx, b)
	}
	if err != nil {
		return err
	}
	if len(v) > 0 && v[0] == CodecSealed {
		return ErrSealed
	}
	if len(v) == 0 || v[0] != codecFormat {
		return ErrForeign
	}
	format, n := binary.Uvarint(v[1:])
	switch {
	case n <= 0 || format == 0:
		return ErrForeign
	case format > Format:
		return &TooNewError{What: "store format", Have: format, Known: Format}
	}
	return nil
}

// readHeaders fills the index and finds the next free document number.
func (l *Log) readHeaders(ctx context.Context) error {
	highest := uint64(0)
	for e, err := range l.store.List(ctx, []byte{prefixHeader}) {
		if err != nil {
			return err
		}
		name, ok := parseHeaderKey(e.Key)
		if !ok && e.Err != nil {
			continue // nobody knows which document it was; the others open
		}
		if !ok {
			return &DamagedError{What: fmt.Sprintf("a header key of %d bytes", len(e.Key))}
		}
		h, err := l.headers.decode(name, e.Value)
		if err != nil {
			l.index[name] = Slim{} // its own methods report it
			continue
		}
		highest = max(highest, h.Num)
		l.index[name] = h.slim()
	}
	aside := false
	for a, err := range l.Asides(ctx) {
		if err != nil {
			return err
		}
		highest, aside = max(highest, a.Num), true
	}
	v, err := l.get(ctx, []byte{prefixNext})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	codec, body, ok := unseal(v)
	next, n := binary.Uvarint(body)
	if !ok || codec != codecNext || n <= 0 {
		next = 1
		if len(l.index) > 0 || aside {
			// The counter is lost: leap over numbers whose documents were
			// removed or do not read, since records may still lie under them.
			next = highest + math.MaxUint32
		}
	}
	l.next = max(next, highest+1)
	return nil
}

func (h *Header) slim() Slim { return Slim{Num: h.Num, HeadsHash: h.HeadsHash, Last: h.Last} }
