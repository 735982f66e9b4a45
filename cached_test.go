package tombolo_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"iter"
	"slices"
	gosync "sync"
	"testing"
	"testing/synctest"
	"time"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist"
)

// shelf is a disk on which the reading of changes waits or fails when told to, and which may refuse to keep caches.
type shelf struct {
	*disk

	mu      gosync.Mutex
	gate    chan struct{} // reading waits until it is closed; nil if it need not
	fails   error         // reading fails so
	nocache bool
}

func (s *shelf) List(ctx context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	return func(yield func(persist.Entry, error) bool) {
		if len(prefix) > 0 && prefix[0] == 'r' {
			s.mu.Lock()
			gate := s.gate
			s.mu.Unlock()
			if gate != nil {
				select {
				case <-gate:
				case <-ctx.Done():
				}
			}
			s.mu.Lock()
			fails := s.fails
			s.mu.Unlock()
			if fails != nil {
				yield(persist.Entry{}, fails)
				return
			}
		}
		s.disk.List(ctx, prefix)(yield)
	}
}

func (s *shelf) Apply(ctx context.Context, b *persist.Batch) error {
	s.mu.Lock()
	nocache := s.nocache
	s.mu.Unlock()
	for op := range b.Ops() {
		if nocache && op.Key[0] == 'c' {
			return errDisk
		}
	}
	return s.disk.Apply(ctx, b)
}

func (s *shelf) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// large makes a device with a document of more than a thousand changes, closes it, and gives where it is.
func large(t *testing.T, last func(*doc.Tx) error) (*shelf, string, doc.URL) {
	t.Helper()
	s, dir := &shelf{disk: newDisk()}, t.TempDir()
	e := open(t, dir, tombolo.Options{Store: s, Offline: true, Save: tombolo.Coalesce{}})
	h, err := e.Home().Open(t.Context(), "large")
	must(t, err)
	for i := range 1000 {
		set(t, h, "/n", i)
	}
	must(t, h.Change(t.Context(), "", last))
	u := h.URL()
	must(t, e.Close())
	return s, dir, u
}

func again(t *testing.T, s *shelf, dir string) *tombolo.Engine {
	t.Helper()
	return open(t, dir, tombolo.Options{Store: s, Offline: true})
}

// The value of a large document is there before its changes are read. What needs these waits.
func TestValueBeforeTheDocument(t *testing.T) {
	t.Parallel()
	s, dir, u := large(t, put("/title", doc.Text("hello")))
	gate := make(chan struct{})
	s.set(func() { s.gate = gate })
	e := again(t, s, dir)
	h, err := e.Home().Open(t.Context(), "large")
	must(t, err)
	defer h.Close()
	if r := h.Report(); !r.Cached || r.Source != tombolo.FromStore || r.Changes < 1000 || r.Name != "large" || r.Bytes == 0 {
		t.Errorf("the report: %+v", r)
	}
	if got := text(t, h); got != `{"n":999,"title":{"$text":"hello"}}` || h.URL() != u {
		t.Errorf("the value is %s", got)
	}
	var into struct {
		N     int    `doc:"n"`
		Title string `doc:"title"`
	}
	must(t, h.Read(&into))
	n, err := h.Get("/n")
	must(t, err)
	if into.N != 999 || into.Title != "hello" || n != int64(999) {
		t.Errorf("it reads %+v and %v", into, n)
	}
	hash, err := h.Hash()
	must(t, err)
	heads := h.Heads()
	if st, err := h.Status(t.Context()); err != nil || st.State != tombolo.StateLoading {
		t.Errorf("its state is %q, %v", st.State, err)
	}

	s.breaks(nil) // counts from here
	changed := make(chan error)
	go func() { changed <- h.Change(t.Context(), "", put("/n", -1)) }()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Change(over, "", put("/n", -2)); !errors.Is(err, context.Canceled) {
		t.Errorf("a change while it is read, with a context that is over: %v", err)
	}
	if s.writes() != 0 || h.HasUnsaved() {
		t.Error("something was written while it was read")
	}
	if got := text(t, h); got != `{"n":999,"title":{"$text":"hello"}}` {
		t.Errorf("while it is read the value is %s", got)
	}
	close(gate)
	must(t, <-changed)
	if got := text(t, h); got != `{"n":-1,"title":{"$text":"hello"}}` {
		t.Errorf("afterwards the value is %s", got)
	}
	v, err := h.At(heads)
	must(t, err)
	if got, err := v.JSON(""); err != nil || sha256.Sum256(got) != hash {
		t.Errorf("the value before was %s, %v", got, err)
	}
}

