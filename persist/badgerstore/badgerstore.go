package badgerstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"tombolo/persist"
)

// Store is a persist.Store in a directory. Its methods may be called from
// several goroutines at once. Create one with Open.
type Store struct {
	dir   string
	db    *badger.DB
	lock  *os.File
	bare  bool // there is no ballast; guarded by commits.mu once the store is open
	guard guard

	shortened  *ShortenedError // what Open found missing; nil for nothing
	commits    commits
	compacting sync.Mutex // one Compact at a time

	mu       sync.Mutex
	closed   bool
	calls    sync.WaitGroup // those that have begun and use db
	closing  sync.Once
	closeErr error
}

var _ persist.Store = (*Store)(nil)

// Open opens the store in dir, which is created (mode 0700) when it is missing.
// opts may be nil. It takes 10 to 80 ms, and 2 ms for each MB that is in it:
// all of it is read.
//
// Errors: *LockedError when the store is open already, *DamagedError when data
// would be lost by opening, *persist.NoSpaceError when fewer than 32 MiB are
// free. In these cases nothing is changed, except that on a full disk the
// ballast file is given up. A store with less than its headroom free opens and
// reads, and refuses to write; Room says so. A store that is open but shorter
// than it was is no error here: ask Check.
func Open(dir string, opts *Options) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("badgerstore: %w", err)
	}
	o := opts.withDefaults(dir)
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, lock: lock, guard: guard{dir: dir, free: o.Free}}
	if err := s.open(dir, o); err != nil {
		if _, damaged := errors.AsType[*DamagedError](err); !damaged { // that says so itself
			err = fmt.Errorf("badgerstore: open %s: %w", dir, err)
		}
		return nil, errors.Join(err, removeOwner(dir), lock.Close())
	}
	return s, nil
}

func (s *Store) open(dir string, o Options) (err error) {
	if err := writeOwner(dir); err != nil { // on a full disk, say
		o.Log.Warn("others will not be told who has the store", "err", err)
	}
	found, err := look(dir)
	if err != nil {
		return err
	}
	if err := s.guard.makeRoom(); err != nil {
		return err
	}
	if err := removeEmpty(dir); err != nil {
		return err
	}
	if s.shortened, err = found.mend(o.Log); err != nil {
		return err
	}
	if s.db, err = badger.Open(badgerOptions(dir, o)); err != nil {
		return err
	}
	count, err := s.lastCommit()
	if err != nil {
		return errors.Join(err, s.db.Close())
	}
	if err := s.commits.open(dir, count, o.Log); err != nil {
		o.Log.Warn("the number of commits is not kept beside the store", "err", err)
	}
	s.layBallast(o.Log)
	return nil
}

// layBallast lays the ballast down. Where there is too little room for it the next commit tries again.
func (s *Store) layBallast(log *slog.Logger) {
	err := s.guard.takeBallast()
	if err != nil {
		log.Warn("no ballast file for a full disk", "err", err)
	}
	s.bare = err == nil && !exists(filepath.Join(s.dir, ballastName))
}

// lastCommit returns the number that Badger has, 0 when there is none yet.
func (s *Store) lastCommit() (uint64, error) {
	tx := s.db.NewTransaction(false)
	defer tx.Discard()
	item, err := tx.Get(commitsKey)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the number of commits: %w", err)
	}
	var count uint64
	err = item.Value(func(value []byte) error {
		if len(value) != 8 {
			return fmt.Errorf("the number of commits has %d bytes", len(value))
		}
		count = binary.BigEndian.Uint64(value)
		return nil
	})
	return count, err
}

// Check returns a *ShortenedError when this opening found that a part of what
// the store had acknowledged is missing; all that reads is there. ctx is not
// used: Open has looked.
func (s *Store) Check(context.Context) error {
	if s.shortened == nil {
		return nil
	}
	return s.shortened
}

// begin counts a call that uses the database; the caller ends it with calls.Done.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return persist.ErrClosed
	}
	s.calls.Add(1)
	return nil
}

// Get implements persist.Store.
func (s *Store) Get(ctx context.Context, key []byte) ([]byte, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	defer s.calls.Done()
	if hidden(key) {
		return nil, persist.ErrNotFound
	}
	tx := s.db.NewTransaction(false)
	defer tx.Discard()
	item, err := tx.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) || errors.Is(err, badger.ErrEmptyKey) {
		return nil, persist.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("badgerstore: get: %w", err)
	}
	return item.ValueCopy(nil)
}

// List implements persist.Store.
func (s *Store) List(ctx context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	prefix = slices.Clone(prefix)
	return func(yield func(persist.Entry, error) bool) {
		if err := s.begin(ctx); err != nil {
			yield(persist.Entry{}, err)
			return
		}
		defer s.calls.Done()
		tx := s.db.NewTransaction(false)
		defer tx.Discard()
		opts := badger.DefaultIteratorOptions
		opts.Prefix = prefix
		it := tx.NewIterator(opts)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if err := s.live(ctx); err != nil {
				yield(persist.Entry{}, err)
				return
			}
			item := it.Item()
			if hidden(item.Key()) {
				continue
			}
			value, err := item.ValueCopy(nil)
			if err != nil {
				yield(persist.Entry{}, fmt.Errorf("badgerstore: list: %w", err))
				return
			}
			if !yield(persist.Entry{Key: item.KeyCopy(nil), Value: value}, nil) {
				return
			}
		}
	}
}

// live returns why a listing should stop.
func (s *Store) live(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return persist.ErrClosed
	}
	return ctx.Err()
}

// Apply implements persist.Store. It returns a *persist.NoSpaceError, with
// nothing written, when it would leave less free than 64 MiB and an eighth of
// the store's size.
func (s *Store) Apply(ctx context.Context, b *persist.Batch) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.calls.Done()
	if err := b.Check(); err != nil {
		return err
	}
	if err := s.guard.admit(b.Bytes()); err != nil {
		return err
	}
	if err := s.apply(b); err != nil {
		return fmt.Errorf("badgerstore: apply: %w", err)
	}
	return nil
}

// apply commits b with its number. One at a time: the numbers ascend in
// Badger's log without a gap, even where a commit failed.
func (s *Store) apply(b *persist.Batch) error {
	s.commits.mu.Lock()
	defer s.commits.mu.Unlock()
	tx := s.db.NewTransaction(true)
	defer tx.Discard()
	for op := range b.Ops() {
		var err error
		if op.Delete {
			err = tx.Delete(op.Key)
		} else {
			err = tx.Set(op.Key, op.Value)
		}
		if err != nil {
			return err
		}
	}
	if err := tx.Set(commitsKey, s.commits.next()); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.commits.done()
	if s.bare { // the disk was full when the store was opened, and is not any more
		s.layBallast(s.commits.log)
	}
	return nil
}

// Room returns a *persist.NoSpaceError as long as the disk is too full for
// another batch of any size, so that a program can say so before it tries, and
// nil when there is room again. It takes 20 to 40 µs.
func (s *Store) Room() error {
	if err := s.begin(context.Background()); err != nil {
		return err
	}
	defer s.calls.Done()
	return s.guard.admit(persist.MaxBatch)
}

// Close implements persist.Store. It compacts, which takes up to a second or so,
// and gives up the ballast where the disk is full.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.calls.Wait()
		_ = s.guard.makeRoom() // Badger writes tables now, and dies where it cannot; what there is has to do
		s.closeErr = errors.Join(s.db.Close(), s.commits.close(), removeOwner(s.dir), s.lock.Close())
	})
	return s.closeErr
}
