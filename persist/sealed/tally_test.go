package sealed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"tombolo/persist"
	"tombolo/persist/memstore"
	"tombolo/persist/sealed"
)

// replaceAll makes the inner store hold what it held when all was listed.
func replaceAll(t *testing.T, inner persist.Store, all []persist.Entry) {
	t.Helper()
	b := &persist.Batch{}
	for _, e := range mustEntries(t, inner, "") {
		b.Delete(e.Key)
	}
	for _, e := range all {
		b.Put(e.Key, e.Value)
	}
	wantNothing(t, inner.Apply(ctx, b))
}

// TestOldVersion puts an older version of each record back that is written over
// in place, in a store that is open and in one opened later.
func TestOldVersion(t *testing.T) {
	keys := newKeys(t)
	s, inner := filled(t, keys)
	before := mustEntries(t, inner, "")
	for _, k := range kinds {
		put(t, s, k, "a newer value")
	}
	wantNothing(t, s.Check(ctx))
	found := 0
	for _, e := range before {
		now, err := inner.Get(ctx, e.Key)
		wantNothing(t, err)
		set(t, inner, e.Key, e.Value)
		missed := false
		for _, s := range []*sealed.Store{s, sealed.New(inner, keys)} {
			switch err := s.Check(ctx); {
			case err == nil:
				missed = true
			case !errors.Is(err, sealed.ErrStale):
				t.Fatal(err)
			}
		}
		if letter := e.Key[0]; missed != (letter == 'f' || letter == 'r' || letter == 'z') {
			t.Errorf("an old version at %q: noticed %v", letter, !missed)
		}
		if !missed {
			found++
		}
		set(t, inner, e.Key, now)
		wantNothing(t, s.Check(ctx))
	}
	if found != 7 { // n, two headers, three settings, the tally
		t.Fatalf("%d old versions were found, want 7", found)
	}
	replaceAll(t, inner, before)
	wantNothing(t, sealed.New(inner, keys).Check(ctx)) // the store as a whole: as documented
}

// TestMissing takes records away, and puts back what was deleted.
func TestMissing(t *testing.T) {
	s, inner := filled(t, newKeys(t))
	for _, e := range mustEntries(t, inner, "d") {
		b := &persist.Batch{}
		b.Delete(e.Key)
		wantNothing(t, inner.Apply(ctx, b))
		wantErr(t, s.Check(ctx), sealed.ErrStale)
		set(t, inner, e.Key, e.Value)
		wantNothing(t, s.Check(ctx))
	}
	old := mustEntries(t, inner, "d")
	b := &persist.Batch{}
	b.Delete([]byte("dspace and document"))
	wantNothing(t, s.Apply(ctx, b))
	wantNothing(t, s.Check(ctx))
	for _, e := range old {
		set(t, inner, e.Key, e.Value)
	}
	wantErr(t, s.Check(ctx), sealed.ErrStale)
}

// TestAccept writes on in a store that complained: the complaint stays, after
// opening anew too, until it is accepted.
func TestAccept(t *testing.T) {
	keys := newKeys(t)
	s, inner := filled(t, keys)
	old := mustEntries(t, inner, "x")[:1]
	for _, k := range kinds {
		put(t, s, k, "a newer value")
	}
	set(t, inner, old[0].Key, old[0].Value)
	s = sealed.New(inner, keys)
	for _, k := range kinds {
		put(t, s, k, "the newest value")
	}
	wantErr(t, s.Check(ctx), sealed.ErrStale)
	wantErr(t, sealed.New(inner, keys).Check(ctx), sealed.ErrStale)
	wantNothing(t, s.Accept(ctx))
	wantNothing(t, s.Check(ctx))
	put(t, s, "dagain", "and on")
	wantNothing(t, s.Check(ctx))
	wantNothing(t, sealed.New(inner, keys).Check(ctx))
}

// TestTallyDamaged alters the tally itself: it complains, and nobody is kept
// from reading and writing.
func TestTallyDamaged(t *testing.T) {
	s, inner := filled(t, newKeys(t))
	e := mustEntries(t, inner, "s")[0]
	for i := range e.Value {
		v := bytes.Clone(e.Value)
		v[i] ^= 1
		set(t, inner, e.Key, v)
		wantAltered(t, s, 0, "the tally altered")
		wantErr(t, s.Check(ctx), sealed.ErrStale)
	}
	put(t, s, "dagain", "and on")
	wantErr(t, s.Check(ctx), sealed.ErrStale)
	wantNothing(t, s.Accept(ctx))
	wantNothing(t, s.Check(ctx))
}

// unsteady is a store whose Apply fails before or after it is done, and whose
// reading fails too.
type unsteady struct {
	persist.Store
	before, after, reading error
}

func (u *unsteady) Apply(ctx context.Context, b *persist.Batch) error {
	if u.before != nil {
		return u.before
	}
	if err := u.Store.Apply(ctx, b); err != nil {
		return err
	}
	return u.after
}

func (u *unsteady) Get(ctx context.Context, key []byte) ([]byte, error) {
	if u.reading != nil {
		return nil, u.reading
	}
	return u.Store.Get(ctx, key)
}

// TestTallyFollows writes and deletes at random, with writes that fail, done or
// not, and stores opened anew: the tally is right all the time.
func TestTallyFollows(t *testing.T) {
	keys := newKeys(t)
	rapid.Check(t, func(t *rapid.T) {
		inner := &unsteady{Store: memstore.New()}
		s := sealed.New(inner, keys)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			inner.before, inner.after, inner.reading = nil, nil, nil
			switch rapid.IntRange(0, 5).Draw(t, "what happens") {
			case 0:
				inner.before = errDisk
			case 1:
				inner.after = errDisk
			case 2:
				inner.before, inner.reading = errDisk, errDisk
			case 3:
				s = sealed.New(inner, keys)
			case 4:
				if err := s.Check(ctx); err != nil {
					t.Fatal(err)
				}
			}
			b := &persist.Batch{}
			for range rapid.IntRange(0, 4).Draw(t, "entries") {
				key := fmt.Appendf(nil, "%s%d", rapid.SampledFrom([]string{"d", "xack/", "r", "n"}).Draw(t, "kind"), rapid.IntRange(0, 2).Draw(t, "key"))
				if rapid.Bool().Draw(t, "delete") {
					b.Delete(key)
				} else {
					b.Put(key, []byte("value"))
				}
			}
			err := s.Apply(ctx, b)
			if failed := inner.before != nil || inner.after != nil; err != nil && !(failed && errors.Is(err, errDisk)) {
				t.Fatal(err)
			}
		}
		inner.before, inner.after, inner.reading = nil, nil, nil
		if err := errors.Join(s.Check(ctx), sealed.New(inner, keys).Check(ctx)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTallyErrors(t *testing.T) {
	inner := &unsteady{Store: memstore.New(), reading: errDisk}
	s := sealed.New(inner, newKeys(t))
	b := &persist.Batch{}
	b.Put([]byte("d"), nil)
	wantErr(t, s.Apply(ctx, b), errDisk)
	wantErr(t, s.Check(ctx), errDisk)
	wantErr(t, s.Accept(ctx), errDisk)
	inner.reading = nil
	over, cancel := context.WithCancel(ctx)
	cancel()
	wantErr(t, s.Check(over), context.Canceled)
	wantNothing(t, s.Apply(ctx, b))
	wantNothing(t, s.Check(ctx))
	wantNothing(t, s.Close())
	wantErr(t, s.Check(ctx), persist.ErrClosed)
	wantErr(t, s.Accept(ctx), persist.ErrClosed)
}
