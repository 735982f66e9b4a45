package badgerstore

import (
	"log/slog"

	"github.com/dgraph-io/badger/v4"
)

// Options adjusts a store. The zero value is a good store.
type Options struct {
	// Log receives what Badger says, one level quieter than Badger says it;
	// nil discards it.
	Log *slog.Logger
	// Free returns the bytes the file system of the store has left for this
	// user. It is called before every Apply and from several goroutines. Nil
	// asks the operating system (20 to 40 µs).
	Free func() (uint64, error)
}

// withDefaults returns a copy of o, which may be nil, for the store in dir.
func (o *Options) withDefaults(dir string) Options {
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	opts.Log = opts.Log.With("part", "badger")
	if opts.Free == nil {
		opts.Free = func() (uint64, error) { return freeBytes(dir) }
	}
	return opts
}

// Sizes of Badger's parts. Measured with 300,000 keys, 45 MB: 12 MB of Go heap
// after opening (Badger's own defaults: 90 MB) and 72 MB resident (122 MB).
const (
	memtableSize   = 8 << 20 // counted as live heap; one transaction holds 15 % of it, see persist.MaxBatch
	memtables      = 2
	valueThreshold = 1 << 20 // over every value: damage in the value log reads as an empty value without an error
	valueLogSize   = 1 << 20 // the least there is, for a log that stays empty
	blockCache     = 8 << 20 // must not be zero while blocks are compressed
	indexCache     = 4 << 20
	compactors     = 2 // the least there is
	tables0        = 2
	tables0Stall   = 8
)

// badgerOptions returns the options for dir. Snappy compression and the
// checksum mode stay as Badger sets them: checksums verified while tables are
// read turn a flipped bit into a panic of a Badger goroutine.
func badgerOptions(dir string, log *slog.Logger) badger.Options {
	return badger.DefaultOptions(dir).
		WithSyncWrites(true).       // without it every power cut lost acknowledged writes
		WithDetectConflicts(false). // nothing is read in a writing transaction
		WithBypassLockGuard(true).  // Open holds the same lock, since before its own checks
		WithMemTableSize(memtableSize).
		WithNumMemtables(memtables).
		WithValueThreshold(valueThreshold).
		WithValueLogFileSize(valueLogSize).
		WithBlockCacheSize(blockCache).
		WithIndexCacheSize(indexCache).
		WithNumCompactors(compactors).
		WithNumLevelZeroTables(tables0).
		WithNumLevelZeroTablesStall(tables0Stall).
		WithCompactL0OnClose(true). // 13 MB open became 1.3 MB closed
		WithMetricsEnabled(false).
		WithLogger(quieter{log})
}
