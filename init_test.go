package tombolo_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"tombolo"
	"tombolo/doc"
)

// defaults is what version n of a program begins a document with.
func defaults(n int) tombolo.Init {
	return func(tx *doc.Tx) error {
		if err := tx.Set("/items", []any{"milk", "eggs"}); err != nil {
			return err
		}
		return tx.Set(fmt.Sprintf("/of%d", n), doc.Text("version"))
	}
}

func begun(t *testing.T, e *tombolo.Engine, s *tombolo.Space, init tombolo.Init) *tombolo.Handle {
	t.Helper()
	h, err := s.OpenNamed(t.Context(), "app", "list", init)
	must(t, err)
	t.Cleanup(func() { h.Close() })
	return h
}

// Two devices that begin a document apart give each item once; where their versions differ, both are there.
func TestInitApart(t *testing.T) {
	for _, c := range []struct {
		there int
		want  string
	}{
		{1, `{"items":["milk","eggs"],"of1":{"$text":"version"}}`},
		{2, `{"items":["milk","eggs","milk","eggs"],"of1":{"$text":"version"},"of2":{"$text":"version"}}`},
	} {
		t.Run(fmt.Sprintf("1 and %d", c.there), func(t *testing.T) {
			t.Parallel()
			laptop, desk := inMemory(t, tombolo.Options{}), inMemory(t, tombolo.Options{})
			here := begun(t, laptop, laptop.Home(), defaults(1))
			there := begun(t, desk, desk.Home(), defaults(c.there))
			set(t, there, "/items/-", "bread")
			must(t, there.Change(t.Context(), "", func(tx *doc.Tx) error { return tx.List("/items").Delete(2, 1) }))
			if r := here.Report(); r.Source != tombolo.Created || r.App != "app" || r.Name != "list" || r.Changes == 0 || r.Took <= 0 {
				t.Errorf("the report: %+v", r)
			}
			pair(t, laptop, desk, true)
			reads(t, here, c.want)
			reads(t, there, c.want)
		})
	}
}

// A connected device that has the document is asked first, and its document is the one.
func TestInitAsksFirst(t *testing.T) {
	t.Parallel()
	laptop, desk := inMemory(t, tombolo.Options{}), inMemory(t, tombolo.Options{})
	pair(t, laptop, desk, true)
	for i := range 10 {
		must(t, desk.Pause(t.Context()))
		connected(t, laptop, false)
		name := fmt.Sprint("list", i)
		there, err := desk.Home().Open(t.Context(), name)
		must(t, err)
		set(t, there, "/n", i)
		must(t, desk.Resume(t.Context()))
		connected(t, laptop, true)
		ran := false
		h, err := laptop.Home().Open(patience(t), name, tombolo.Init(func(tx *doc.Tx) error {
			ran = true
			return tx.Set("/n", -1)
		}))
		must(t, err)
		if got, want := text(t, h), fmt.Sprintf(`{"n":%d}`, i); ran || got != want {
			t.Fatalf("the init ran: %t; the document is %s, want %s", ran, got, want)
		}
		if r := h.Report(); r.Source != tombolo.FromPeer && r.Source != tombolo.FromStore {
			t.Errorf("the report: %+v", r)
		}
		must(t, h.Close())
		must(t, there.Close())
	}
	h, err := laptop.Home().Open(patience(t), "nobody has it", defaults(1))
	must(t, err)
	defer h.Close()
	if r := h.Report(); r.Source != tombolo.Created {
		t.Errorf("the report: %+v", r)
	}
}

// connected waits for a connection to every other device, or for the end of all.
func connected(t *testing.T, e *tombolo.Engine, yes bool) {
	t.Helper()
	for ctx := patience(t); ; {
		news := e.News()
		s, err := e.Status(ctx)
		must(t, err)
		if !slices.ContainsFunc(s.Peers, func(p tombolo.PeerStatus) bool { return p.Connected != yes }) {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatalf("connected: still not %t", yes)
		}
	}
}

// What cannot begin a document is refused, and leaves none behind.
func TestInitRefuses(t *testing.T) {
	e := inMemory(t, tombolo.Options{Offline: true})
	mine := errors.New("mine")
	for want, init := range map[error]tombolo.Init{
		mine:           func(*doc.Tx) error { return mine },
		doc.ErrNotSame: func(tx *doc.Tx) error { return tx.Set("/n", rand.Int64()) },
	} {
		if _, err := e.Home().Open(t.Context(), "list", init); !errors.Is(err, want) {
			t.Errorf("the error is %v, want %v", err, want)
		}
	}
	list, err := e.Home().List(t.Context())
	must(t, err)
	if len(list) != 0 {
		t.Errorf("there is %v", list)
	}
	if _, err := e.Home().Create(t.Context(), nil, defaults(1)); err == nil {
		t.Error("Create took an Init")
	}
	if _, err := e.Home().Find(t.Context(), "", "list", defaults(1)); err == nil {
		t.Error("Find took an Init")
	}
	h, err := e.Home().Open(t.Context(), "list", defaults(1))
	must(t, err)
	set(t, h, "/items", []any{})
	must(t, h.Close())
	h, err = e.Home().Open(t.Context(), "list", tombolo.Init(func(*doc.Tx) error { return mine }))
	must(t, err)
	defer h.Close()
	if got := text(t, h); got != `{"items":[],"of1":{"$text":"version"}}` {
		t.Errorf("opened again the document is %s", got)
	}
	if r := h.Report(); r.Source != tombolo.FromStore || r.Changes == 0 || r.Bytes == 0 {
		t.Errorf("the report: %+v", r)
	}
}

// "Not yet" names the devices that may have a document and were not asked; "not found" says that nobody has it.
func TestNotFoundAndNotYet(t *testing.T) {
	laptop, desk := inMemory(t, tombolo.Options{}), inMemory(t, tombolo.Options{Name: "desk"})
	if _, err := laptop.Home().Find(t.Context(), "", "list"); !errors.Is(err, tombolo.ErrNotFound) || isNotYet(err) {
		t.Errorf("without other devices: %v", err)
	}
	pair(t, laptop, desk, false)
	for ctx := patience(t); ; {
		news := laptop.News()
		_, err := laptop.Home().Find(t.Context(), "", "list")
		if errors.Is(err, tombolo.ErrNotFound) && !isNotYet(err) {
			break
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatalf("the connected device was not asked: %v", err)
		}
	}
	must(t, desk.Pause(t.Context()))
	for ctx := patience(t); ; {
		news := laptop.News()
		_, err := laptop.Home().Find(t.Context(), "", "list")
		if not, ok := errors.AsType[*tombolo.NotYetError](err); ok && errors.Is(err, tombolo.ErrNotFound) && len(not.Unasked) == 1 && not.Unasked[0].Name == "desk" {
			break
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatalf("while the other device is away: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := laptop.Home().Open(ctx, "list", defaults(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: %v", err)
	}
}

func isNotYet(err error) bool {
	_, ok := errors.AsType[*tombolo.NotYetError](err)
	return ok
}
