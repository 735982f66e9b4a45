package memstore

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"

	"tombolo/persist"
)

// Store is a persist.Store in memory. Its methods may be called from several
// goroutines at once. Create one with New.
type Store struct {
	mu     sync.RWMutex
	values map[string][]byte // never altered once in here, so that List may hand them on
	keys   []string          // of values, in order
	closed bool
}

var _ persist.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store { return &Store{values: map[string][]byte{}} }

// Get implements persist.Store.
func (s *Store) Get(ctx context.Context, key []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, persist.ErrClosed
	}
	v, ok := s.values[string(key)]
	if !ok {
		return nil, persist.ErrNotFound
	}
	return slices.Clone(v), nil
}

// List implements persist.Store.
func (s *Store) List(ctx context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	prefix = slices.Clone(prefix)
	return func(yield func(persist.Entry, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(persist.Entry{}, err)
			return
		}
		keys, values, err := s.below(string(prefix))
		if err != nil {
			yield(persist.Entry{}, err)
			return
		}
		for i, k := range keys {
			if err := s.live(ctx); err != nil {
				yield(persist.Entry{}, err)
				return
			}
			if !yield(persist.Entry{Key: []byte(k), Value: slices.Clone(values[i])}, nil) {
				return
			}
		}
	}
}

// below returns the keys that begin with prefix, in order, and their values.
func (s *Store) below(prefix string) ([]string, [][]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, nil, persist.ErrClosed
	}
	from, _ := slices.BinarySearch(s.keys, prefix)
	to := from
	for to < len(s.keys) && strings.HasPrefix(s.keys[to], prefix) {
		to++
	}
	keys := slices.Clone(s.keys[from:to])
	values := make([][]byte, len(keys))
	for i, k := range keys {
		values[i] = s.values[k]
	}
	return keys, values, nil
}

// live returns why a listing should stop.
func (s *Store) live(ctx context.Context) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return persist.ErrClosed
	}
	return ctx.Err()
}

// Apply implements persist.Store.
func (s *Store) Apply(ctx context.Context, b *persist.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.Check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return persist.ErrClosed
	}
	for op := range b.Ops() {
		i, found := slices.BinarySearch(s.keys, string(op.Key))
		switch {
		case !op.Delete:
			if !found {
				s.keys = slices.Insert(s.keys, i, string(op.Key))
			}
			s.values[string(op.Key)] = op.Value
		case found:
			s.keys = slices.Delete(s.keys, i, i+1)
			delete(s.values, string(op.Key))
		}
	}
	return nil
}

// Close implements persist.Store and drops what the store held. It returns nil.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.keys, s.values = true, nil, nil
	return nil
}
