package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
)

// Badger deletes what was overwritten or deleted when it merges tables, and
// does that by itself only when there are many. What lies in its memtable is
// not merged at all, and it has no call that writes the memtable out; a
// memtable is full, though, when memtableSize was written to it.
const (
	padPrefix = "!pad" // keys of what fills a memtable; they are deleted behind it
	padValue  = 256 << 10
	padBatch  = 4 // values in one transaction
	pollEvery = 20 * time.Millisecond
)

// Size returns the bytes that the store takes up on the disk, without the
// ballast file, and with what was set aside as damaged.
func (s *Store) Size() (uint64, error) {
	var sum uint64
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ballastName {
			return ignoreGone(err)
		}
		info, err := d.Info()
		if err != nil {
			return ignoreGone(err)
		}
		sum += diskBytes(info)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("badgerstore: measure %s: %w", s.dir, err)
	}
	return sum, nil
}

// ignoreGone returns nil for a file that was compacted away meanwhile.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Compact gives the space of what was overwritten and deleted back to the disk.
// Reading and writing go on meanwhile; it writes about as much as the store
// holds and needs that much free space for a moment. progress, which may be
// nil, is called from this goroutine with bytes merged and bytes to merge. A
// kill at any time leaves the store as good as before.
//
// When ctx ends, Compact returns its error at once, between two steps, with
// nothing lost; merging that has begun goes on in the background, and Close
// waits for it. Errors: *persist.NoSpaceError when there is not enough free
// space, *DamagedError when a table does not read, so that merging would lose
// what is in it.
func (s *Store) Compact(ctx context.Context, progress func(done, total uint64)) error {
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.calls.Done()
	if !s.compacting.TryLock() {
		return fmt.Errorf("badgerstore: compact: %w", ErrCompacting)
	}
	unlock := s.compacting.Unlock
	defer func() { unlock() }()

	if err := s.roomToMerge(); err != nil {
		return err
	}
	if err := s.fillMemtable(ctx); err != nil {
		return fmt.Errorf("badgerstore: compact: %w", err)
	}
	if err := s.verify(ctx); err != nil {
		return err
	}
	total := s.toMerge()
	merged := make(chan error, 1)
	unlock = func() {}
	s.calls.Go(func() { // counts itself before this call is done, so Close waits for it
		defer s.compacting.Unlock()
		merged <- s.db.Flatten(1)
	})
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-merged:
			if err != nil {
				return fmt.Errorf("badgerstore: compact: %w", err)
			}
			progress(total, total)
			return nil
		case <-tick.C:
			progress(total-min(s.toMerge(), total), total)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ErrCompacting comes from Compact while another one, or the merging that one
// left behind, is at work.
var ErrCompacting = errors.New("the store is being compacted; wait for that to end")

// roomToMerge refuses to compact when the tables do not fit a second time.
func (s *Store) roomToMerge() error {
	size, err := tableBytes(s.dir)
	if err != nil {
		return fmt.Errorf("badgerstore: compact: %w", err)
	}
	return s.guard.admit(int(size) + 2*memtableSize)
}

// fillMemtable makes Badger write its memtable out, and waits until it did. The
// memtable is changed by the first write that finds it full.
func (s *Store) fillMemtable(ctx context.Context) error {
	old, err := s.logs()
	if err != nil {
		return err
	}
	value := make([]byte, padValue)
	for range memtableSize/(padBatch*padValue) + 1 {
		if err := s.pad(ctx, func(tx *badger.Txn, key []byte) error { return tx.Set(key, value) }); err != nil {
			return err
		}
		now, err := s.logs()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(now, func(path string) bool { return !slices.Contains(old, path) }) {
			break
		}
	}
	if err := s.pad(ctx, (*badger.Txn).Delete); err != nil {
		return err
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for _, path := range old {
		for exists(path) {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// logs returns the write-ahead logs that there are.
func (s *Store) logs() ([]string, error) {
	return filepath.Glob(filepath.Join(globSafe(s.dir), "*.mem"))
}

// pad commits one transaction that does op to every padding key.
func (s *Store) pad(ctx context.Context, op func(*badger.Txn, []byte) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx := s.db.NewTransaction(true)
	defer tx.Discard()
	for i := range padBatch {
		if err := op(tx, fmt.Appendf(nil, "%s%d", padPrefix, i)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// verify reads every table. Merging one with a damaged block would delete the
// rest of it without a word.
func (s *Store) verify(ctx context.Context) error {
	for _, info := range s.db.Tables() {
		if err := ctx.Err(); err != nil {
			return err
		}
		t := tableFile{path: table.NewFilename(info.ID, s.dir), codec: options.Snappy}
		t.read()
		if what := t.damage(); what != "" && s.has(info.ID) {
			return &DamagedError{s.dir, filepath.Base(t.path), what + "; the next opening keeps what reads"}
		}
	}
	return nil
}

// has says whether a table is still in use. Badger takes one that was merged
// out of its list before it truncates and deletes the file.
func (s *Store) has(id uint64) bool {
	return slices.ContainsFunc(s.db.Tables(), func(t badger.TableInfo) bool { return t.ID == id })
}

// toMerge returns the bytes of the tables above the lowest level that has any.
func (s *Store) toMerge() uint64 {
	var sum uint64
	levels := s.db.Levels()
	for i, l := range levels {
		for _, below := range levels[i+1:] {
			if below.Size > 0 {
				sum += uint64(l.Size)
				break
			}
		}
	}
	return sum
}
