package persist_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

func one(key, value string) *persist.Batch {
	b := &persist.Batch{}
	b.Put([]byte(key), []byte(value))
	return b
}

// gate holds back the first Apply until it is opened.
func gate() (before func(int) error, entered <-chan struct{}, open func()) {
	in, out := make(chan struct{}), make(chan struct{})
	return func(n int) error {
		if n == 1 {
			close(in)
			<-out
		}
		return nil
	}, in, func() { close(out) }
}

// queued begins n commits while the first Apply is held, and gives their ends.
func queued(c *persist.Committer, entered <-chan struct{}, n int) <-chan error {
	ends := make(chan error, n)
	var begun sync.WaitGroup
	go c.Commit(ctx, one("first", "1"))
	<-entered
	for i := range n {
		begun.Add(1)
		go func() {
			ends <- c.Commit(&waiting{Context: ctx, tell: sync.OnceFunc(begun.Done)}, one(fmt.Sprint(i), "1"))
		}()
	}
	begun.Wait()
	return ends
}

// waiting is a context that tells when someone waits for its end: then Commit has handed its batch over.
type waiting struct {
	context.Context
	tell func()
}

func (w *waiting) Done() <-chan struct{} {
	w.tell()
	return w.Context.Done()
}

func TestCommitterGroups(t *testing.T) {
	s := &flaky{Store: memstore.New()}
	before, entered, open := gate()
	s.arm(before, nil)
	c := persist.NewCommitter(s)
	defer c.Close()
	const n = 200
	ends := queued(c, entered, n)
	open()
	for range n {
		if err := <-ends; err != nil {
			t.Fatal(err)
		}
	}
	if got := s.count(); got > n/4 {
		t.Fatalf("%d commits took %d Applies", n, got)
	}
	for i := range n {
		if _, err := s.Get(ctx, []byte(fmt.Sprint(i))); err != nil {
			t.Fatalf("acknowledged, but: %v", err)
		}
	}
}

func TestCommitterFailsGroup(t *testing.T) {
	s := &flaky{Store: memstore.New()}
	hold, entered, open := gate()
	s.arm(func(n int) error {
		if n > 1 {
			return errDisk
		}
		return hold(n)
	}, nil)
	c := persist.NewCommitter(s)
	defer c.Close()
	ends := queued(c, entered, 20)
	open()
	for range 20 {
		wantErr(t, <-ends, errDisk)
	}
	s.arm(nil, nil)
	if err := c.Commit(ctx, one("after", "1")); err != nil {
		t.Fatalf("the committer did not recover: %v", err)
	}
}

func TestCommitterSplitsGroups(t *testing.T) {
	s := &flaky{Store: memstore.New()}
	before, entered, open := gate()
	s.arm(before, nil)
	c := persist.NewCommitter(s)
	ends := make(chan error, 9)
	go func() { ends <- c.Commit(ctx, one("first", "1")) }()
	<-entered
	for i := range 8 { // two of these fit into one batch
		go func() { ends <- c.Commit(ctx, one(fmt.Sprint(i), string(make([]byte, 250<<10)))) }()
	}
	open()
	for range 9 {
		if err := <-ends; err != nil { // memstore refuses a batch over the limit
			t.Fatal(err)
		}
	}
	c.Close()
}

func TestCommitterRefuses(t *testing.T) {
	c := persist.NewCommitter(memstore.New())
	wantErr(t, c.Commit(ctx, one("", "1")), persist.ErrKey)
	wantErr(t, c.Commit(ctx, one("k", string(make([]byte, persist.MaxValue+1)))), persist.ErrTooLarge)
	over, cancel := context.WithCancel(ctx)
	cancel()
	wantErr(t, c.Commit(over, one("k", "1")), context.Canceled)
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wantErr(t, c.Commit(ctx, one("k", "1")), persist.ErrClosed)
}

// TestCommitterAbandoned ends a context under a commit, which is written
// though the caller has gone and uses the batch for something else.
func TestCommitterAbandoned(t *testing.T) {
	s := &flaky{Store: memstore.New()}
	before, entered, open := gate()
	s.arm(before, nil)
	c := persist.NewCommitter(s)
	over, cancel := context.WithCancel(ctx)
	b := one("k", "1")
	end := make(chan error)
	go func() { end <- c.Commit(over, b) }()
	<-entered
	cancel()
	wantErr(t, <-end, context.Canceled)
	b.Put([]byte("other"), nil)
	open()
	c.Close()
	if v, err := s.Get(ctx, []byte("k")); err != nil || string(v) != "1" {
		t.Fatalf("Get: %q, %v", v, err)
	}
	_, err := s.Get(ctx, []byte("other"))
	wantErr(t, err, persist.ErrNotFound)
}

func TestCommitterCloseDrains(t *testing.T) {
	s := &flaky{Store: memstore.New()}
	before, entered, open := gate()
	s.arm(before, nil)
	c := persist.NewCommitter(s)
	ends := queued(c, entered, 20)
	closed := make(chan struct{})
	go func() { c.Close(); close(closed) }()
	open()
	<-closed
	for range 20 { // each is written, or came after Close had begun
		if err := <-ends; err != nil && !errors.Is(err, persist.ErrClosed) {
			t.Fatal(err)
		}
	}
}

func TestBatch(t *testing.T) {
	b := &persist.Batch{}
	b.Put([]byte("key"), []byte("value"))
	b.Delete([]byte("gone"))
	if b.Len() != 2 || b.Bytes() != 3+5+4+2*persist.EntryCost {
		t.Fatalf("Len %d, Bytes %d", b.Len(), b.Bytes())
	}
	for op := range b.Ops() {
		if op.Delete || string(op.Key) != "key" {
			t.Fatalf("the first entry is %+v", op)
		}
		break
	}
}
