package persist_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

// records returns the records of a document, data left out.
func records(t testing.TB, l *persist.Log, name persist.Name, from uint64) (got []persist.Record) {
	t.Helper()
	for r, err := range l.Records(ctx, name, from) {
		if err != nil {
			t.Fatalf("Records: %v", err)
		}
		r.Data = nil
		got = append(got, r)
	}
	return got
}

func wantRecords(t testing.TB, l *persist.Log, name persist.Name, from uint64, want ...persist.Record) {
	t.Helper()
	got := records(t, l, name, from)
	same := func(a, b persist.Record) bool {
		return a.First == b.First && a.Last == b.Last && a.Packed == b.Packed
	}
	if !slices.EqualFunc(got, want, same) {
		t.Fatalf("records are %+v, want %+v", got, want)
	}
}

func mustPack(t testing.TB, l *persist.Log, name persist.Name) persist.Header {
	t.Helper()
	if err := l.Pack(ctx, name); err != nil {
		t.Fatalf("Pack: %v", err)
	}
	h, err := l.Header(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// appendPack appends changes as one pack.
func appendPack(t testing.TB, l *persist.Log, name persist.Name, after uint64, changes ...[]byte) persist.Header {
	t.Helper()
	pack, _ := joiner{}.Pack(changes)
	a := adding(after, changes...)
	a.Changes, a.Pack, a.Count = nil, pack, len(changes)
	return mustAppend(t, l, name, a)
}

func TestPack(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, reopen func()) {
		l := openLog(t, s)
		wantErr(t, l.Pack(ctx, doc(1)), persist.ErrNotFound)
		all := some(3000, "p")
		mustAppend(t, l, doc(1), adding(0, all[:2900]...))
		h := mustPack(t, l, doc(1))
		if h.Packed != 2900 || h.Loose != 0 || h.Generation != 2 || h.Last != 2900 {
			t.Fatalf("header after Pack: %+v", h)
		}
		got := records(t, l, doc(1), 1)
		if len(got) != 2 || !got[0].Packed || !got[1].Packed {
			t.Fatalf("records after Pack: %+v", got)
		}
		keys := 0
		for _, err := range s.List(ctx, []byte("r")) {
			if err != nil {
				t.Fatal(err)
			}
			keys++
		}
		if keys != 2 {
			t.Fatalf("%d records are left of 2900, want 2", keys)
		}
		if again := mustPack(t, l, doc(1)); again.Generation != 2 {
			t.Fatalf("a second Pack did something: %+v", again)
		}
		mustAppend(t, l, doc(1), adding(2900, all[2900:]...))
		wantChanges(t, l, doc(1), 1, all...)
		wantChanges(t, l, doc(1), 100, all[99:]...)
		wantChanges(t, l, doc(1), 2899, all[2898:]...)
		wantRecords(t, l, doc(1), got[1].First+5, append(got[1:2:2], single(2901, 3000)...)...)
		l.Close()
		reopen()
		wantChanges(t, openLog(t, s), doc(1), 1, all...)
	})
}

// single returns the records of loose changes from one number to another.
func single(from, to uint64) (r []persist.Record) {
	for ; from <= to; from++ {
		r = append(r, persist.Record{First: from, Last: from})
	}
	return r
}

// TestAppendPack mixes received packs with loose changes.
func TestAppendPack(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, _ func()) {
		l := openLog(t, s)
		all := some(40, "m")
		if h := appendPack(t, l, doc(1), 0, all[:10]...); h.Packed != 10 || h.Last != 10 || h.Loose != 0 {
			t.Fatalf("header after a pack: %+v", h)
		}
		mustAppend(t, l, doc(1), adding(10, all[10:15]...))
		if h := appendPack(t, l, doc(1), 15, all[15:30]...); h.Packed != 10 || h.Last != 30 {
			t.Fatalf("header after a pack behind loose changes: %+v", h)
		}
		mustAppend(t, l, doc(1), adding(30, all[30:]...))
		wantChanges(t, l, doc(1), 1, all...)
		wantChanges(t, l, doc(1), 20, all[19:]...)
		if h := mustPack(t, l, doc(1)); h.Packed != 40 || h.Loose != 0 {
			t.Fatalf("header after Pack: %+v", h)
		}
		wantRecords(t, l, doc(1), 1,
			persist.Record{First: 1, Last: 10, Packed: true}, persist.Record{First: 11, Last: 15, Packed: true},
			persist.Record{First: 16, Last: 30, Packed: true}, persist.Record{First: 31, Last: 40, Packed: true})
		wantChanges(t, l, doc(1), 1, all...)

		big := large(3 << 20)
		appendPack(t, l, doc(2), 0, big, []byte("x"))
		wantChanges(t, l, doc(2), 2, []byte("x"))
		wantChanges(t, l, doc(2), 1, big, []byte("x"))
	})
}

