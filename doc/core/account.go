package core

import (
	"runtime"
	"sync"
	"sync/atomic"

	"tombolo/doc/gate"
)

// What a document takes of the C heap, measured on loaded documents (TestEstimate): a small one, and what each change and each
// operation adds; a change keeps its bytes, and its operations their values.
const (
	perDoc    = 5000
	perChange = 1200
	perOp     = 520
	perRaw    = 2
)

// estimate is what changes add to a document.
func estimate(changes []gate.Change) (n int64) {
	for _, c := range changes {
		n += perChange + perOp*int64(c.Ops) + perRaw*int64(len(c.Raw))
	}
	return n
}

var inUse atomic.Int64

// InUse estimates the C memory, in bytes, of all documents that are open, or given up and not collected yet. Safe for concurrent use.
func InUse() int64 { return inUse.Load() }

// share is what one document takes of InUse.
type share struct{ bytes atomic.Int64 }

// newShare accounts for lib until it is freed, or until the collector finds that nobody closed it.
func newShare(lib *library) *share {
	s := new(share)
	s.grow(perDoc)
	runtime.AddCleanup(lib, func(s *share) { s.settle() }, s)
	return s
}

// grow adds n bytes. They are owed until the document is closed, lest documents that nobody closes pile up behind the collector's back.
func (s *share) grow(n int64) {
	s.bytes.Add(n)
	inUse.Add(n)
	owed.add(n)
}

// settle takes the document off the account; once.
func (s *share) settle() int64 {
	n := s.bytes.Swap(0)
	inUse.Add(-n)
	return n
}

// freed says that the memory is given back.
func (s *share) freed() { owed.pay(s.settle()) }

// dropped says that the memory waits for the binding's finalizer.
func (s *share) dropped() { owed.add(s.bytes.Load()) }

// collectEvery is how many bytes of C memory may wait for a garbage collection, which does not see them; and how many freed ones for
// being handed back to the system. A collection takes milliseconds, filling 64 MiB of C memory about a second.
const collectEvery = 64 << 20

// owed is the C memory that only a collection would give back.
var owed debt

type debt struct {
	mu      sync.Mutex
	waiting int64 // bytes since the last collection
	paid    int64 // bytes freed since the last trim

	collecting sync.Mutex // held during a collection, so that those who owe more wait for it
}

// add owes n bytes more, and collects when that makes too much.
func (d *debt) add(n int64) {
	d.mu.Lock()
	d.waiting += n
	due := d.waiting >= collectEvery
	if due {
		d.waiting = 0
	}
	d.mu.Unlock()
	if due {
		d.collecting.Lock()
		defer d.collecting.Unlock()
		runtime.GC()
		trim()
	}
}

// pay takes back n bytes that were freed after all. They may have been owed before the last collection: then what is waiting is
// underestimated, by no more than was open at that time.
func (d *debt) pay(n int64) {
	d.mu.Lock()
	d.waiting = max(0, d.waiting-n)
	d.paid += n
	due := d.paid >= collectEvery
	if due {
		d.paid = 0
	}
	d.mu.Unlock()
	if due {
		trim()
	}
}
