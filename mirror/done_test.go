package mirror_test

import (
	"errors"
	"slices"
	"testing"

	"tombolo/mirror"
)

// OnDone hears of what was read and written, and of nothing else.
func TestOnDone(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	inner := &mirror.Memory{}
	p := &place{Place: inner}
	var got []mirror.Done
	m := newMirror(t, h, p, &mirror.Options{State: inner.State(), OnDone: func(d mirror.Done) { got = append(got, d) }})
	hears := func(what string, want ...mirror.Done) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
		got = nil
	}
	must(t, m.Save(t.Context()))
	hears("a save", mirror.Done{Bytes: len("{\n  \"n\": 1\n}\n")})
	must(t, m.Save(t.Context()))
	must(t, m.Load(t.Context()))
	hears("nothing to do")
	inner.Put([]byte(`{"n":2}`))
	must(t, m.Load(t.Context()))
	hears("a load", mirror.Done{Loaded: true, Bytes: 7})
	inner.Put([]byte(`{`))
	if err := m.Load(t.Context()); !isBad(err) {
		t.Error(err)
	}
	inner.Put([]byte(`{"n":2}`))
	away := errors.New("it is full")
	p.fails(nil, away)
	set(t, h, "/n", 3)
	if err := m.Save(t.Context()); !errors.Is(err, away) {
		t.Error(err)
	}
	hears("what failed")
}
