package persist_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

// grow returns what makes the key of an entry one byte and its value n bytes longer.
func grow(n int) func(persist.Op) (persist.Op, error) {
	return func(op persist.Op) (persist.Op, error) {
		op.Key = slices.Concat(op.Key, []byte{'!'})
		if !op.Delete {
			op.Value = slices.Concat(op.Value, make([]byte, n))
		}
		return op, nil
	}
}

func TestBatchWrap(t *testing.T) {
	b := &persist.Batch{}
	b.Put(bytes.Repeat([]byte("k"), persist.MaxKey), make([]byte, persist.MaxValue))
	b.Delete([]byte("gone"))
	w, err := b.Wrap(grow(persist.EntryCost - 1))
	if err != nil {
		t.Fatal(err)
	}
	if w.Bytes() != b.Bytes() || w.Len() != 2 {
		t.Fatalf("wrapped it has %d bytes in %d entries, before %d", w.Bytes(), w.Len(), b.Bytes())
	}
	own := persist.Op{Key: []byte("own"), Value: make([]byte, 2*persist.EntryCost-3)}
	if err := w.Beside(own); err != nil {
		t.Fatal(err)
	}
	s := memstore.New()
	if err := s.Apply(ctx, w); err != nil {
		t.Fatal(err)
	}
	if got := len(entries(t, s, "")); got != 2 {
		t.Fatalf("%d entries, want the wrapped and the own one", got)
	}

	_, err = b.Wrap(grow(persist.EntryCost))
	wantErr(t, err, persist.ErrTooLarge)
	_, err = w.Wrap(grow(0))
	wantErr(t, err, persist.ErrTooLarge)
	_, err = b.Wrap(func(persist.Op) (persist.Op, error) { return persist.Op{}, errDisk })
	wantErr(t, err, errDisk)
	wantErr(t, b.Beside(own), persist.ErrTooLarge) // it is not wrapped
	own.Key = []byte("long")
	wantErr(t, w.Beside(own), persist.ErrTooLarge)
}

// altering is a store that notices that the values at some keys were altered.
type altering struct {
	persist.Store
	prefix string
}

func (a altering) Get(ctx context.Context, key []byte) ([]byte, error) {
	if a.prefix != "" && bytes.HasPrefix(key, []byte(a.prefix)) {
		return nil, persist.ErrAltered
	}
	return a.Store.Get(ctx, key)
}

func (a altering) List(ctx context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	return func(yield func(persist.Entry, error) bool) {
		for e, err := range a.Store.List(ctx, prefix) {
			if a.prefix != "" && bytes.HasPrefix(e.Key, []byte(a.prefix)) {
				e.Value, e.Err = nil, persist.ErrAltered
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// losing is a store that notices that all keys of headers were altered.
type losing struct{ persist.Store }

func (l losing) List(ctx context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	if string(prefix) != "d" {
		return l.Store.List(ctx, prefix)
	}
	return func(yield func(persist.Entry, error) bool) {
		yield(persist.Entry{Key: prefix, Err: persist.ErrAltered}, nil)
	}
}

// TestAltered opens a log on a store that notices damage itself: the log
// reports it for what it belongs to, as it does with damage it finds.
func TestAltered(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	mustAppend(t, l, doc(1), adding(0, some(2, "a")...))
	if err := l.PutCache(ctx, doc(1), 1, 2, []byte("derived")); err != nil {
		t.Fatal(err)
	}
	if err := l.Settings().Put(ctx, []byte("k"), []byte("v")); err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, prefix := range []string{"d", "r", "c", "n", "x"} {
		l := openLog(t, altering{s, prefix})
		_, err := l.Header(ctx, doc(1))
		_, read := changes(l, doc(1), 1)
		_, _, cache := l.Cache(ctx, doc(1), 1)
		_, setting := l.Settings().Get(ctx, []byte("k"))
		switch prefix {
		case "d":
			if d := wantAs[*persist.DamagedError](t, err); d.Name != doc(1) {
				t.Fatalf("the damage is in %x", d.Name)
			}
		case "r":
			wantAs[*persist.DamagedError](t, read)
		case "c":
			wantErr(t, cache, persist.ErrNotFound)
			if err := l.PutCache(ctx, doc(1), 1, 2, []byte("derived")); err != nil {
				t.Fatal(err)
			}
		case "n":
			mustAppend(t, l, doc(2), adding(0, some(1, "b")...))
			if err := errors.Join(err, read, cache, setting); err != nil {
				t.Fatal(err)
			}
		case "x":
			wantErr(t, setting, persist.ErrAltered)
			for e, err := range l.Settings().List(ctx, nil) {
				if err != nil || !errors.Is(e.Err, persist.ErrAltered) || string(e.Key) != "k" {
					t.Fatalf("%q: %v, %v", e.Key, e.Err, err)
				}
			}
		}
		l.Close()
	}
	lost := openLog(t, losing{s})
	for name := range lost.Docs() {
		t.Fatalf("document %x is listed, but its key was lost", name.Doc)
	}
	lost.Close()
	_, err := persist.OpenLog(ctx, altering{s, "f"}, joiner{})
	wantErr(t, err, persist.ErrAltered)
	set(t, s, []byte("f"), []byte{persist.CodecSealed, 1, 2, 3})
	_, err = persist.OpenLog(ctx, s, joiner{})
	wantErr(t, err, persist.ErrSealed)
}

// TestVisible compares what may be shown of keys with the keys that a log makes.
func TestVisible(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	mustAppend(t, l, doc(1), adding(0, some(2, "a")...))
	if err := l.PutCache(ctx, doc(1), 1, 2, []byte("derived")); err != nil {
		t.Fatal(err)
	}
	if err := l.Settings().Put(ctx, []byte("ack/1"), []byte("v")); err != nil {
		t.Fatal(err)
	}
	seen := ""
	for _, e := range entries(t, s, "") {
		n, grouped := persist.Visible(e.Key[0])
		if all := e.Key[0] != 'd' && e.Key[0] != 'x'; all != (len(e.Key) == n) || grouped != (e.Key[0] == 'x') {
			t.Errorf("%q: %d bytes are shown, grouped: %v", e.Key, n, grouped)
		}
		seen += string(e.Key[:1])
	}
	if seen != "cdfnrrx" {
		t.Fatalf("the log made keys of the kinds %q", seen)
	}
}