func TestLargeChanges(t *testing.T) {
	onStores(t, func(t *testing.T, s *flaky, reopen func()) {
		l := openLog(t, s)
		all := [][]byte{[]byte("1"), large(persist.MaxRecord), []byte("3"), large(240 << 10), large(240<<10 + 1), large(700 << 10), []byte("7")}
		mustAppend(t, l, doc(1), adding(0, all...))
		wantChanges(t, l, doc(1), 1, all...)
		wantChanges(t, l, doc(1), 3, all[2:]...)
		h := mustPack(t, l, doc(1)) // none of them gains
		if h.Packed != 6 || h.Loose != 1 {
			t.Fatalf("header after Pack: Packed %d, Loose %d; the last run waits for more", h.Packed, h.Loose)
		}
		l.Close()
		reopen()
		l = openLog(t, s)
		wantChanges(t, l, doc(1), 1, all...)
		mustAppend(t, l, doc(1), adding(7, []byte("8")))
		if h := mustPack(t, l, doc(1)); h.Packed != 8 {
			t.Fatalf("Packed %d, want 8", h.Packed)
		}
		wantChanges(t, l, doc(1), 1, append(all, []byte("8"))...)
	})
}

// shrinker packs one change of zeros into its length: what gains in one record.
type shrinker struct{}

func (shrinker) Pack(c [][]byte) ([]byte, error) {
	if len(c) == 1 && len(bytes.Trim(c[0], "\x00")) == 0 {
		return make([]byte, len(c[0])/1000), nil
	}
	return joiner{}.Pack(c)
}

func (shrinker) Unpack(p []byte) ([][]byte, error) {
	if len(bytes.Trim(p, "\x00")) == 0 {
		return [][]byte{make([]byte, len(p)*1000)}, nil
	}
	return joiner{}.Unpack(p)
}

