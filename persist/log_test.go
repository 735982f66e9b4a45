package persist_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

func TestLogAppend(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, reopen func()) {
		l := openLog(t, s)
		_, err := l.Header(ctx, doc(1))
		wantErr(t, err, persist.ErrNotFound)
		_, err = changes(l, doc(1), 1)
		wantErr(t, err, persist.ErrNotFound)

		all := some(5, "a")
		a := adding(0, all[:2]...)
		a.Meta = []byte("marks")
		h := mustAppend(t, l, doc(1), a)
		heads, hash := version(2)
		if h.Num != 1 || h.Last != 2 || h.HeadsHash != hash || !slices.Equal(h.Heads, heads) || string(h.Meta) != "marks" {
			t.Fatalf("header after the first append: %+v", h)
		}
		if want := uint64(len(all[0]) + len(all[1])); h.Loose != want || h.Packed != 0 {
			t.Fatalf("Loose %d, Packed %d; want %d and 0", h.Loose, h.Packed, want)
		}
		mustAppend(t, l, doc(1), adding(2, all[2:]...))
		b := adding(0)
		mustAppend(t, l, doc(2), b) // without changes: a document all the same
		wantChanges(t, l, doc(1), 0, all...)
		wantChanges(t, l, doc(1), 4, all[3:]...)
		wantChanges(t, l, doc(1), 6)
		wantChanges(t, l, doc(2), 1)

		l.Close()
		reopen()
		l = openLog(t, s)
		h, err = l.Header(ctx, doc(1))
		if err != nil || h.Last != 5 || string(h.Meta) != "marks" {
			t.Fatalf("header after reopening: %+v, %v", h, err)
		}
		wantChanges(t, l, doc(1), 1, all...)
		var names []persist.Name
		for n, slim := range l.Docs() {
			h, err := l.Header(ctx, n)
			if err != nil || slim != (persist.Slim{Num: h.Num, HeadsHash: h.HeadsHash, Last: h.Last}) {
				t.Fatalf("Docs gives %+v, the header is %+v, %v", slim, h, err)
			}
			names = append(names, n)
		}
		if !slices.Equal(names, []persist.Name{doc(1), doc(2)}) {
			t.Fatalf("Docs gives %v", names)
		}
		if h = mustAppend(t, l, doc(3), adding(0)); h.Num != 3 {
			t.Fatalf("a number was given out twice: %d", h.Num)
		}
		for range l.Docs() {
			break
		}
	})
}

func TestLogOutOfStep(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, _ func()) {
		l := openLog(t, s)
		_, err := l.Append(ctx, doc(1), adding(1, []byte("x")))
		if e := wantAs[*persist.OutOfStepError](t, err); e.Last != 0 || e.After != 1 || e.Name != doc(1) {
			t.Fatalf("%+v", e)
		}
		mustAppend(t, l, doc(1), adding(0, []byte("x")))
		_, err = l.Append(ctx, doc(1), adding(0, []byte("y")))
		wantAs[*persist.OutOfStepError](t, err)
		wantChanges(t, l, doc(1), 1, []byte("x"))
	})
}

func TestLogRefuses(t *testing.T) {
	l := openLog(t, memstore.New())
	for _, a := range []persist.Append{
		{Changes: [][]byte{{}}},
		{Changes: [][]byte{[]byte("x")}, Pack: []byte("p"), Count: 1},
		{Pack: []byte("p")},
		{Count: 1},
		{Pack: []byte{}, Count: 1},
		{Pack: []byte("p"), Count: persist.MaxCount + 1},
	} {
		_, err := l.Append(ctx, doc(1), a)
		wantErr(t, err, persist.ErrInvalid)
	}
	for _, a := range []persist.Append{
		{Changes: [][]byte{make([]byte, persist.MaxRecord+1)}},
		{Pack: make([]byte, persist.MaxRecord+1), Count: 1},
		{Meta: make([]byte, persist.MaxHeader)},
		{Heads: make([]persist.Hash, persist.MaxHeader/32)},
	} {
		_, err := l.Append(ctx, doc(1), a)
		wantErr(t, err, persist.ErrTooLarge)
	}
	_, err := l.Header(ctx, doc(1))
	wantErr(t, err, persist.ErrNotFound)
	l.Close()
	_, err = l.Append(ctx, doc(1), adding(0))
	wantErr(t, err, persist.ErrClosed)
}