// A document that does not read behind its value is not written, and says so; nothing is lost.
func TestNeverSavedWithoutBeingRead(t *testing.T) {
	t.Parallel()
	s, dir, u := large(t, put("/title", "hello"))
	gate := make(chan struct{})
	s.set(func() { s.gate, s.fails = gate, errDisk })
	e := again(t, s, dir)
	h, err := e.Document(t.Context(), u, tombolo.Coalesce{})
	must(t, err)
	defer h.Close()
	want := text(t, h)
	s.breaks(nil)
	changed := make(chan error)
	go func() { changed <- h.Change(t.Context(), "", put("/n", -1)) }()
	close(gate)
	if err := <-changed; !errors.Is(err, errDisk) {
		t.Errorf("a change of a document that does not read: %v", err)
	}
	if _, err := h.JSON(""); !errors.Is(err, errDisk) {
		t.Errorf("reading it: %v", err)
	}
	if h.HasUnsaved() || s.writes() != 0 {
		t.Errorf("unsaved %t, %d writes", h.HasUnsaved(), s.writes())
	}
	s.set(func() { s.fails = nil })
	if got := text(t, h); got != want {
		t.Errorf("when the disk answers again it is %s", got)
	}
	set(t, h, "/n", -1)
	must(t, h.Flush(t.Context()))
}

// A value of another version is not shown, nor one that JSON would give back otherwise.
func TestValueOfAnotherVersion(t *testing.T) {
	t.Parallel()
	s, dir, u := large(t, put("/title", "hello"))
	s.set(func() { s.nocache = true })
	e := again(t, s, dir)
	h, err := e.Document(t.Context(), u)
	must(t, err)
	set(t, h, "/title", "good bye")
	must(t, e.Close())
	e = again(t, s, dir)
	h, err = e.Document(t.Context(), u)
	must(t, err)
	if got := text(t, h); got != `{"n":999,"title":"good bye"}` || h.Report().Cached {
		t.Errorf("it is %s, cached %t", got, h.Report().Cached)
	}
	s.set(func() { s.nocache = false })
	must(t, e.Close())
	e = again(t, s, dir)
	h, err = e.Document(t.Context(), u)
	must(t, err)
	if got := text(t, h); got != `{"n":999,"title":"good bye"}` || !h.Report().Cached {
		t.Errorf("it is %s, cached %t", got, h.Report().Cached)
	}
	must(t, e.Close())

	s, dir, u = large(t, put("/n", uint64(5)))
	e = again(t, s, dir)
	h, err = e.Document(t.Context(), u)
	must(t, err)
	if n, err := h.Get("/n"); err != nil || n != uint64(5) || h.Report().Cached {
		t.Errorf("it is %T, %v, cached %t", n, err, h.Report().Cached)
	}
	must(t, h.Close())
}

// The engine may close while a document is being read.
func TestCloseWhileReading(t *testing.T) {
	t.Parallel()
	s, dir, u := large(t, put("/title", "hello"))
	s.set(func() { s.gate = make(chan struct{}) })
	e := again(t, s, dir)
	h, err := e.Document(t.Context(), u)
	must(t, err)
	if !h.Report().Cached {
		t.Error("the value was not kept")
	}
	must(t, e.Close())
	if _, err := h.JSON(""); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("reading after Close: %v", err)
	}
}

