package persist_test

import (
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

// keysBut counts the keys of the store, but for the format and the counter.
func keysBut(t testing.TB, s persist.Store) (n int) {
	t.Helper()
	for e, err := range s.List(ctx, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if string(e.Key) != "f" && string(e.Key) != "n" {
			n++
		}
	}
	return n
}

func TestMove(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, reopen func()) {
		l := openLog(t, s)
		wantErr(t, l.Move(ctx, doc(1), doc(2)), persist.ErrNotFound)
		all := some(5, "m")
		h := mustAppend(t, l, doc(1), adding(0, all[:3]...))
		mustAppend(t, l, doc(3), adding(0, []byte("third")))
		if err := l.PutCache(ctx, doc(1), 1, 3, []byte("cached")); err != nil {
			t.Fatal(err)
		}
		wantErr(t, l.Move(ctx, doc(1), doc(3)), persist.ErrExists)
		wantErr(t, l.Move(ctx, doc(1), doc(1)), persist.ErrExists)
		if err := l.Move(ctx, doc(1), doc(2)); err != nil {
			t.Fatal(err)
		}
		_, err := l.Header(ctx, doc(1))
		wantErr(t, err, persist.ErrNotFound)
		_, err = l.Append(ctx, doc(1), adding(3, all[3:]...))
		wantAs[*persist.OutOfStepError](t, err)
		mustAppend(t, l, doc(2), adding(3, all[3:]...))
		wantCache(t, l, doc(2), 1, 3, []byte("cached"))
		l.Close()
		reopen()
		l = openLog(t, s)
		wantChanges(t, l, doc(2), 1, all...)
		wantChanges(t, l, doc(3), 1, []byte("third"))
		if now, err := l.Header(ctx, doc(2)); err != nil || now.Num != h.Num {
			t.Fatalf("%+v, %v", now, err)
		}
		seen := 0
		for range l.Docs() {
			seen++
		}
		if seen != 2 {
			t.Fatalf("Docs gives %d documents, want 2", seen)
		}
	})
}

func TestRemove(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, reopen func()) {
		l := openLog(t, s)
		wantErr(t, l.Remove(ctx, doc(1)), persist.ErrNotFound)
		mustAppend(t, l, doc(1), adding(0, append(some(20_000, "r"), large(2<<20))...))
		mustAppend(t, l, doc(2), adding(0, []byte("stays")))
		if err := l.PutCache(ctx, doc(1), 1, 3, large(1<<20)); err != nil {
			t.Fatal(err)
		}
		if err := l.Remove(ctx, doc(1)); err != nil {
			t.Fatal(err)
		}
		if n := keysBut(t, s); n != 2 {
			t.Fatalf("%d keys are left, want header and change of the other document", n)
		}
		wantErr(t, l.Remove(ctx, doc(1)), persist.ErrNotFound)
		wantNoCache(t, l, doc(1), 1)
		mustAppend(t, l, doc(1), adding(0, []byte("again")))
		l.Close()
		reopen()
		l = openLog(t, s)
		wantChanges(t, l, doc(1), 1, []byte("again"))
		wantChanges(t, l, doc(2), 1, []byte("stays"))
	})
}

// TestRemoveInterrupted fails each Apply of a Remove; the next OpenLog finishes it.
func TestRemoveInterrupted(t *testing.T) {
	for k := 1; ; k++ {
		s := &flaky{Store: memstore.New()}
		l := openLog(t, s)
		all := some(12_000, "r")
		mustAppend(t, l, doc(1), adding(0, all...))
		s.arm(failFrom(k), nil)
		err := l.Remove(ctx, doc(1))
		if err == nil {
			if k < 4 {
				t.Fatalf("Remove took %d Applies, the test wants several", k-1)
			}
			return
		}
		wantErr(t, err, errDisk)
		l.Close()
		l = openLog(t, s) // also while the disk is on fire
		l.Close()
		s.arm(nil, nil)
		l = openLog(t, s)
		if k == 1 {
			wantChanges(t, l, doc(1), 1, all...)
			continue
		}
		_, err = l.Header(ctx, doc(1))
		wantErr(t, err, persist.ErrNotFound)
		if n := keysBut(t, s); n != 0 {
			t.Fatalf("k=%d: %d keys are left", k, n)
		}
	}
}
