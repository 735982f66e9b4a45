package persist

import (
	"context"
	"iter"
)

// Limits of every Store. A batch costs, for each of its entries, the bytes of
// key and value and EntryCost more.
//
// They are what Badger takes with a memtable of 8 MiB: one transaction holds
// 15 % of it (1,258,291 bytes, counting at most 12 bytes beside key and value)
// and 13,107 entries (that size over 96, the bytes of a skip list node). A
// batch of MaxBatch has at most 786,432/65 = 12,099 entries, so it fits both.
//
// What Batch.Wrap made is larger: each key and each value may be EntryCost over
// its limit, and each entry costs EntryCost less than its bytes, which fits too
// (786,432 and 12 bytes for each of 12,099 entries are 931,620).
const (
	MaxKey    = 512       // bytes of a key
	MaxValue  = 256 << 10 // bytes of a value: Badger reads larger ones from its value log, which fails silently
	MaxBatch  = 768 << 10 // Bytes of a Batch
	EntryCost = 64        // what an entry costs beside its key and value
)

// Entry is one key with its value.
type Entry struct {
	Key, Value []byte
	// Err is not nil, and wraps ErrAltered, when the store noticed that the
	// value is not what was written. Value is nil then, and a listing goes on.
	// Where the key was altered, Key has no more than is known of it.
	Err error
}

// Store keeps bytes under keys and never looks into them. Keys are ordered as
// bytes.Compare orders them. All methods may be called from several goroutines
// at once. persist/storetest says in tests what is said here in words.
//
// Every method returns ctx.Err() when its context has ended before it began.
type Store interface {
	// Get returns a copy of the value at key, or ErrNotFound, or ErrAltered
	// when the store noticed that it is not what was written.
	Get(ctx context.Context, key []byte) ([]byte, error)

	// List yields every entry whose key begins with prefix, in key order, as
	// the store was at one moment of the call to the sequence. Entries are
	// copies. An error ends the sequence and comes with a zero Entry; a
	// context that ends is such an error. The loop may call the other methods
	// of the store, but not Close.
	List(ctx context.Context, prefix []byte) iter.Seq2[Entry, error]

	// Apply does all of b or none of it, in order: of two entries with one key
	// the later wins. When it returns nil, b is durable: it outlives the
	// process and, as far as the disk is honest, the power. After an error b
	// is not promised, and a reader must look to know; it is never half done.
	// A batch that Batch.Check refuses is refused with that error.
	Apply(ctx context.Context, b *Batch) error

	// Close waits for calls that have begun, then releases the store. From its
	// start on every method returns ErrClosed. A second Close does nothing
	// more than return what the first one did.
	Close() error
}
