package tombolo_test

import (
	"context"
	"errors"
	"fmt"
	gosync "sync"
	"testing"

	"tombolo"
	"tombolo/doc"
)

// Every method says that it is too late, once Close has begun; the second Close says what the first said.
func TestEverythingAfterClose(t *testing.T) {
	e := inMemory(t, tombolo.Options{})
	other := inMemory(t, tombolo.Options{})
	inv, err := other.Invite(t.Context(), tombolo.Invite{})
	must(t, err)
	h, err := e.Home().Open(t.Context(), "list")
	must(t, err)
	news := e.News()
	must(t, e.Close())
	must(t, e.Close())
	awaits(t, "the end of the news", news)
	awaits(t, "the end of later news", e.News())

	afterClose(t, h)
	for name, do := range map[string]func() error{
		"Document": func() error { _, err := e.Document(t.Context(), h.URL()); return err },
		"Invite":   func() error { _, err := e.Invite(t.Context(), tombolo.Invite{}); return err },
		"Join":     func() error { _, err := e.Join(t.Context(), inv.Link, tombolo.JoinOptions{}); return err },
		"Status":   func() error { _, err := e.Status(t.Context()); return err },
		"Pause":    func() error { return e.Pause(t.Context()) },
		"Resume":   func() error { return e.Resume(t.Context()) },
		"Open":     func() error { _, err := e.Home().Open(t.Context(), "list"); return err },
		"Create":   func() error { _, err := e.Home().Create(t.Context(), nil); return err },
		"Import":   func() error { _, err := e.Home().Import(t.Context(), "", nil); return err },
		"Find":     func() error { _, err := e.Home().Find(t.Context(), "", "list"); return err },
		"List":     func() error { _, err := e.Home().List(t.Context()); return err },
	} {
		if err := do(); !errors.Is(err, tombolo.ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	must(t, h.Close())
	must(t, h.Close())
}

// afterClose checks the methods of a handle that is closed, or whose engine is.
func afterClose(t *testing.T, h *tombolo.Handle) {
	t.Helper()
	for name, do := range map[string]func() error{
		"Change":      func() error { return h.Change(t.Context(), "", put("/n", 1)) },
		"ChangeAsync": func() error { _, err := h.ChangeAsync(t.Context(), "", put("/n", 1)); return err },
		"ChangeAt":    func() error { _, err := h.ChangeAt(t.Context(), h.Heads(), "", put("/n", 1)); return err },
		"Merge":       func() error { _, err := h.Merge(t.Context(), nil); return err },
		"Flush":       func() error { return h.Flush(t.Context()) },
		"Get":         func() error { _, err := h.Get(""); return err },
		"JSON":        func() error { _, err := h.JSON(""); return err },
		"Hash":        func() error { _, err := h.Hash(); return err },
		"Read":        func() error { var v any; return h.Read(&v) },
		"View":        func() error { return h.View(func(doc.View) error { return nil }) },
		"At":          func() error { _, err := h.At(nil); return err },
		"Diff":        func() error { _, err := h.Diff(nil, nil); return err },
		"Conflicts":   func() error { _, err := h.Conflicts("/n"); return err },
		"Cursor":      func() error { _, err := h.Cursor("/n", 0); return err },
		"Revert":      func() error { return h.Revert(t.Context(), nil) },
		"Undo":        func() error { return h.Undo(t.Context()) },
		"Redo":        func() error { return h.Redo(t.Context()) },
		"Export":      func() error { _, err := h.Export(t.Context()); return err },
		"History": func() (last error) {
			for _, err := range h.History() {
				last = err
			}
			return last
		},
		"Status": func() error { _, err := h.Status(t.Context()); return err },
		"Wait":   func() error { return h.Wait(t.Context(), tombolo.OnDevices(9)) },
	} {
		if err := do(); !errors.Is(err, tombolo.ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	for range h.Watch(t.Context()) {
		t.Error("Watch after Close told something")
	}
}

// A closed handle is over for those who still use it, and for them alone.
func TestClosedHandle(t *testing.T) {
	e := inMemory(t, tombolo.Options{Offline: true})
	a, err := e.Home().Open(t.Context(), "list")
	must(t, err)
	b, err := e.Home().Open(t.Context(), "list")
	must(t, err)
	defer b.Close()
	var users gosync.WaitGroup
	events := a.Watch(t.Context())
	users.Go(func() {
		for range events {
		}
	})
	users.Go(func() {
		if err := a.Wait(t.Context(), tombolo.OnDevices(2)); !errors.Is(err, tombolo.ErrClosed) {
			t.Errorf("Wait on a handle that was closed meanwhile: %v", err)
		}
	})
	must(t, a.Close())
	users.Wait()
	afterClose(t, a)
	set(t, b, "/n", 1)
}

// Contexts that have ended end the calls, and leave nothing behind.
func TestEndedContext(t *testing.T) {
	e := inMemory(t, tombolo.Options{})
	h, err := e.Home().Create(t.Context(), nil)
	must(t, err)
	defer h.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, do := range map[string]func() error{
		"Change": func() error { return h.Change(ctx, "", put("/n", 1)) },
		"Wait":   func() error { return h.Wait(ctx, tombolo.OnDevices(2)) },
		"Create": func() error { _, err := e.Home().Create(ctx, nil); return err },
		"Invite": func() error { _, err := e.Invite(ctx, tombolo.Invite{}); return err },
	} {
		if err := do(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range h.Watch(ctx) {
		t.Error("Watch told something")
	}
	if got := text(t, h); got != "{}" {
		t.Errorf("the document is %s", got)
	}
}

// Close in the middle of everything: every call ends, nothing acknowledged is lost. Run it with -race.
func TestCloseInTheMiddle(t *testing.T) {
	for round := range 4 {
		t.Run(fmt.Sprint(round), func(t *testing.T) { closeInTheMiddle(t, round) })
	}
}

func closeInTheMiddle(t *testing.T, round int) {
	d, dir := newDisk(), t.TempDir()
	desk := open(t, dir, tombolo.Options{Name: "desk", Store: d})
	laptop := inMemory(t, tombolo.Options{Name: "laptop"})
	var docs []*tombolo.Handle
	for i := range 60 {
		h, err := laptop.Home().Create(t.Context(), map[string]any{"n": i})
		must(t, err)
		docs = append(docs, h)
	}
	mine, err := desk.Home().Create(t.Context(), nil)
	must(t, err)
	inv, err := laptop.Invite(t.Context(), tombolo.Invite{})
	must(t, err)

	home := desk.Home()
	var users gosync.WaitGroup
	use := func(what string, do func(i int) error) {
		users.Go(func() {
			for i := 0; ; i++ {
				if err := do(i); errors.Is(err, tombolo.ErrClosed) {
					return
				} else if err != nil {
					t.Errorf("%s: %v", what, err)
					return
				}
			}
		})
	}
	acked := 0
	halfway := make(chan struct{})
	use("change", func(i int) error {
		if err := mine.Change(t.Context(), "", put("/n", i)); err != nil {
			return err
		}
		if acked = i; i == 20*round {
			close(halfway)
		}
		return nil
	})
	use("change apart", func(i int) error {
		p, err := mine.ChangeAsync(t.Context(), "", put("/m", i))
		if err == nil && i%32 == 31 {
			err = p.Wait(t.Context())
		}
		return err
	})
	use("wait", func(int) error { return mine.Wait(t.Context(), tombolo.OnDevices(9)) })
	use("status", func(int) error { _, err := desk.Status(t.Context()); return err })
	use("list", func(int) error { _, err := desk.Home().List(t.Context()); return err })
	use("open", func(i int) error {
		at := desk.Home()
		h, err := at.Open(t.Context(), fmt.Sprint(i%20))
		if err != nil && at.Role() == "removed" && !errors.Is(err, tombolo.ErrClosed) {
			return nil // it has been adopted meanwhile
		}
		if err != nil {
			return err
		}
		return h.Close()
	})
	use("invite", func(int) error {
		_, err := desk.Invite(t.Context(), tombolo.Invite{Space: home})
		if home.Role() != "owner" && !errors.Is(err, tombolo.ErrClosed) {
			return nil // it has been adopted meanwhile
		}
		return err
	})
	use("edit there", func(i int) error { return docs[i%len(docs)].Change(t.Context(), "", put("/more", i)) })
	users.Go(func() {
		for range mine.Watch(t.Context()) {
		}
	})
	users.Go(func() {
		_, err := desk.Join(t.Context(), inv.Link, tombolo.JoinOptions{Adopt: round%2 == 0})
		if err != nil && !errors.Is(err, tombolo.ErrClosed) {
			t.Errorf("join: %v", err)
		}
	})
	awaits(t, "the first half", halfway)
	for range 3 {
		users.Go(func() { must(t, desk.Close()) })
	}
	must(t, desk.Close())
	must(t, laptop.Close())
	users.Wait()

	again := open(t, dir, tombolo.Options{Offline: true, Store: d})
	h := anywhere(t, again, mine.URL())
	defer h.Close()
	var v struct {
		N int `doc:"n"`
	}
	must(t, h.Read(&v))
	if v.N < acked {
		t.Errorf("on disk is change %d, %d was acknowledged", v.N, acked)
	}
}

// anywhere opens a document in whichever space it is.
func anywhere(t *testing.T, e *tombolo.Engine, u doc.URL) *tombolo.Handle {
	t.Helper()
	s, err := e.Status(t.Context())
	must(t, err)
	for _, d := range s.Documents {
		if at, err := doc.ParseURL(d.URL); err == nil && at.Doc == u.Doc {
			h, err := e.Document(t.Context(), at)
			must(t, err)
			return h
		}
	}
	t.Fatalf("%s is gone", u)
	return nil
}
