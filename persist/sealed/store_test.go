package sealed_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tombolo/persist"
	"tombolo/persist/memstore"
	"tombolo/persist/sealed"
	"tombolo/persist/storetest"
)

func TestStore(t *testing.T) {
	keys := newKeys(t)
	t.Run("memory", func(t *testing.T) {
		storetest.Run(t, func(*testing.T) persist.Store { return sealed.New(memstore.New(), keys) })
	})
	t.Run("badger", func(t *testing.T) {
		storetest.RunDurable(t, func(t *testing.T, dir string) persist.Store { return sealed.New(openBadger(t, dir), keys) })
	})
}

// TestLists compares listings with those of a plain store, over keys like the
// log's and over others.
func TestLists(t *testing.T) {
	keys := newKeys(t)
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.Custom(func(t *rapid.T) string {
			return rapid.SampledFrom([]string{"r", "c", "d", "x", "xack/", "xname", "g", "f", "q", "xa/b/"}).Draw(t, "begins") +
				rapid.StringOfN(rapid.SampledFrom([]rune("ab/")), 0, 22, -1).Draw(t, "goes on")
		})
		plain, inner := memstore.New(), memstore.New()
		s := sealed.New(inner, keys)
		defer plain.Close()
		defer s.Close()
		used := rapid.SliceOfN(key, 1, 30).Draw(t, "keys")
		for i, k := range used {
			b := &persist.Batch{}
			if i%7 == 6 {
				b.Delete([]byte(used[i/2]))
			} else {
				b.Put([]byte(k), []byte{byte(i)})
			}
			if err := errors.Join(plain.Apply(ctx, b), s.Apply(ctx, b)); err != nil {
				t.Fatal(err)
			}
		}
		prefix := key.Draw(t, "prefix")
		prefix = prefix[:rapid.IntRange(0, len(prefix)).Draw(t, "of it")]
		want, err := entries(plain, prefix)
		got, err2 := entries(s, prefix)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("%d entries below %q, want %d", len(got), prefix, len(want))
		}
		for i := range want {
			if !bytes.Equal(got[i].Key, want[i].Key) || !bytes.Equal(got[i].Value, want[i].Value) || got[i].Err != nil {
				t.Fatalf("entry %d is %q, want %q", i, got[i], want[i])
			}
		}
	})
}

// failing is a store that does not do what it is asked.
type failing struct{ persist.Store }

var errDisk = errors.New("disk on fire")

func (failing) Apply(context.Context, *persist.Batch) error { return errDisk }

func TestInnerFails(t *testing.T) {
	inner := memstore.New()
	s := sealed.New(failing{inner}, newKeys(t))
	b := &persist.Batch{}
	b.Put([]byte("a"), nil)
	wantErr(t, s.Apply(ctx, b), errDisk)
}

// TestGrowth shows that no entry grows by more than Batch.Wrap allows, with
// keys of every kind and of every length.
func TestGrowth(t *testing.T) {
	inner := memstore.New()
	s := sealed.New(inner, newKeys(t))
	for _, begins := range []string{"r", "c", "g", "d", "x", "xack/", "f", "n", "other"} {
		for _, n := range []int{0, 1, 8, 18, 32, 100, persist.MaxKey - len(begins)} {
			put(t, s, begins+strings.Repeat("k", n), "value")
		}
	}
	if got := len(mustEntries(t, s, "")); got != 9*7 {
		t.Fatalf("%d entries, want %d", got, 9*7)
	}
}

// TestLargest fills a batch with as many records as there can be that grow by
// the most and are in the tally, over the store whose transactions are limited.
func TestLargest(t *testing.T) {
	s := sealed.New(openBadger(t, t.TempDir()), newKeys(t))
	defer s.Close()
	b := &persist.Batch{}
	for i := range persist.MaxBatch / (persist.EntryCost + 3) {
		b.Put([]byte{'x', byte(i >> 8), byte(i)}, nil)
	}
	wantNothing(t, s.Apply(ctx, b))
	wantNothing(t, s.Check(ctx))
	if got := len(mustEntries(t, s, "x")); got != b.Len() {
		t.Fatalf("%d entries, want %d", got, b.Len())
	}
	twice := sealed.New(s, newKeys(t))
	b = &persist.Batch{}
	b.Put([]byte("a"), nil)
	wantErr(t, twice.Apply(ctx, b), persist.ErrTooLarge)
}

// TestNumbersStream shows that records of changes come one by one: the second
// was not read when the first is given out.
func TestNumbersStream(t *testing.T) {
	inner := &counting{Store: memstore.New()}
	s := sealed.New(inner, newKeys(t))
	for i := range 10 {
		put(t, s, "r"+strings.Repeat("\x00", 17)+string(rune(i)), "value")
	}
	for _, err := range s.List(ctx, []byte("r")) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if inner.yielded > 2 {
		t.Fatalf("%d records were read for the first one", inner.yielded)
	}
}