// TestLogCopies scribbles over what was passed and returned.
func TestLogCopies(t *testing.T) {
	s := &flaky{Store: memstore.New()}
	l := openLog(t, s)
	before, entered, open := gate()
	s.arm(before, nil)
	go l.Append(ctx, doc(9), adding(0))
	<-entered
	a := adding(0, []byte("change"))
	a.Meta = []byte("meta")
	p := l.Submit(doc(1), a)
	copy(a.Changes[0], "xxxxxx")
	copy(a.Meta, "xxxx")
	a.Heads[0] = persist.Hash{}
	open()
	h, err := p.Wait(ctx)
	heads, _ := version(1)
	if err != nil || string(h.Meta) != "meta" || !slices.Equal(h.Heads, heads) {
		t.Fatalf("%+v, %v", h, err)
	}
	copy(h.Meta, "yyyy")
	h.Heads[0] = persist.Hash{}
	h = mustAppend(t, l, doc(1), persist.Append{After: 1, Heads: heads})
	if string(h.Meta) != "meta" {
		t.Fatalf("the caller wrote into the log's header: %q", h.Meta)
	}
	wantChanges(t, l, doc(1), 1, []byte("change"))
}

// TestLogGroups counts: many appends at once take few Applies.
func TestLogGroups(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, _ func()) {
		l := openLog(t, s)
		before, entered, open := gate()
		s.arm(before, nil)
		first := l.Submit(doc(0), adding(0, []byte("first")))
		<-entered
		var pending []*persist.Pending
		for i := range 200 { // 20 documents, 10 appends each
			pending = append(pending, l.Submit(doc(1+i%20), adding(uint64(i/20), fmt.Append(nil, i))))
		}
		open()
		for _, p := range append(pending, first) {
			if _, err := p.Wait(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.count(); n != 2 {
			t.Fatalf("201 appends took %d Applies, want 2", n)
		}
		wantChanges(t, l, doc(20), 9, []byte("179"), []byte("199"))
	})
}

// TestLogFailedGroup fails an Apply with appends queued behind it: they fail
// too, and the document goes on from where it was.
func TestLogFailedGroup(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, _ func()) {
		l := openLog(t, s)
		mustAppend(t, l, doc(1), adding(0, []byte("1")))
		hold, entered, open := gate()
		s.arm(func(n int) error {
			if err := hold(n); err != nil || n > 1 {
				return err
			}
			return errDisk
		}, nil)
		p2 := l.Submit(doc(1), adding(1, []byte("2")))
		<-entered
		p3 := l.Submit(doc(1), adding(2, []byte("3")))
		p4 := l.Submit(doc(2), adding(0, []byte("other")))
		open()
		_, err := p2.Wait(ctx)
		wantErr(t, err, errDisk)
		_, err = p3.Wait(ctx)
		wantAs[*persist.OutOfStepError](t, err)
		if _, err = p4.Wait(ctx); err != nil {
			t.Fatalf("another document suffered: %v", err)
		}
		wantChanges(t, l, doc(1), 1, []byte("1"))
		mustAppend(t, l, doc(1), adding(1, []byte("two")))
		wantChanges(t, l, doc(1), 1, []byte("1"), []byte("two"))
	})
}

// TestLogHiddenSuccess lets an Apply happen and report an error: the log goes
// by what is on disk.
func TestLogHiddenSuccess(t *testing.T) {
	s := &flaky{Store: memstore.New()}
	l := openLog(t, s)
	s.arm(nil, failFrom(1))
	_, err := l.Append(ctx, doc(1), adding(0, []byte("1")))
	wantErr(t, err, errDisk)
	s.arm(nil, nil)
	_, err = l.Append(ctx, doc(1), adding(0, []byte("one")))
	if e := wantAs[*persist.OutOfStepError](t, err); e.Last != 1 {
		t.Fatalf("%+v", e)
	}
	mustAppend(t, l, doc(1), adding(1, []byte("2")))
	wantChanges(t, l, doc(1), 1, []byte("1"), []byte("2"))

	s.arm(nil, failFrom(1))
	wantErr(t, l.Remove(ctx, doc(1)), errDisk)
	s.arm(nil, nil)
	wantErr(t, l.Remove(ctx, doc(1)), persist.ErrNotFound)
	for n := range l.Docs() {
		t.Fatalf("Docs still shows %v", n)
	}
}

