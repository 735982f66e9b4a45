package tombolo_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"tombolo"
	"tombolo/doc"
)

func put(path string, v any) func(*doc.Tx) error {
	return func(tx *doc.Tx) error { return tx.Set(path, v) }
}

func text(t *testing.T, h *tombolo.Handle) string {
	t.Helper()
	b, err := h.JSON("")
	must(t, err)
	return string(b)
}

// same waits until two devices show the same document.
func same(t *testing.T, a, b *tombolo.Handle) {
	t.Helper()
	until(t, b, func() bool {
		x, err := a.Hash()
		must(t, err)
		y, err := b.Hash()
		must(t, err)
		return x == y
	})
}

// A change that the disk refuses never was: not here, and not on the other device.
func TestRefusedChangeNeverWas(t *testing.T) {
	t.Parallel()
	d := newDisk()
	laptop := open(t, t.TempDir(), tombolo.Options{Name: "laptop", Store: d})
	desk := inMemory(t, tombolo.Options{Name: "desk"})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), map[string]any{"kept": 1})
	must(t, err)
	defer h.Close()
	there := arrives(t, desk, h.URL())
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	heads := h.Heads()

	d.breaks(every)
	for range 3 {
		if err := h.Change(t.Context(), "", put("/lost", 1)); !errors.Is(err, errDisk) {
			t.Fatalf("change on a broken disk: %v", err)
		}
		if got := text(t, h); got != `{"kept":1}` || !slices.Equal(h.Heads(), heads) {
			t.Fatalf("after a refused change the document is %s at %v, was at %v", got, h.Heads(), heads)
		}
	}
	if _, err := laptop.Home().Create(t.Context(), nil); !errors.Is(err, errDisk) {
		t.Errorf("a new document on a broken disk: %v", err)
	}
	d.repaired()

	set(t, h, "/later", 2)
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	same(t, h, there)
	s, err := there.Status(t.Context())
	must(t, err)
	mine, err := h.Status(t.Context())
	must(t, err)
	if got := text(t, there); got != `{"kept":1,"later":2}` || s.Changes != mine.Changes {
		t.Errorf("the other device has %s, %d changes; here are %d", got, s.Changes, mine.Changes)
	}
}

// What is submitted behind a change that fails builds on it, and fails with it; nothing is half there.
func TestPipelineFailsWhole(t *testing.T) {
	t.Parallel()
	d := newDisk()
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{Offline: true, Store: d})
	h, err := e.Home().Create(t.Context(), map[string]any{"kept": 1})
	must(t, err)
	defer h.Close()

	waiting, release := d.hold()
	d.breaks(func(n int) bool { return n == 1 })
	var pending []*tombolo.Pending
	for i := range 20 {
		p, err := h.ChangeAsync(t.Context(), "", put(fmt.Sprintf("/k%d", i), i))
		must(t, err)
		if pending = append(pending, p); i == 0 {
			awaits(t, "the first write", waiting)
		}
	}
	release()
	for i, p := range pending {
		if err := p.Wait(patience(t)); !errors.Is(err, errDisk) {
			t.Errorf("change %d behind a refused one: %v", i, err)
		}
	}
	if got := text(t, h); got != `{"kept":1}` {
		t.Errorf("the document is %s", got)
	}
	set(t, h, "/k", 1)
	u := h.URL()
	must(t, e.Close())

	e = open(t, dir, tombolo.Options{Offline: true, Store: d})
	h, err = e.Document(t.Context(), u)
	must(t, err)
	defer h.Close()
	if got := text(t, h); got != `{"k":1,"kept":1}` {
		t.Errorf("on disk is %s", got)
	}
}

// With a disk that fails now and then, exactly the acknowledged edits are there, whatever was under way together.
func TestAcknowledgedIsWhatIsThere(t *testing.T) {
	t.Parallel()
	d := newDisk()
	laptop := open(t, t.TempDir(), tombolo.Options{Store: d})
	desk := inMemory(t, tombolo.Options{})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), nil)
	must(t, err)
	defer h.Close()
	d.breaks(func(n int) bool { return n%5 == 0 })
	pending := map[string]*tombolo.Pending{}
	for i := range 200 {
		name := fmt.Sprintf("k%03d", i)
		p, err := h.ChangeAsync(t.Context(), "", put("/"+name, i))
		if errors.Is(err, errDisk) {
			continue
		}
		must(t, err)
		if pending[name] = p; i%7 == 0 {
			_ = p.Wait(t.Context()) // its outcome is looked at below
		}
	}
	want := map[string]bool{}
	for name, p := range pending {
		switch err := p.Wait(patience(t)); {
		case err == nil:
			want[name] = true
		case !errors.Is(err, errDisk):
			t.Errorf("%s: %v", name, err)
		}
	}
	d.repaired()
	set(t, h, "/last", 1)
	want["last"] = true
	there := arrives(t, desk, h.URL())
	same(t, h, there)
	var got map[string]any
	must(t, there.Read(&got))
	for name := range got {
		if !want[name] {
			t.Errorf("%s is there and was refused", name)
		}
	}
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%s was acknowledged and is gone", name)
		}
	}
}

// Changes of a peer that this disk refused come again, without a new connection and with one.
func TestRefusedChangesOfAPeerComeAgain(t *testing.T) {
	for _, reconnect := range []bool{false, true} {
		t.Run(fmt.Sprintf("reconnect=%t", reconnect), func(t *testing.T) {
			t.Parallel()
			d := newDisk()
			laptop := inMemory(t, tombolo.Options{})
			desk := open(t, t.TempDir(), tombolo.Options{Store: d})
			pair(t, laptop, desk, false)
			h, err := laptop.Home().Create(t.Context(), map[string]any{"n": 0})
			must(t, err)
			defer h.Close()
			there := arrives(t, desk, h.URL())
			d.breaks(every)
			set(t, h, "/n", 1)
			awaits(t, "a refused write", d.refused)
			s, err := h.Status(t.Context())
			must(t, err)
			if s.Devices[1].Durable {
				t.Error("the status says that a broken disk has the change")
			}
			d.repaired()
			if reconnect {
				must(t, desk.Pause(t.Context()))
				must(t, desk.Resume(t.Context()))
			}
			must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
			same(t, h, there)
			if got, err := there.JSON("/n"); err != nil || !bytes.Equal(got, []byte("1")) {
				t.Errorf("there: %s, %v", got, err)
			}
		})
	}
}
