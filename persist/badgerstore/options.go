package badgerstore

import (
	"log/slog"

	"github.com/dgraph-io/badger/v4"
)

// Options adjusts a store. The zero value is a good store on a desktop.
type Options struct {
	// Node is for a machine that serves others and does little else: larger
	// caches, so that documents which many devices ask for are read from
	// memory, and more compactors. It takes up to 84 MiB more. A store may be
	// opened with it at one time and without it at another.
	Node bool
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
//
// A node's memtables are those of a desktop: a log left by a killed program is
// read into one memtable, and Badger ends the process when that is smaller than
// the one it was written for.
const (
	memtableSize   = 8 << 20 // counted as live heap; one transaction holds 15 % of it, see persist.MaxBatch
	memtables      = 2
	valueThreshold = 1 << 20 // over every value: damage in the value log reads as an empty value without an error
	valueLogSize   = 1 << 20 // the least there is, for a log that stays empty
)

// sizes are those that differ between a desktop and a node.
type sizes struct {
	blockCache, indexCache int64 // blocks must not be zero while they are compressed
	compactors             int   // 2 is the least there is
	tables0, tables0Stall  int   // on level 0: when they are merged, and when writing waits for that
}

var (
	desktopSizes = sizes{blockCache: 8 << 20, indexCache: 4 << 20, compactors: 2, tables0: 2, tables0Stall: 8}
	// A node holds the blocks of some hundred busy documents, and takes a burst
	// of 15 memtables (120 MiB) before a writer waits.
	nodeSizes = sizes{blockCache: 64 << 20, indexCache: 32 << 20, compactors: 4, tables0: 5, tables0Stall: 15}
)

// badgerOptions returns the options for dir. Snappy compression and the
// checksum mode stay as Badger sets them: checksums verified while tables are
// opened turn a flipped bit into a panic of a Badger goroutine, and verified
// while blocks are read, into a key that is not found. What look found to be
// right is what Badger reads.
func badgerOptions(dir string, o Options) badger.Options {
	n := desktopSizes
	if o.Node {
		n = nodeSizes
	}
	return badger.DefaultOptions(dir).
		WithSyncWrites(true).       // without it every power cut lost acknowledged writes
		WithDetectConflicts(false). // nothing is read in a writing transaction
		WithBypassLockGuard(true).  // Open holds the same lock, since before its own checks
		WithMemTableSize(memtableSize).
		WithNumMemtables(memtables).
		WithValueThreshold(valueThreshold).
		WithValueLogFileSize(valueLogSize).
		WithBlockCacheSize(n.blockCache).
		WithIndexCacheSize(n.indexCache).
		WithNumCompactors(n.compactors).
		WithNumLevelZeroTables(n.tables0).
		WithNumLevelZeroTablesStall(n.tables0Stall).
		WithCompactL0OnClose(true). // 13 MB open became 1.3 MB closed
		WithMetricsEnabled(false).
		WithLogger(quieter{o.Log})
}
