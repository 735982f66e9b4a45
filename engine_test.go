package tombolo_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tombolo"
	"tombolo/doc"
)

// open is an engine on loopback in a directory of its own, closed and checked at the end of the test.
func open(t *testing.T, dir string, opts tombolo.Options) *tombolo.Engine {
	t.Helper()
	if opts.Listen == nil {
		opts.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
	}
	opts.NoDiscovery = true
	e, err := tombolo.Open(t.Context(), dir, &opts)
	must(t, err)
	t.Cleanup(func() { must(t, e.Close()) })
	return e
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// patience is how long a test waits for an event before it calls the event missing.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func pair(t *testing.T, owner, joiner *tombolo.Engine, adopt bool) tombolo.Joined {
	t.Helper()
	inv, err := owner.Invite(t.Context(), tombolo.Invite{})
	must(t, err)
	j, err := joiner.Join(patience(t), inv.Link, tombolo.JoinOptions{Adopt: adopt})
	must(t, err)
	return j
}

// arrives waits until a document is on a device.
func arrives(t *testing.T, e *tombolo.Engine, u doc.URL) *tombolo.Handle {
	t.Helper()
	ctx := patience(t)
	for {
		news := e.News() // before looking: what comes in between is not missed
		h, err := e.Document(ctx, u)
		if err == nil {
			t.Cleanup(func() { h.Close() })
			return h
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the document did not arrive: %v", err)
		case <-news:
		}
	}
}

// until waits for changes of the document until ok.
func until(t *testing.T, h *tombolo.Handle, ok func() bool) {
	t.Helper()
	ctx := patience(t)
	events := h.Watch(ctx) // from here on nothing is missed
	if ok() {
		return
	}
	for range events {
		if ok() {
			return
		}
	}
	got, err := h.JSON("")
	t.Fatalf("it did not come to that; the document is %s (%v)", got, err)
}

// reads waits until the document's JSON is as wanted.
func reads(t *testing.T, h *tombolo.Handle, want string) {
	t.Helper()
	until(t, h, func() bool {
		got, err := h.JSON("")
		must(t, err)
		return string(got) == want
	})
}

func set(t *testing.T, h *tombolo.Handle, path string, v any) {
	t.Helper()
	must(t, h.Change(t.Context(), "test", func(tx *doc.Tx) error { return tx.Set(path, v) }))
}

func TestTwoDevicesMeet(t *testing.T) {
	laptop := open(t, t.TempDir(), tombolo.Options{Name: "laptop"})
	desk := open(t, t.TempDir(), tombolo.Options{Name: "desk"})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), map[string]any{"title": "hello"})
	must(t, err)
	defer h.Close()
	there := arrives(t, desk, h.URL())
	reads(t, there, `{"title":"hello"}`)
	set(t, there, "/title", "from the desk")
	reads(t, h, `{"title":"from the desk"}`)
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	must(t, there.Wait(patience(t), tombolo.OnDevices(2)))
	s, err := h.Status(t.Context())
	must(t, err)
	if len(s.Devices) != 2 || s.Devices[1].Name != "desk" || !s.Devices[1].Durable || !s.Devices[1].Connected {
		t.Errorf("status: %+v", s)
	}
}

func TestNamedDocumentsMergeAfterAdopt(t *testing.T) {
	laptop := open(t, t.TempDir(), tombolo.Options{App: "notes", Name: "laptop"})
	desk := open(t, t.TempDir(), tombolo.Options{App: "notes", Name: "desk"})
	var handles []*tombolo.Handle
	for i, e := range []*tombolo.Engine{laptop, desk} {
		h, err := e.Home().Open(t.Context(), "shopping")
		must(t, err)
		handles = append(handles, h)
		defer h.Close()
		for j := range 3 {
			must(t, h.Change(t.Context(), "add", func(tx *doc.Tx) error { return tx.List("items").Append(fmt.Sprintf("%d-%d", i, j)) }))
		}
	}
	j := pair(t, laptop, desk, true)
	if j.Adopted != 1 || desk.Home().ID() != laptop.Home().ID() {
		t.Errorf("adopted %d documents, home %s", j.Adopted, desk.Home().ID())
	}
	if handles[1].URL() != handles[0].URL() {
		t.Error("an open handle kept its old URL")
	}
	for _, h := range handles {
		until(t, h, func() bool {
			var v struct {
				Items []string `doc:"items"`
			}
			must(t, h.Read(&v))
			return len(v.Items) == 6
		})
	}
	must(t, handles[0].Wait(patience(t), tombolo.OnDevices(2)))
	infos, err := desk.Home().List(t.Context())
	must(t, err)
	if len(infos) != 1 || infos[0].Name != "shopping" || infos[0].App != "notes" {
		t.Errorf("list: %+v", infos)
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{Name: "laptop"})
	h, err := e.Home().Create(t.Context(), nil)
	must(t, err)
	for i := range 600 {
		set(t, h, "/n", i)
	}
	u, self := h.URL(), e.Self()
	must(t, e.Close())
	if err := h.Change(t.Context(), "", func(tx *doc.Tx) error { return nil }); err != tombolo.ErrClosed {
		t.Errorf("change after close: %v", err)
	}
	e = open(t, dir, tombolo.Options{})
	if e.Self() != self {
		t.Errorf("the device is %v, was %v", e.Self(), self)
	}
	h, err = e.Document(t.Context(), u)
	must(t, err)
	defer h.Close()
	reads(t, h, `{"n":599}`)
	set(t, h, "/n", 600)
	reads(t, h, `{"n":600}`)
}

func TestSecondOwnerIsNamed(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, tombolo.Options{})
	_, err := tombolo.Open(t.Context(), dir, nil)
	if err == nil || !strings.Contains(err.Error(), "in use by process") {
		t.Errorf("second Open: %v", err)
	}
}