// With other devices, a document that is being read gives and takes changes when it has been.
func TestValueAndPeers(t *testing.T) {
	t.Parallel()
	s, dir, u := large(t, put("/title", "hello"))
	gate := make(chan struct{})
	s.set(func() { s.gate = gate })
	e := open(t, dir, tombolo.Options{Store: s})
	h, err := e.Document(t.Context(), u)
	must(t, err)
	defer h.Close()
	desk := inMemory(t, tombolo.Options{})
	pair(t, e, desk, false)
	want := text(t, h)
	close(gate)
	there := arrives(t, desk, u)
	reads(t, there, want)
	set(t, there, "/title", "good bye")
	reads(t, h, `{"n":999,"title":"good bye"}`)
	if !slices.Equal(h.Heads(), there.Heads()) {
		must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	}
}

// The value is kept when a document that stays open has gone quiet, not only when it is closed.
func TestValueWhenQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{disk: newDisk()}
		e := open(t, t.TempDir(), tombolo.Options{Store: s, Offline: true})
		h, err := e.Home().Create(t.Context(), nil, tombolo.Coalesce{})
		must(t, err)
		kept := func() (n int) {
			for _, err := range s.disk.List(t.Context(), []byte{'c'}) {
				must(t, err)
				n++
			}
			return n
		}
		for i := range 1000 {
			set(t, h, "/n", i)
		}
		must(t, h.Flush(t.Context()))
		sleep(20 * time.Second)
		if kept() != 0 {
			t.Error("it was kept at once")
		}
		sleep(20 * time.Second)
		if kept() == 0 {
			t.Error("it was not kept")
		}
		s.breaks(nil)
		sleep(time.Hour)
		if s.writes() != 0 {
			t.Errorf("%d writes in an hour without edits", s.writes())
		}
		must(t, h.Close())
	})
}

// Damage that is found behind a value that is shown ends the showing, and the document heals under its handles.
func TestDamageBehindTheValue(t *testing.T) {
	t.Parallel()
	s, dir, u := large(t, put("/title", "hello"))
	e := open(t, dir, tombolo.Options{Store: s})
	desk := inMemory(t, tombolo.Options{})
	pair(t, e, desk, false)
	there := arrives(t, desk, u)
	must(t, there.Wait(patience(t), tombolo.OnDevices(2)))
	want := text(t, there) // all of it has arrived
	must(t, e.Close())
	for _, r := range s.entries(t, "r") {
		s.flip(t, r)
	}
	gate := make(chan struct{})
	s.set(func() { s.gate = gate })
	e = open(t, dir, tombolo.Options{Store: s})
	h, err := e.Document(t.Context(), u)
	must(t, err)
	defer h.Close()
	if text(t, h) != want || !h.Report().Cached {
		t.Error("the value is not shown")
	}
	close(gate)
	ctx := patience(t)
	for {
		news := e.News()
		got, err := h.JSON("")
		if err == nil && string(got) != want {
			t.Fatalf("it is shown as %s", got)
		}
		if err == nil && len(s.entries(t, "q")) == 0 && has(h, "/title") {
			if st, err := h.Status(ctx); err == nil && st.State == tombolo.StateReady {
				break
			}
		}
		if err != nil && !isDamaged(err) {
			t.Fatal(err)
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatal("it did not heal")
		}
	}
	set(t, h, "/title", "again")
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
}

// A document whose damage is found while it is being opened is damaged, not missing.
func TestDamageWhileOpening(t *testing.T) {
	t.Parallel()
	for range 3 { // the value may still be in time
		s, dir, u := large(t, put("/title", "hello"))
		for _, r := range s.entries(t, "r") {
			s.flip(t, r)
		}
		e := again(t, s, dir)
		h, err := e.Document(t.Context(), u)
		if err == nil {
			must(t, h.Close())
		} else if !isDamaged(err) {
			t.Errorf("opening it: %v", err)
		}
		must(t, e.Close())
	}
}
