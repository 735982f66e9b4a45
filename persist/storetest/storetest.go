package storetest

import (
	"context"
	"errors"
	"testing"

	"tombolo/persist"
)

// Run tests a store. open returns a fresh, empty one at every call; the suite
// closes it. It is called from the goroutine of the test it is given.
func Run(t *testing.T, open func(t *testing.T) persist.Store) {
	cases := []struct {
		name string
		test func(*testing.T, persist.Store)
	}{
		{"get", testGet},
		{"order", testOrder},
		{"prefix", testPrefix},
		{"stop", testStop},
		{"snapshot", testSnapshot},
		{"later entry wins", testLaterWins},
		{"refused batches", testRefused},
		{"largest batches", testLargest},
		{"copies", testCopies},
		{"contexts", testContexts},
		{"closed", testClosed},
		{"closed while listing", testClosedListing},
		{"all or nothing", testAtomic},
		{"many at once", testConcurrent},
		{"closed in use", testClosedInUse},
		{"read your writes", testReadYourWrites},
		{"refused whole", testRefusedWhole},
		{"sizes", testSizes},
		{"model", testModel},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			defer closeStore(t, s)
			c.test(t, s)
		})
	}
}

// RunDurable is Run for a store that keeps what it has in a directory. open
// opens the store in dir: new, left there by an earlier one, or a copy of the
// directory of one that was open then, as a killed program leaves it. A store
// that keeps its data elsewhere (a server) runs Run.
func RunDurable(t *testing.T, open func(t *testing.T, dir string) persist.Store) {
	Run(t, func(t *testing.T) persist.Store { return open(t, t.TempDir()) })
	t.Run("reopened", func(t *testing.T) { testReopen(t, open) })
	t.Run("reopened after many", func(t *testing.T) { testReopenMany(t, open) })
	t.Run("model reopened", func(t *testing.T) { testModelReopened(t, open) })
	t.Run("killed", func(t *testing.T) { testKilled(t, open) })
}

func closeStore(t *testing.T, s persist.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// batch makes a batch of keys and values, in turn.
func batch(keysAndValues ...string) *persist.Batch {
	b := &persist.Batch{}
	for i := 0; i < len(keysAndValues); i += 2 {
		b.Put([]byte(keysAndValues[i]), []byte(keysAndValues[i+1]))
	}
	return b
}

func apply(t *testing.T, s persist.Store, b *persist.Batch) {
	t.Helper()
	if err := s.Apply(context.Background(), b); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

// want fails unless the store has value at key; no value: unless it has no key.
func want(t *testing.T, s persist.Store, key string, value ...string) {
	t.Helper()
	got, err := s.Get(context.Background(), []byte(key))
	switch {
	case len(value) == 0:
		wantErr(t, err, persist.ErrNotFound)
	case err != nil || string(got) != value[0]:
		t.Fatalf("Get(%.40q) = %.40q, %v; want %.40q", key, got, err, value[0])
	}
}

func wantErr(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("got the error %v, want %v", err, target)
	}
}

// list returns keys and values below prefix, in turn, and how the listing ended.
func list(ctx context.Context, s persist.Store, prefix string) (got []string, err error) {
	for e, err := range s.List(ctx, []byte(prefix)) {
		if err != nil {
			return got, err
		}
		got = append(got, string(e.Key), string(e.Value))
	}
	return got, nil
}
