package sealed

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"

	"tombolo/persist"
)

// Store is a persist.Store that keeps its records sealed in another one. Its
// methods may be called from several goroutines at once. Create one with New.
//
// A value that was altered, or comes from another place or another store, is
// reported as persist.ErrAltered by Get, and by List in Entry.Err. So is a key
// that was altered, by List: nobody knows which it was. A record that is
// missing, or an earlier version of itself, shows in Check where the log does
// not notice it. A store that was put back as a whole shows nowhere.
type Store struct {
	inner   persist.Store
	records records
	names   names
	tally   tally
	closed  atomic.Bool
}

var _ persist.Store = (*Store)(nil)

// New returns a store that keeps what it is given sealed with keys in inner,
// which nothing else may write to, and which it closes. Nothing is read; the
// wrong keys show in the first Get, as persist.ErrAltered.
func New(inner persist.Store, keys *Keys) *Store {
	return &Store{inner: inner, records: keys.records, names: keys.names, tally: tally{tagger: keys.tally}}
}

// Get implements persist.Store.
func (s *Store) Get(ctx context.Context, key []byte) ([]byte, error) {
	inner := s.names.hide(key)
	v, err := s.inner.Get(ctx, inner)
	if err != nil {
		return nil, err
	}
	return s.records.open(inner, v)
}

// List implements persist.Store.
//
// The inner store has the keys in the order of what is shown of them, and in
// none of ours beyond that. So entries with the same beginning are collected,
// and given out in order when their run is over. A numbered key is all shown,
// and thus a run of its own.
func (s *Store) List(ctx context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	prefix = bytes.Clone(prefix)
	return func(yield func(persist.Entry, error) bool) {
		var run []persist.Entry
		var shown []byte
		flush := func() bool {
			slices.SortFunc(run, func(a, b persist.Entry) int { return bytes.Compare(a.Key, b.Key) })
			for i, e := range run {
				if err := s.live(ctx); err != nil {
					yield(persist.Entry{}, err)
					return false
				}
				if !yield(e, nil) {
					return false
				}
				run[i] = persist.Entry{} // the loop may be long
			}
			run = run[:0]
			return true
		}
		for e, err := range s.inner.List(ctx, s.names.hidePrefix(prefix)) {
			if err != nil {
				yield(persist.Entry{}, err) // without the run: some of it is missing
				return
			}
			if isTally(e) {
				continue
			}
			if e = s.open(e, prefix); !bytes.HasPrefix(e.Key, prefix) {
				continue
			}
			if now, _, _ := cut(e.Key); !bytes.Equal(now, shown) {
				if !flush() {
					return
				}
				shown = bytes.Clone(now)
			}
			run = append(run, e)
		}
		flush()
	}
}

// open returns an entry of the inner store as it was before it was sealed. An
// altered key is given as far as it is known: what is shown of it, or prefix.
func (s *Store) open(inner persist.Entry, prefix []byte) persist.Entry {
	key, ok := s.names.reveal(inner.Key)
	if !ok {
		shown, _, _ := cut(inner.Key)
		if len(prefix) > len(shown) {
			shown = prefix
		}
		return persist.Entry{Key: bytes.Clone(shown), Err: fmt.Errorf("sealed: a key: %w", persist.ErrAltered)}
	}
	e := persist.Entry{Key: key, Err: inner.Err}
	if e.Err == nil {
		e.Value, e.Err = s.records.open(inner.Key, inner.Value)
	}
	return e
}

// live returns why a listing should stop.
func (s *Store) live(ctx context.Context) error {
	if s.closed.Load() {
		return persist.ErrClosed
	}
	return ctx.Err()
}

// Apply implements persist.Store.
func (s *Store) Apply(ctx context.Context, b *persist.Batch) error {
	if err := s.live(ctx); err != nil {
		return err
	}
	if err := b.Check(); err != nil {
		return err
	}
	nonces := random(nonceSize * b.Len())
	w, err := b.Wrap(func(op persist.Op) (persist.Op, error) {
		op.Key = s.names.hide(op.Key)
		if !op.Delete {
			op.Value = s.records.seal(op.Key, op.Value, nonces[:nonceSize])
		}
		nonces = nonces[nonceSize:]
		return op, nil
	})
	if err != nil {
		return err
	}
	return s.apply(ctx, w)
}

// Close implements persist.Store. It closes the inner store.
func (s *Store) Close() error {
	s.closed.Store(true)
	return s.inner.Close()
}
