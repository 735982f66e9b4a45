package tombolo_test

import (
	"testing"

	"tombolo"
)

// A quarantined document of which nothing is left moves with its handles when another home is adopted.
func TestAdoptWithAnEmptyPatient(t *testing.T) {
	t.Parallel()
	s, dir, u := large(t, put("/title", "hello"))
	for _, r := range s.entries(t, "r") {
		s.flip(t, r)
	}
	gate := make(chan struct{}) // the damage is found behind the value
	s.set(func() { s.gate = gate })
	e := open(t, dir, tombolo.Options{Store: s})
	h, err := e.Document(t.Context(), u)
	must(t, err)
	defer h.Close()
	close(gate)
	for ctx := patience(t); ; {
		news := e.News()
		if _, err := h.JSON(""); isDamaged(err) {
			break
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatal("the damage was not found")
		}
	}
	desk := inMemory(t, tombolo.Options{})
	pair(t, desk, e, true)
	if got, err := h.JSON(""); !isDamaged(err) {
		t.Errorf("after moving it is %s, %v", got, err)
	}
	if h.URL().Space != desk.Home().ID() {
		t.Errorf("the handle is on %s", h.URL())
	}
}

// Damage that adopting finds moves along: what could be read of the document is in the new home, and others are told of it as it is.
func TestAdoptFindsDamage(t *testing.T) {
	t.Parallel()
	d, dir := newDisk(), t.TempDir()
	laptop := open(t, dir, tombolo.Options{Store: d})
	h, err := laptop.Home().Create(t.Context(), nil)
	must(t, err)
	for i, k := range []string{"/k0", "/k1", "/k2"} {
		value := make([]byte, 70<<10)
		for j := range value {
			value[j] = byte(j * j * (i + 1) >> 4)
		}
		set(t, h, k, value)
	}
	u := h.URL()
	must(t, h.Close())
	must(t, laptop.Close())
	records := d.entries(t, "r")
	d.flip(t, records[len(records)-1])
	laptop = open(t, dir, tombolo.Options{Store: d})
	desk := inMemory(t, tombolo.Options{})
	pair(t, desk, laptop, true)
	u.Space = desk.Home().ID()
	quarantinedAs(t, laptop, u, "record")
	there := arrives(t, desk, u)
	until(t, there, func() bool { return has(there, "/k0") })
	must(t, laptop.Accept(t.Context(), u))
	h = arrives(t, laptop, u)
	same(t, h, there)
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	set(t, h, "/more", 1)
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	for _, s := range laptop.Spaces() {
		if list, err := s.List(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("%s has %d documents, %v", s.ID(), len(list), err)
		}
	}
}
