package persist_test

import (
	"bytes"
	"errors"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

func wantCache(t tb, l *persist.Log, name persist.Name, kind byte, at uint64, data []byte) {
	t.Helper()
	gotAt, got, err := l.Cache(ctx, name, kind)
	if err != nil || gotAt != at || !bytes.Equal(got, data) {
		t.Fatalf("Cache gives %d bytes at %d, %v; want %d at %d", len(got), gotAt, err, len(data), at)
	}
}

func wantNoCache(t testing.TB, l *persist.Log, name persist.Name, kind byte) {
	t.Helper()
	_, data, err := l.Cache(ctx, name, kind)
	wantErr(t, err, persist.ErrNotFound)
	if data != nil {
		t.Fatalf("Cache gives %d bytes with its error", len(data))
	}
}

func TestCache(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, reopen func()) {
		l := openLog(t, s)
		wantNoCache(t, l, doc(1), 1)
		wantErr(t, l.PutCache(ctx, doc(1), 1, 0, nil), persist.ErrNotFound)
		mustAppend(t, l, doc(1), adding(0, some(3, "c")...))
		wantNoCache(t, l, doc(1), 1)
		put := func(kind byte, at uint64, data []byte) {
			t.Helper()
			if err := l.PutCache(ctx, doc(1), kind, at, data); err != nil {
				t.Fatal(err)
			}
			wantCache(t, l, doc(1), kind, at, data)
		}
		put(1, 2, large(5<<20))
		put(2, 3, []byte("value"))
		put(3, 0, nil)
		wantCache(t, l, doc(1), 1, 2, large(5<<20))
		put(1, 3, large(1<<20))
		put(1, 3, []byte("small"))
		parts := 0
		for _, err := range s.List(ctx, []byte("c")) {
			if err != nil {
				t.Fatal(err)
			}
			parts++
		}
		if parts != 3 {
			t.Fatalf("%d parts lie there, want 3: a smaller cache left some behind", parts)
		}
		_, err := l.Header(ctx, doc(1))
		if err != nil {
			t.Fatal(err)
		}
		wantAs[*persist.OutOfStepError](t, l.PutCache(ctx, doc(1), 1, 4, nil))
		wantErr(t, l.PutCache(ctx, doc(1), 1, 3, make([]byte, persist.MaxCache+1)), persist.ErrTooLarge)
		l.Close()
		reopen()
		l = openLog(t, s)
		wantCache(t, l, doc(1), 1, 3, []byte("small"))
	})
}

// TestCacheTorn alters each part of a cache, and takes each away.
func TestCacheTorn(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	mustAppend(t, l, doc(1), adding(0, []byte("x")))
	mustAppend(t, l, doc(2), adding(0, []byte("x")))
	data := large(600 << 10)
	var keys, values [][]byte
	renew := func() {
		if err := l.PutCache(ctx, doc(1), 7, 1, data); err != nil {
			t.Fatal(err)
		}
		keys, values = nil, nil
		for e, err := range s.List(ctx, []byte("c")) {
			if err != nil {
				t.Fatal(err)
			}
			keys, values = append(keys, e.Key), append(values, e.Value)
		}
	}
	renew()
	if len(keys) != 3 {
		t.Fatalf("%d parts, want 3", len(keys))
	}
	for i, key := range keys {
		for _, spoil := range []func(b *persist.Batch){
			func(b *persist.Batch) { b.Delete(key) },
			func(b *persist.Batch) { v := bytes.Clone(values[i]); v[len(v)/2] ^= 1; b.Put(key, v) },
			func(b *persist.Batch) { b.Put(key, nil) },
			func(b *persist.Batch) { b.Put(key, values[(i+1)%3]) },
		} {
			b := &persist.Batch{}
			spoil(b)
			if err := s.Apply(ctx, b); err != nil {
				t.Fatal(err)
			}
			wantNoCache(t, l, doc(1), 7)
			renew()
			wantCache(t, l, doc(1), 7, 1, data)
		}
	}
	// Parts of two caches of one length are not mixed.
	old := values[1]
	data = append([]byte{}, data...)
	data[300<<10] ^= 1
	renew()
	b := &persist.Batch{}
	b.Put(keys[1], old)
	if err := s.Apply(ctx, b); err != nil {
		t.Fatal(err)
	}
	wantNoCache(t, l, doc(1), 7)
}

// TestCacheInterrupted fails each Apply of a PutCache over an older cache.
func TestCacheInterrupted(t *testing.T) {
	for k := 1; ; k++ {
		s := &flaky{Store: memstore.New()}
		l := openLog(t, s)
		mustAppend(t, l, doc(1), adding(0, []byte("x")))
		if err := l.PutCache(ctx, doc(1), 1, 0, large(3<<20)); err != nil {
			t.Fatal(err)
		}
		s.arm(failFrom(k), nil)
		err := l.PutCache(ctx, doc(1), 1, 1, large(2<<20))
		s.arm(nil, nil)
		if err == nil {
			wantCache(t, l, doc(1), 1, 1, large(2<<20))
			return
		}
		wantErr(t, err, errDisk)
		at, data, err := l.Cache(ctx, doc(1), 1)
		switch {
		case errors.Is(err, persist.ErrNotFound):
		case err != nil || at == 0 && len(data) != 3<<20 || at == 1 && len(data) != 2<<20:
			t.Fatalf("k=%d: %d bytes at %d, %v", k, len(data), at, err)
		}
	}
}
