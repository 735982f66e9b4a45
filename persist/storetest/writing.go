package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"tombolo/persist"
)

func testLaterWins(t *testing.T, s persist.Store) {
	b := batch("a", "1", "a", "2", "b", "1")
	b.Delete([]byte("b"))
	b.Delete([]byte("c"))
	b.Put([]byte("c"), []byte("3"))
	apply(t, s, b)
	want(t, s, "a", "2")
	want(t, s, "b")
	want(t, s, "c", "3")
	apply(t, s, &persist.Batch{})
}

// testRefused applies batches with one bad entry among good ones.
func testRefused(t *testing.T, s persist.Store) {
	large := strings.Repeat("v", persist.MaxValue)
	for _, c := range []struct {
		b   *persist.Batch
		err error
	}{
		{batch("good", "1", "", "1"), persist.ErrKey},
		{batch("good", "1", strings.Repeat("k", persist.MaxKey+1), "1"), persist.ErrKey},
		{batch("good", "1", "!badger!x", "1"), persist.ErrKey},
		{batch("good", "1", "k", large+"v"), persist.ErrTooLarge},
		{batch("good", "1", "k1", large, "k2", large, "k3", large), persist.ErrTooLarge},
	} {
		wantErr(t, s.Apply(context.Background(), c.b), c.err)
		want(t, s, "good")
	}
	apply(t, s, batch(strings.Repeat("k", persist.MaxKey), large))
	want(t, s, strings.Repeat("k", persist.MaxKey), large)
}

// testLargest fills batches to the limit with few large entries, and with as
// many small ones as there can be.
func testLargest(t *testing.T, s persist.Store) {
	few := &persist.Batch{}
	for i := range 3 {
		few.Put([]byte{'f', byte(i)}, make([]byte, persist.MaxBatch/3-persist.EntryCost-2))
	}
	puts, dels := &persist.Batch{}, &persist.Batch{}
	n := persist.MaxBatch / (persist.EntryCost + 3)
	for i := range n {
		key := []byte{'m', byte(i >> 8), byte(i)}
		puts.Put(key, nil)
		dels.Delete(key)
	}
	for _, b := range []*persist.Batch{few, puts, dels} {
		if b.Bytes() > persist.MaxBatch || b.Bytes() < persist.MaxBatch-100 {
			t.Fatalf("a batch of %d bytes does not test the limit", b.Bytes())
		}
		apply(t, s, b)
	}
	got, err := list(context.Background(), s, "")
	if err != nil || len(got) != 6 {
		t.Fatalf("%d entries are left of the largest batches, %v; want 3", len(got)/2, err)
	}
}

// testAtomic writes some keys together, and never finds them apart.
func testAtomic(t *testing.T, s persist.Store) {
	ctx := context.Background()
	const rounds, keys, readers = 150, 24, 3
	write := func(i int) error {
		b := &persist.Batch{}
		for k := range keys {
			b.Put(fmt.Appendf(nil, "p/%02d", k), fmt.Append(nil, i))
		}
		return s.Apply(ctx, b)
	}
	if err := write(0); err != nil {
		t.Fatalf("Apply: %v", err)
	}
	written := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(written)
		for i := range rounds {
			if err := write(i + 1); err != nil {
				t.Errorf("Apply: %v", err)
			}
		}
	})
	for range readers {
		wg.Go(func() {
			for last := false; !last && !t.Failed(); {
				select {
				case <-written:
					last = true
				default:
				}
				got, err := list(ctx, s, "p/")
				if err != nil || len(got) != 2*keys {
					t.Errorf("List gave %d entries, %v; want %d", len(got)/2, err, keys)
					return
				}
				for i := 1; i < len(got); i += 2 {
					if got[i] != got[1] {
						t.Errorf("List gave %q: a part of a batch", got)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	want(t, s, "p/00", fmt.Sprint(rounds))
}

// testConcurrent writes and reads from many goroutines.
func testConcurrent(t *testing.T, s persist.Store) {
	ctx := context.Background()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 25 {
				key := fmt.Sprintf("%d/%02d", w, i)
				if err := s.Apply(ctx, batch(key, key)); err != nil {
					t.Errorf("Apply: %v", err)
					return
				}
				v, err := s.Get(ctx, []byte(key))
				if err != nil || string(v) != key {
					t.Errorf("Get(%q) = %q, %v right after Apply", key, v, err)
				}
				got, err := list(ctx, s, fmt.Sprintf("%d/", w))
				if err != nil || len(got) != 2*(i+1) {
					t.Errorf("List gave %d entries, %v right after Apply number %d", len(got)/2, err, i+1)
				}
			}
		})
	}
	wg.Wait()
}

// testClosedInUse closes under readers and writers, who see that or nothing.
func testClosedInUse(t *testing.T, s persist.Store) {
	ctx := context.Background()
	apply(t, s, batch("a", "1", "b", "2"))
	var begun, wg sync.WaitGroup
	closed := make(chan struct{})
	for w := range 4 {
		begun.Add(1)
		wg.Go(func() {
			for i := 0; ; i++ {
				var over bool // what begins now must be refused
				select {
				case <-closed:
					over = true
				default:
				}
				var err error
				switch w {
				case 0:
					_, err = s.Get(ctx, []byte("a"))
				case 1:
					err = s.Apply(ctx, batch("c", fmt.Sprint(i)))
				default:
					_, err = list(ctx, s, "")
				}
				if i == 0 {
					begun.Done()
				}
				if err != nil {
					if !errors.Is(err, persist.ErrClosed) {
						t.Errorf("while closing: %v, want ErrClosed", err)
					}
					return
				}
				if over {
					t.Error("a call that began after Close was not refused")
					return
				}
			}
		})
	}
	begun.Wait()
	closeStore(t, s)
	close(closed)
	wg.Wait()
}