func TestLogConcurrent(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, _ func()) {
		l := openLog(t, s)
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				var all [][]byte
				for i := range 40 {
					c := fmt.Appendf(nil, "%d/%d", w, i)
					if _, err := l.Append(ctx, doc(w), adding(uint64(i), c)); err != nil {
						t.Errorf("Append: %v", err)
						return
					}
					all = append(all, c)
					if i%10 == 9 {
						if err := l.Pack(ctx, doc(w)); err != nil {
							t.Errorf("Pack: %v", err)
						}
						got, err := changes(l, doc(w), 1)
						if err != nil || len(got) != len(all) || string(got[i]) != string(c) {
							t.Errorf("%d changes, %v; want %d", len(got), err, len(all))
						}
					}
				}
			})
		}
		wg.Wait()
	})
}

// TestLogMemory holds the promise of 20 MB for 100,000 documents at rest.
func TestLogMemory(t *testing.T) {
	s := memstore.New()
	l := openLog(t, s)
	var last *persist.Pending
	for i := range 100_000 {
		last = l.Submit(doc(i), adding(0))
	}
	if _, err := last.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	l.Close()
	before := heap()
	l = openLog(t, s)
	if used := int(heap()) - int(before); used > 20<<20 {
		t.Fatalf("the index takes %d MB", used>>20)
	}
	runtime.KeepAlive(l)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestLogFormat(t *testing.T) {
	s := memstore.New()
	openLog(t, s).Close()
	openLog(t, s).Close()

	b := &persist.Batch{}
	b.Put([]byte("f"), []byte{9, 2})
	if err := s.Apply(ctx, b); err != nil {
		t.Fatal(err)
	}
	_, err := persist.OpenLog(ctx, s, joiner{})
	if e := wantAs[*persist.TooNewError](t, err); e.Have != 2 || e.Known != persist.Format {
		t.Fatalf("%+v", e)
	}
	for _, format := range [][]byte{{}, {8, 1}, {9}, {9, 0}, {9, 0x80}} {
		b := &persist.Batch{}
		b.Put([]byte("f"), format)
		if err := s.Apply(ctx, b); err != nil {
			t.Fatal(err)
		}
		_, err = persist.OpenLog(ctx, s, joiner{})
		wantErr(t, err, persist.ErrForeign)
	}

	other := memstore.New()
	if err := other.Apply(ctx, one("somebody's", "data")); err != nil {
		t.Fatal(err)
	}
	_, err = persist.OpenLog(ctx, other, joiner{})
	wantErr(t, err, persist.ErrForeign)
	if _, err := other.Get(ctx, []byte("f")); !errors.Is(err, persist.ErrNotFound) {
		t.Fatalf("a foreign store was written to: %v", err)
	}

	_, err = persist.OpenLog(ctx, &flaky{Store: memstore.New(), before: failFrom(1)}, joiner{})
	wantErr(t, err, errDisk)
	shut := memstore.New()
	shut.Close()
	_, err = persist.OpenLog(ctx, shut, joiner{})
	wantErr(t, err, persist.ErrClosed)
}

func TestSettings(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, _ func()) {
		l := openLog(t, s)
		set := l.Settings()
		mustAppend(t, l, doc(1), adding(0, []byte("x")))
		for _, k := range []string{"b", "a", "ab"} {
			if err := set.Put(ctx, []byte(k), []byte("\x01"+k)); err != nil {
				t.Fatal(err)
			}
		}
		if err := set.Delete(ctx, []byte("b")); err != nil {
			t.Fatal(err)
		}
		_, err := set.Get(ctx, []byte("b"))
		wantErr(t, err, persist.ErrNotFound)
		v, err := set.Get(ctx, []byte("a"))
		if err != nil || string(v) != "\x01a" {
			t.Fatalf("Get: %q, %v", v, err)
		}
		var keys []string
		for e, err := range set.List(ctx, nil) {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, string(e.Key))
		}
		if !slices.Equal(keys, []string{"a", "ab"}) {
			t.Fatalf("List gives %q", keys)
		}
		wantErr(t, set.Put(ctx, nil, nil), persist.ErrKey)
		l.Close()
		wantErr(t, set.Put(ctx, []byte("a"), nil), persist.ErrClosed)
		openLog(t, s)
	})
}
