package tombolo_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	gosync "sync"
	"testing"

	"tombolo"
	"tombolo/persist"
	"tombolo/persist/memstore"
)

// disk is a store in memory that fails or hesitates when told to, and that outlives the engine that closes it.
type disk struct {
	persist.Store

	mu      gosync.Mutex
	count   int              // writes of documents so far
	refuse  func(n int) bool // for the n-th of them, from 1; nil refuses none
	held    chan struct{}    // writes wait until it is closed; nil if they need not
	waiting chan struct{}    // closed when the first one waits
	refused chan struct{}    // has a value when a write was refused
	hidden  bool             // reads of documents fail
}

var errDisk = errors.New("the disk of the test refuses to write")

func newDisk() *disk { return &disk{Store: memstore.New(), refused: make(chan struct{}, 1)} }

// Apply counts writes of documents only: settings (keys with 'x') are written whenever an address or a status is learned.
func (d *disk) Apply(ctx context.Context, b *persist.Batch) error {
	documents := false
	for op := range b.Ops() {
		documents = documents || op.Key[0] != 'x'
	}
	if documents && !d.takes() {
		select {
		case d.refused <- struct{}{}:
		default:
		}
		return errDisk
	}
	return d.Store.Apply(ctx, b)
}

func (d *disk) takes() bool {
	d.mu.Lock()
	held := d.held
	if held != nil && d.waiting != nil {
		close(d.waiting)
		d.waiting = nil
	}
	d.mu.Unlock()
	if held != nil {
		<-held
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	return d.refuse == nil || !d.refuse(d.count)
}

// Get fails for documents while the disk is blind.
func (d *disk) Get(ctx context.Context, key []byte) ([]byte, error) {
	d.mu.Lock()
	hidden := d.hidden && key[0] != 'x'
	d.mu.Unlock()
	if hidden {
		return nil, errDisk
	}
	return d.Store.Get(ctx, key)
}

// blind has reads of documents fail from now on, or succeed again.
func (d *disk) blind(yes bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hidden = yes
}

// breaks has writes of documents fail from now on, those for which which says so: it gets 1 for the next.
func (d *disk) breaks(which func(n int) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count, d.refuse = 0, which
}

// repaired has every write succeed again.
func (d *disk) repaired() { d.breaks(nil) }

// hold has writes of documents wait for release; the channel is closed when one waits.
func (d *disk) hold() (waiting <-chan struct{}, release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	held, first := make(chan struct{}), make(chan struct{})
	d.held, d.waiting = held, first
	return first, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.held, d.waiting = nil, nil
		close(held)
	}
}

// Close leaves what was written to the next engine.
func (d *disk) Close() error { return nil }

func every(int) bool { return true }

// inMemory is an engine whose documents lie in memory, for tests that are not about the disk.
func inMemory(t *testing.T, opts tombolo.Options) *tombolo.Engine {
	t.Helper()
	opts.Store = memstore.New()
	return open(t, t.TempDir(), opts)
}

func awaits(t *testing.T, what string, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-patience(t).Done():
		t.Fatalf("%s did not happen", what)
	}
}

// Where the store does not open, as on a disk that is too full, Open says why and leaves nothing open.
func TestStoreDoesNotOpen(t *testing.T) {
	dir := t.TempDir()
	opts := tombolo.Options{Offline: true}
	must(t, open(t, dir, opts).Close())
	store := filepath.Join(dir, "store")
	must(t, os.Rename(store, store+".aside"))
	must(t, os.WriteFile(store, nil, 0o600))
	if e, err := tombolo.Open(t.Context(), dir, &opts); err == nil {
		must(t, e.Close())
		t.Fatal("opened a file as a store")
	}
	must(t, os.Remove(store))
	must(t, os.Rename(store+".aside", store))
	must(t, open(t, dir, opts).Close())
}
