package persist

import (
	"context"
	"fmt"
	"iter"
	"slices"
)

// Settings is the engine's own part of the store: everything under the prefix
// 'x', which it does not see. Writes go through the log's committer, in one
// order with the appends. Its methods may be called from several goroutines.
// Keys have at most MaxKey-1 bytes; by the rule of this store, values begin
// with a codec byte.
type Settings struct {
	log *Log
}

// Settings returns the view of the engine's own records.
func (l *Log) Settings() Settings { return Settings{l} }

// Get returns a copy of the value at key, or ErrNotFound.
func (s Settings) Get(ctx context.Context, key []byte) ([]byte, error) {
	return s.log.store.Get(ctx, settingsKey(key))
}

// List yields every entry whose key begins with prefix, as Store.List does.
func (s Settings) List(ctx context.Context, prefix []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range s.log.store.List(ctx, settingsKey(prefix)) {
			if err == nil {
				e.Key = e.Key[1:]
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Put sets key to value, durably.
func (s Settings) Put(ctx context.Context, key, value []byte) error {
	b := &Batch{}
	b.Put(key, value)
	return s.Apply(ctx, b)
}

// Delete takes key away, durably.
func (s Settings) Delete(ctx context.Context, key []byte) error {
	b := &Batch{}
	b.Delete(key)
	return s.Apply(ctx, b)
}

// Apply does all of b or none of it, as Committer.Commit does.
func (s Settings) Apply(ctx context.Context, b *Batch) error {
	own := &Batch{}
	for _, op := range b.ops {
		if len(op.Key) == 0 {
			return fmt.Errorf("%w: it is empty", ErrKey)
		}
		op.Key = settingsKey(op.Key)
		own.add(op)
	}
	return s.log.committer.Commit(ctx, own)
}

func settingsKey(key []byte) []byte { return slices.Concat([]byte{prefixSettings}, key) }