// TestPackLargeChange replaces a change in many parts by a pack in one.
func TestPackLargeChange(t *testing.T) {
	s := memstore.New()
	l, err := persist.OpenLog(ctx, s, shrinker{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	all := [][]byte{make([]byte, 3_000_000), []byte("two")}
	mustAppend(t, l, doc(1), adding(0, all...))
	mustPack(t, l, doc(1))
	wantChanges(t, l, doc(1), 1, all...)
	keys := 0
	for range s.List(ctx, []byte("r")) {
		keys++
	}
	if keys != 2 {
		t.Fatalf("%d records are left, want the pack and the change", keys)
	}
}

// broken is a codec that lies in one way or another.
type broken struct {
	joiner
	pack, unpack error
	lies         bool
}

func (b broken) Pack(c [][]byte) ([]byte, error) {
	if b.lies {
		c = c[:len(c)-1]
	}
	p, _ := b.joiner.Pack(c)
	return p, b.pack
}

func (b broken) Unpack(p []byte) ([][]byte, error) {
	c, _ := b.joiner.Unpack(p)
	return c, b.unpack
}

func TestPackProves(t *testing.T) {
	sick := errors.New("sick")
	for _, c := range []persist.Codec{broken{pack: sick}, broken{unpack: sick}, broken{lies: true}} {
		s := memstore.New()
		l, err := persist.OpenLog(ctx, s, c)
		if err != nil {
			t.Fatal(err)
		}
		all := some(50, "b")
		before := mustAppend(t, l, doc(1), adding(0, all...))
		wantErr(t, l.Pack(ctx, doc(1)), persist.ErrCodec)
		h, err := l.Header(ctx, doc(1))
		if err != nil || h.Generation != before.Generation || h.Packed != 0 {
			t.Fatalf("a Pack that failed changed the header: %+v, %v", h, err)
		}
		wantChanges(t, l, doc(1), 1, all...)
		l.Close()
	}
}

// slow is a codec whose first Pack waits to be let on.
type slow struct {
	joiner
	entered, leave chan struct{}
	began          *atomic.Bool
}

func (s slow) Pack(c [][]byte) ([]byte, error) {
	if s.began.CompareAndSwap(false, true) {
		close(s.entered)
		<-s.leave
	}
	return s.joiner.Pack(c)
}

// TestPackMeanwhile appends, packs, moves and removes under a Pack.
func TestPackMeanwhile(t *testing.T) {
	all := some(60, "w")
	for what, c := range map[string]struct {
		meanwhile func(*persist.Log) error
		err       error
		after     persist.Name
	}{
		"append": {func(l *persist.Log) error {
			_, err := l.Append(ctx, doc(1), adding(50, all[50:]...))
			return err
		}, nil, doc(1)},
		"pack":   {func(l *persist.Log) error { return l.Pack(ctx, doc(1)) }, nil, doc(1)},
		"move":   {func(l *persist.Log) error { return l.Move(ctx, doc(1), doc(2)) }, persist.ErrNotFound, doc(2)},
		"remove": {func(l *persist.Log) error { return l.Remove(ctx, doc(1)) }, persist.ErrNotFound, doc(1)},
	} {
		t.Run(what, func(t *testing.T) {
			codec := slow{entered: make(chan struct{}), leave: make(chan struct{}), began: &atomic.Bool{}}
			l, err := persist.OpenLog(ctx, memstore.New(), codec)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			mustAppend(t, l, doc(1), adding(0, all[:50]...))
			end := make(chan error)
			go func() { end <- l.Pack(ctx, doc(1)) }()
			<-codec.entered
			if err := c.meanwhile(l); err != nil {
				t.Fatal(err)
			}
			close(codec.leave)
			wantErr(t, <-end, c.err)
			switch what {
			case "append":
				wantChanges(t, l, c.after, 1, all...)
			case "remove":
				_, err := l.Header(ctx, c.after)
				wantErr(t, err, persist.ErrNotFound)
			default:
				wantChanges(t, l, c.after, 1, all[:50]...)
			}
		})
	}
}

// TestKthApplyFails fails each Apply of a story in turn, in both ways; what was
// acknowledged is there afterwards, and the story can go on.
func TestKthApplyFails(t *testing.T) {
	first := append(some(900, "k"), large(900<<10))
	second := append(some(900, "l"), large(2<<20), []byte("end"))
	all := append(slices.Clone(first), second...)
	story := func(l *persist.Log) (acked int, err error) {
		if _, err = l.Append(ctx, doc(1), adding(0, first...)); err != nil {
			return 0, err
		}
		p := l.Submit(doc(1), adding(uint64(len(first)), second...))
		defer func() {
			if _, e := p.Wait(ctx); e == nil {
				acked = len(all)
			}
		}()
		if err = l.Pack(ctx, doc(1)); err != nil {
			return len(first), err
		}
		if err = l.PutCache(ctx, doc(1), 1, uint64(len(first)), large(1<<20)); err != nil {
			return len(first), err
		}
		return len(first), l.Pack(ctx, doc(1))
	}
	for _, hidden := range []bool{false, true} {
		for k := 1; ; k++ {
			s := &flaky{Store: memstore.New()}
			l := openLog(t, s)
			if hidden {
				s.arm(nil, failFrom(k))
			} else {
				s.arm(failFrom(k), nil)
			}
			acked, err := story(l)
			applies := s.count()
			s.arm(nil, nil)
			for range 2 { // as it stands, and reopened
				h, herr := l.Header(ctx, doc(1))
				if herr != nil && (acked > 0 || !errors.Is(herr, persist.ErrNotFound)) {
					t.Fatalf("k=%d hidden=%v: %d acknowledged, then %v", k, hidden, acked, herr)
				}
				if h.Last < uint64(acked) || h.Last != 0 && h.Last != uint64(len(first)) && h.Last != uint64(len(all)) {
					t.Fatalf("k=%d hidden=%v: Last is %d, %d acknowledged", k, hidden, h.Last, acked)
				}
				if h.Last > 0 {
					wantChanges(t, l, doc(1), 1, all[:h.Last]...)
				}
				if at, data, cerr := l.Cache(ctx, doc(1), 1); cerr == nil {
					if at != uint64(len(first)) || sha256.Sum256(data) != sha256.Sum256(large(1<<20)) {
						t.Fatalf("k=%d hidden=%v: a cache that was never put", k, hidden)
					}
				}
				l.Close()
				l = openLog(t, s)
			}
			h, _ := l.Header(ctx, doc(1))
			more := []byte("and on")
			mustAppend(t, l, doc(1), adding(h.Last, more))
			mustPack(t, l, doc(1))
			wantChanges(t, l, doc(1), 1, append(slices.Clone(all[:h.Last]), more)...)
			l.Close()
			if err == nil {
				if applies >= k {
					t.Fatalf("k=%d hidden=%v: the failure was swallowed", k, hidden)
				}
				break
			}
		}
	}
}
