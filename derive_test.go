package tombolo_test

import (
	"errors"
	"slices"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/doc/gate"
)

// byKey makes a map of the list of an old document: another key for the same records.
func byKey(old *doc.Version, tx *doc.Tx) error {
	list, err := old.Get("/items")
	if err != nil {
		return err
	}
	for _, item := range list.([]any) {
		if err := tx.List("/all").Append(item); err != nil {
			return err
		}
	}
	return nil
}

// derived derives a document, and closes it at the end of the test.
func derived(t *testing.T, from *tombolo.Handle, s *tombolo.Space) *tombolo.Handle {
	t.Helper()
	h, err := tombolo.Derive(t.Context(), from, s, "by key", byKey)
	must(t, err)
	t.Cleanup(func() { h.Close() })
	return h
}

// Two devices derive the same document apart, and an edit that old code makes in the old one later is reported on both.
func TestDerive(t *testing.T) {
	t.Parallel()
	a, b := open(t, t.TempDir(), tombolo.Options{Name: "a"}), open(t, t.TempDir(), tombolo.Options{Name: "b"})
	pair(t, a, b, false)
	old, err := a.Home().Create(t.Context(), map[string]any{"items": []any{"milk", "tea"}})
	must(t, err)
	defer old.Close()
	there := arrives(t, b, old.URL())
	reads(t, there, `{"items":["milk","tea"]}`)
	shared := b.Spaces()[1]
	must(t, errors.Join(a.Pause(t.Context()), b.Pause(t.Context())))
	one, two := derived(t, old, a.Home()), derived(t, there, shared)
	if one.URL() != two.URL() || one.URL().Doc != doc.DerivedID(old.URL().Doc, "by key") {
		t.Errorf("they are %s and %s", one.URL(), two.URL())
	}
	for _, h := range []*tombolo.Handle{one, two} {
		d, err := h.Derived(t.Context())
		if err != nil || d.From != old.URL() || len(d.Late) != 0 || len(d.LateBy) != 0 {
			t.Errorf("just derived: %+v, %v", d, err)
		}
	}
	push(t, there, "late")
	d, err := two.Derived(t.Context())
	if err != nil || len(d.Late) != 1 || len(d.LateBy) == 0 || d.LateBy[0].Author != "b" || !slices.Equal(d.Now, there.Heads()) {
		t.Errorf("after a late edit: %+v, %v", d, err)
	}
	must(t, errors.Join(a.Resume(t.Context()), b.Resume(t.Context())))
	alike(t, a, b, one, two)
	reads(t, old, `{"items":["milk","tea","late"]}`)
	reads(t, one, `{"all":["milk","tea"]}`) // each once
	if d, err = one.Derived(t.Context()); err != nil || len(d.Late) != 1 {
		t.Errorf("on the other device: %+v, %v", d, err)
	}
	if to, err := old.DerivedTo(); err != nil || len(to) != 1 || to[0] != one.URL() {
		t.Errorf("the old document names %v, %v", to, err)
	}

	// Derived once more it is opened; taken over, the late edit is not late any more. Undone, it is again.
	same := derived(t, old, a.Home())
	write(t, same, func(tx *doc.Tx) error {
		return errors.Join(tx.List("/all").Append("late"), tx.MarkSource(doc.Source{URL: d.From, Heads: d.Now}))
	})
	if d, err := same.Derived(t.Context()); err != nil || len(d.Late) != 0 {
		t.Errorf("taken over: %+v, %v", d, err)
	}
	must(t, same.Undo(t.Context()))
	if d, err := same.Derived(t.Context()); err != nil || len(d.Late) != 1 {
		t.Errorf("undone: %+v, %v", d, err)
	}
}

func TestDeriveRefuses(t *testing.T) {
	t.Parallel()
	e, other := open(t, t.TempDir(), tombolo.Options{Offline: true}), open(t, t.TempDir(), tombolo.Options{Offline: true})
	old, err := e.Home().Create(t.Context(), map[string]any{"items": []any{"milk"}})
	must(t, err)
	defer old.Close()
	refused := errors.New("no")
	try := func(from *tombolo.Handle, s *tombolo.Space, name string, err error) error {
		return closed(tombolo.Derive(t.Context(), from, s, name, func(*doc.Version, *doc.Tx) error { return err }))
	}
	fleeting, err := e.Home().Create(t.Context(), nil, tombolo.Never)
	must(t, err)
	defer fleeting.Close()
	if err := try(old, e.Home(), "x", refused); !errors.Is(err, refused) {
		t.Errorf("where writing fails: %v", err)
	}
	wantText(t, try(fleeting, e.Home(), "x", nil), "ephemeral")
	wantText(t, try(old, other.Home(), "x", nil), "two engines")
	i := 0
	wantText(t, closed(tombolo.Derive(t.Context(), old, e.Home(), "x", func(_ *doc.Version, tx *doc.Tx) error {
		i++
		return tx.Set("/n", i)
	})), "the same on every device")
	if list, err := e.Home().List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("there are %v, %v", list, err)
	}
	if to, err := old.DerivedTo(); err != nil || len(to) != 0 {
		t.Errorf("the old document names %v, %v", to, err)
	}
	if _, err := old.Derived(t.Context()); !errors.Is(err, tombolo.ErrNotDerived) {
		t.Errorf("of a document that was not derived: %v", err)
	}
	h := derived(t, old, e.Home())
	must(t, h.Delete(t.Context()))
	if _, ok := errors.AsType[*tombolo.DeletedError](try(old, e.Home(), "by key", nil)); !ok {
		t.Error("a deleted one is derived again")
	}

	// The old document is not here, or is not as new as what was taken over.
	u := doc.URL{Space: e.Home().ID(), Doc: doc.NamedID("", "gone")}
	write(t, h, func(tx *doc.Tx) error { return tx.MarkSource(doc.Source{URL: old.URL(), Heads: []doc.Hash{{1}}}) })
	if _, err := h.Derived(t.Context()); !isUnknown(err) {
		t.Errorf("of a version that is not here: %v", err)
	}
	lone, err := e.Home().Create(t.Context(), func(tx *doc.Tx) error { return tx.MarkSource(doc.Source{URL: u}) })
	must(t, err)
	defer lone.Close()
	if d, err := lone.Derived(t.Context()); !errors.Is(err, tombolo.ErrNotFound) || d.From != u {
		t.Errorf("of a document that is not here: %+v, %v", d, err)
	}
}

func isUnknown(err error) bool {
	_, ok := errors.AsType[*gate.MissingError](err)
	return ok
}
