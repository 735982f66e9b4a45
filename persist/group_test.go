package persist_test

import (
	"context"
	"strings"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

// TestGroupBoundary queues appends that do not fit into one Apply. When the
// first group fails, what was built on it must not be written by the second.
func TestGroupBoundary(t *testing.T) {
	for name, fail := range map[string]int{"none": 0, "first": 2, "second": 3} {
		t.Run(name, func(t *testing.T) {
			s := &flaky{Store: memstore.New()}
			l := openLog(t, s)
			hold, entered, open := gate()
			s.arm(func(n int) error {
				if n == fail {
					return errDisk
				}
				return hold(n)
			}, nil)
			p0 := l.Submit(doc(0), adding(0))
			<-entered
			a, b := large(500<<10), large(400<<10)
			p1 := l.Submit(doc(1), adding(0, a))
			p2 := l.Submit(doc(1), adding(1, b))
			open()
			if _, err := p0.Wait(ctx); err != nil {
				t.Fatal(err)
			}
			_, err1 := p1.Wait(ctx)
			_, err2 := p2.Wait(ctx)
			switch fail {
			case 0:
				if err1 != nil || err2 != nil {
					t.Fatal(err1, err2)
				}
				wantChanges(t, l, doc(1), 1, a, b)
				if s.count() != 3 {
					t.Fatalf("%d Applies, want 3", s.count())
				}
			case 2:
				wantErr(t, err1, errDisk)
				wantAs[*persist.OutOfStepError](t, err2)
				_, err := l.Header(ctx, doc(1))
				wantErr(t, err, persist.ErrNotFound)
			case 3:
				if err1 != nil {
					t.Fatal(err1)
				}
				wantErr(t, err2, errDisk)
				wantChanges(t, l, doc(1), 1, a)
			}
		})
	}
}

// TestOneOrder writes through the committer and the log in one order.
func TestOneOrder(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	p := l.Submit(doc(1), adding(0, []byte("1")))
	if err := l.Committer().Commit(ctx, one("xkey", "\x01")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Header(ctx, doc(1)); err != nil {
		t.Fatalf("submitted before, but: %v", err)
	}
	if _, err := p.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if v, err := l.Settings().Get(ctx, []byte("key")); err != nil || string(v) != "\x01" {
		t.Fatalf("%q, %v", v, err)
	}
}

// TestLogAbandoned ends contexts before and under each kind of write.
func TestLogAbandoned(t *testing.T) {
	over, cancel := context.WithCancel(ctx)
	cancel()
	l := openLog(t, memstore.New())
	mustAppend(t, l, doc(1), adding(0, some(9, "x")...))
	_, err := l.Append(over, doc(1), adding(9, []byte("y")))
	wantErr(t, err, context.Canceled)
	wantErr(t, l.Move(over, doc(1), doc(2)), context.Canceled)
	wantErr(t, l.Remove(over, doc(1)), context.Canceled)
	wantErr(t, l.Pack(over, doc(1)), context.Canceled)
	wantErr(t, l.PutCache(over, doc(1), 1, 0, nil), context.Canceled)
	_, _, err = l.Cache(over, doc(1), 1)
	wantErr(t, err, context.Canceled)
	for _, err = range l.Changes(over, doc(1), 1) {
	}
	wantErr(t, err, context.Canceled)
	wantChanges(t, l, doc(1), 1, some(9, "x")...)

	s := &flaky{Store: memstore.New()}
	l = openLog(t, s)
	before, entered, open := gate()
	s.arm(before, nil)
	p := l.Submit(doc(1), adding(0, []byte("1")))
	<-entered
	_, err = p.Wait(over)
	wantErr(t, err, context.Canceled)
	under, cancel := context.WithCancel(ctx)
	end := make(chan error)
	go func() { end <- l.Move(under, doc(1), doc(2)) }()
	cancel()
	wantErr(t, <-end, context.Canceled)
	open()
	if h, err := p.Wait(ctx); err != nil || h.Last != 1 {
		t.Fatalf("the append went on: %+v, %v", h, err)
	}
}

// TestRemovedWhileRead removes a document under a loop over its changes.
func TestRemovedWhileRead(t *testing.T) {
	l := openLog(t, memstore.New())
	all := some(5, "r")
	mustAppend(t, l, doc(1), adding(0, all...))
	n := 0
	for c, err := range l.Changes(ctx, doc(1), 1) {
		if err != nil || string(c) != string(all[n]) {
			t.Fatalf("change %d: %q, %v", n+1, c, err)
		}
		if n++; n == 1 {
			if err := l.Remove(ctx, doc(1)); err != nil {
				t.Fatal(err)
			}
		}
		if n == 4 {
			break
		}
	}
	if n != 4 {
		t.Fatalf("%d changes", n)
	}
}

// swap is a store that does something between the reading of a header and the
// listing of records.
type swap struct {
	persist.Store
	between func()
}

func (s *swap) Get(ctx context.Context, key []byte) ([]byte, error) {
	v, err := s.Store.Get(ctx, key)
	if f := s.between; f != nil && key[0] == 'd' {
		s.between = nil
		f()
	}
	return v, err
}

// TestRemovedBeforeRead removes a document, and makes it again, between header
// and records: that is no damage.
func TestRemovedBeforeRead(t *testing.T) {
	for _, again := range []bool{false, true} {
		s := memstore.New()
		l := openLog(t, s)
		mustAppend(t, l, doc(1), adding(0, some(5, "r")...))
		reader := openLog(t, &swap{Store: s, between: func() {
			if err := l.Remove(ctx, doc(1)); err != nil {
				t.Error(err)
			}
			if again {
				mustAppend(t, l, doc(1), adding(0, some(9, "s")...))
			}
		}})
		_, err := changes(reader, doc(1), 1)
		wantErr(t, err, persist.ErrNotFound)
	}
}

// TestErrorsSayWhatToDo reads each error aloud.
func TestErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		err  error
		says []string
	}{
		{&persist.NoSpaceError{Free: 10 << 20, Need: 64 << 20}, []string{"10 MiB free", "64 MiB", "try again"}},
		{&persist.TooNewError{What: "store format", Have: 3, Known: 1}, []string{"store format 3", "(1)", "update"}},
		{&persist.OutOfStepError{Last: 7, After: 5}, []string{"7", "5", "load it again"}},
		{&persist.DamagedError{Seq: 4, What: "gone"}, []string{"change 4", "gone", "backup"}},
	} {
		for _, s := range c.says {
			if !strings.Contains(c.err.Error(), s) {
				t.Errorf("%q does not say %q", c.err, s)
			}
		}
	}
}
