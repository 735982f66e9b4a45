package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"tombolo/persist"
)

func testContexts(t *testing.T, s persist.Store) {
	apply(t, s, batch("a", "1", "b", "2"))
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Get(over, []byte("a"))
	wantErr(t, err, context.Canceled)
	wantErr(t, s.Apply(over, batch("c", "3")), context.Canceled)
	want(t, s, "c")
	got, err := list(over, s, "")
	wantErr(t, err, context.Canceled)
	if len(got) > 0 {
		t.Fatalf("List under a context that had ended gave %q", got)
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	seen := 0
	for _, err = range s.List(ctx, nil) {
		if seen++; seen == 1 {
			cancel()
		}
	}
	wantErr(t, err, context.Canceled)
	if seen != 2 {
		t.Fatalf("the loop ran %d times, want an entry and the error", seen)
	}
}

func testClosed(t *testing.T, s persist.Store) {
	ctx := context.Background()
	apply(t, s, batch("a", "1"))
	closeStore(t, s)
	_, err := s.Get(ctx, []byte("a"))
	wantErr(t, err, persist.ErrClosed)
	wantErr(t, s.Apply(ctx, batch("b", "1")), persist.ErrClosed)
	_, err = list(ctx, s, "")
	wantErr(t, err, persist.ErrClosed)
	closeStore(t, s)
}

// testClosedListing closes under a loop, which ends with ErrClosed.
func testClosedListing(t *testing.T, s persist.Store) {
	ctx := context.Background()
	apply(t, s, batch("a", "1", "b", "2"))
	closed := make(chan error, 1)
	var err error
	seen := 0
	for _, err = range s.List(ctx, nil) {
		if seen++; seen > 1 {
			continue
		}
		go func() { closed <- s.Close() }()
		for begun := false; !begun; { // Close has, when it is over or Get is refused
			select {
			case err := <-closed:
				closed <- err
				begun = true
			default:
			}
			if _, err := s.Get(ctx, []byte("a")); err != nil {
				wantErr(t, err, persist.ErrClosed)
				begun = true
			}
		}
	}
	wantErr(t, err, persist.ErrClosed)
	if seen != 2 {
		t.Fatalf("the loop ran %d times, want an entry and the error", seen)
	}
	if err := <-closed; err != nil {
		t.Fatalf("Close: %v", err)
	}
}

func testReopen(t *testing.T, open func(*testing.T, string) persist.Store) {
	dir := t.TempDir()
	s := open(t, dir)
	apply(t, s, batch("a", "1", "b", "2", "empty", ""))
	b := batch("a", "3")
	b.Delete([]byte("b"))
	apply(t, s, b)
	closeStore(t, s)

	s = open(t, dir)
	defer closeStore(t, s)
	want(t, s, "a", "3")
	want(t, s, "b")
	want(t, s, "empty", "")
	apply(t, s, batch("c", "4"))
	want(t, s, "c", "4")
}

// testReopenMany writes enough for several files, in several lives.
func testReopenMany(t *testing.T, open func(*testing.T, string) persist.Store) {
	dir := t.TempDir()
	value := make([]byte, 64<<10)
	for life := range 3 {
		s := open(t, dir)
		for i := range 30 {
			b := &persist.Batch{}
			for j := range 10 {
				b.Put(fmt.Appendf(nil, "%d/%02d/%d", life, i, j), value)
			}
			b.Delete(fmt.Appendf(nil, "%d/%02d/0", life, i-1))
			apply(t, s, b)
		}
		closeStore(t, s)
	}
	s := open(t, dir)
	defer closeStore(t, s)
	var got []string
	for e, err := range s.List(context.Background(), nil) {
		if err != nil || len(e.Value) != len(value) {
			t.Fatalf("List: %d bytes at %q, %v", len(e.Value), e.Key, err)
		}
		got = append(got, string(e.Key))
	}
	if len(got) != 3*(30*10-29) || !slices.IsSorted(got) {
		t.Fatalf("%d keys came back, want %d, in order", len(got), 3*(30*10-29))
	}
}
