package sealed_test

import (
	"errors"
	"fmt"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
	"tombolo/persist/sealed"
)

// logged returns a closed log of three documents with two changes each, in a
// sealed store, and the store below.
func logged(t *testing.T, keys *sealed.Keys) (*sealed.Store, *memstore.Store) {
	t.Helper()
	inner := memstore.New()
	s := sealed.New(inner, keys)
	l := openLog(t, s)
	for n := range 3 {
		mustAppend(t, l, doc(n), persist.Append{Changes: [][]byte{[]byte("one")}})
		mustAppend(t, l, doc(n), persist.Append{After: 1, Changes: [][]byte{[]byte("two")}})
		if err := l.PutCache(ctx, doc(n), 2, 2, []byte("derived")); err != nil {
			t.Fatal(err)
		}
	}
	wantNothing(t, l.Close())
	return s, inner
}

// read returns how many changes of a document read, and how that ended.
func read(l *persist.Log, name persist.Name) (n int, err error) {
	for _, err := range l.Changes(ctx, name, 1) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// TestLogDamaged flips a byte of every record below a log in turn: the log
// opens, the document of the record says so, and the others are whole.
func TestLogDamaged(t *testing.T) {
	s, inner := logged(t, newKeys(t))
	for _, e := range mustEntries(t, inner, "") {
		letter := e.Key[0]
		if letter == 'f' || letter == 's' {
			continue // TestWrongKeys, TestTallyDamaged
		}
		v := append([]byte{}, e.Value...)
		v[len(v)/2] ^= 1
		set(t, inner, e.Key, v)
		l := openLog(t, s)
		whole, damaged := 0, 0
		for name := range l.Docs() {
			n, err := read(l, name)
			d, ok := errors.AsType[*persist.DamagedError](err)
			_, cache, cacheErr := l.Cache(ctx, name, 2)
			switch {
			case ok && d.Name == name:
				damaged++
			case err != nil || n != 2:
				t.Fatalf("%q: %d changes, %v", letter, n, err)
			case letter == 'c' && errors.Is(cacheErr, persist.ErrNotFound):
				wantNothing(t, l.PutCache(ctx, name, 2, 2, []byte("derived")))
				damaged++
			case cacheErr != nil || string(cache) != "derived":
				t.Fatalf("%q: the cache is %q, %v", letter, cache, cacheErr)
			default:
				whole++
			}
		}
		want := 1
		if letter == 'n' {
			want = 0 // the number is found anew
		}
		if damaged != want || whole != 3-want {
			t.Fatalf("%q: %d documents damaged and %d whole", letter, damaged, whole)
		}
		wantNothing(t, l.Close())
		set(t, inner, e.Key, e.Value)
	}
}

// TestHeaderKeyDamaged flips a byte of the key of a header: the other documents
// open, and Check says that one is missing.
func TestHeaderKeyDamaged(t *testing.T) {
	s, inner := logged(t, newKeys(t))
	e := mustEntries(t, inner, "d")[1]
	k := append([]byte{}, e.Key...)
	k[20] ^= 4
	b := &persist.Batch{}
	b.Delete(e.Key)
	b.Put(k, e.Value)
	wantNothing(t, inner.Apply(ctx, b))
	l := openLog(t, s)
	whole := 0
	for name := range l.Docs() {
		if n, err := read(l, name); err != nil || n != 2 {
			t.Fatalf("%d changes, %v", n, err)
		}
		whole++
	}
	if whole != 2 {
		t.Fatalf("%d documents are whole, want 2", whole)
	}
	wantErr(t, s.Check(ctx), sealed.ErrStale)
}

// TestDamagedHeaderIsRemoved shows that the way out of damage is open.
func TestDamagedHeaderIsRemoved(t *testing.T) {
	s, inner := logged(t, newKeys(t))
	e := mustEntries(t, inner, "d")[0]
	set(t, inner, e.Key, e.Value[1:])
	l := openLog(t, s)
	removed := 0
	for name, slim := range l.Docs() {
		if slim.Num == 0 {
			wantNothing(t, l.Remove(ctx, name))
			removed++
		}
	}
	if left := len(mustEntries(t, s, "d")); removed != 1 || left != 2 {
		t.Fatalf("%d removed, %d left", removed, left)
	}
}

// TestWrongKeys opens a log with the wrong keys, with none, and a plain one
// with keys: each is refused with nothing written.
func TestWrongKeys(t *testing.T) {
	keys := newKeys(t)
	s, inner := logged(t, keys)
	before := fmt.Sprint(mustEntries(t, inner, ""))
	_, err := persist.OpenLog(ctx, sealed.New(inner, newKeys(t)), joiner{})
	wantErr(t, err, persist.ErrAltered)
	_, err = persist.OpenLog(ctx, inner, joiner{})
	wantErr(t, err, persist.ErrSealed)
	if fmt.Sprint(mustEntries(t, inner, "")) != before {
		t.Fatal("something was written")
	}
	e := mustEntries(t, inner, "f")[0]
	e.Value[3] ^= 1
	set(t, inner, e.Key, e.Value)
	_, err = persist.OpenLog(ctx, s, joiner{})
	wantErr(t, err, persist.ErrAltered)

	plain := memstore.New()
	wantNothing(t, openLog(t, plain).Close())
	_, err = persist.OpenLog(ctx, sealed.New(plain, keys), joiner{})
	wantErr(t, err, persist.ErrAltered)
}
