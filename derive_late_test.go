package tombolo_test

import (
	"errors"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
)

// Two devices derive from different content: both versions count as taken over, and what came after them is late. Deriving twice opens what is there.
func TestDeriveFromDifferentContent(t *testing.T) {
	t.Parallel()
	a, b := open(t, t.TempDir(), tombolo.Options{Name: "a"}), open(t, t.TempDir(), tombolo.Options{Name: "b"})
	pair(t, a, b, false)
	old, err := a.Home().Create(t.Context(), map[string]any{"items": []any{"milk"}})
	must(t, err)
	defer old.Close()
	there := arrives(t, b, old.URL())
	must(t, errors.Join(a.Pause(t.Context()), b.Pause(t.Context())))
	push(t, there, "tea")
	one, two := derived(t, old, a.Home()), derived(t, there, b.Spaces()[1])
	if one.URL() != two.URL() {
		t.Errorf("they are %s and %s", one.URL(), two.URL())
	}
	push(t, old, "late")
	must(t, errors.Join(a.Resume(t.Context()), b.Resume(t.Context())))
	until(t, one, func() bool { return strings.Count(text(t, one), "milk") == 2 })
	until(t, old, func() bool { return strings.Contains(text(t, old), "tea") })
	until(t, there, func() bool { return strings.Contains(text(t, there), "late") })
	reads(t, two, text(t, one))
	for _, h := range []*tombolo.Handle{one, two} {
		d, err := h.Derived(t.Context())
		if err != nil || len(d.Heads) != 2 || len(d.Late) != 1 || len(d.LateBy) == 0 {
			t.Errorf("%+v, %v", d, err)
		}
	}
	n := len(one.Heads())
	again := derived(t, old, a.Home())
	if text(t, again) != text(t, one) || len(again.Heads()) != n {
		t.Errorf("derived twice: %s", text(t, again))
	}
	// The source goes.
	must(t, old.Delete(t.Context()))
	if d, err := one.Derived(t.Context()); err != nil || len(d.Late) != 1 {
		t.Errorf("of a deleted document: %+v, %v", d, err)
	}
	must(t, old.Wait(patience(t), tombolo.OnDevices(2)))
	u := old.URL()
	must(t, errors.Join(old.Close(), a.Purge(t.Context(), u)))
	if d, err := one.Derived(t.Context()); !errors.Is(err, tombolo.ErrNotFound) || d.From != u {
		t.Errorf("of a purged document: %+v, %v", d, err)
	}
}

// What fails half-way leaves neither document changed.
func TestDeriveFails(t *testing.T) {
	t.Parallel()
	d, dir := newDisk(), t.TempDir()
	e := open(t, dir, tombolo.Options{Offline: true, Store: d})
	old, err := e.Home().Create(t.Context(), map[string]any{"items": []any{"milk"}})
	must(t, err)
	defer old.Close()
	was := d.dump(t, "dr")
	refused := errors.New("no")
	_, err = tombolo.Derive(t.Context(), old, e.Home(), "x", func(_ *doc.Version, tx *doc.Tx) error {
		return errors.Join(tx.Set("/half", 1), refused)
	})
	if !errors.Is(err, refused) {
		t.Error(err)
	}
	d.breaks(every)
	if _, err = tombolo.Derive(t.Context(), old, e.Home(), "x", byKey); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	d.repaired()
	now := d.dump(t, "dr")
	for k, v := range was {
		if now[k] != v {
			t.Error("the old one changed")
		}
	}
	if len(now) != len(was) {
		t.Errorf("there are %d records, were %d", len(now), len(was))
	}
	h := derived(t, old, e.Home())
	if got := text(t, h); got != `{"all":["milk"]}` {
		t.Error(got)
	}
	// What was derived is undone like any other document: its beginning stays.
	if err := h.Undo(t.Context()); !errors.Is(err, doc.ErrNoStep) {
		t.Error(err)
	}
}
