package tombolo_test

import (
	"testing"

	"tombolo"
)

// After a restart the status still says what a device that is away has on its disk, and since when.
func TestStatusOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	laptop := open(t, dir, tombolo.Options{Name: "laptop"})
	desk := open(t, t.TempDir(), tombolo.Options{Name: "desk"})
	pair(t, laptop, desk, false)
	h, err := laptop.Home().Create(t.Context(), map[string]any{"n": 1})
	must(t, err)
	must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
	before, err := h.Status(t.Context())
	must(t, err)
	u := h.URL()
	must(t, h.Close())
	must(t, desk.Close())
	must(t, laptop.Close())

	laptop = open(t, dir, tombolo.Options{Offline: true})
	h, err = laptop.Document(t.Context(), u)
	must(t, err)
	defer h.Close()
	after, err := h.Status(t.Context())
	must(t, err)
	d := after.Devices[1]
	if d.Name != "desk" || !d.Durable || d.Connected || d.Since.UnixMilli() != before.Devices[1].Since.UnixMilli() {
		t.Errorf("desk is %+v, was %+v", d, before.Devices[1])
	}
	set(t, h, "/n", 2)
	after, err = h.Status(t.Context())
	must(t, err)
	if d := after.Devices[1]; d.Durable {
		t.Errorf("desk cannot have the new change: %+v", d)
	}
}

// A device that has nothing of a document has nothing on its disk, also where this one has nothing left of it either.
func TestNothingIsNotDurable(t *testing.T) {
	d, dir, desk, urls := shared(t, 1)
	deleteAndPurge(t, desk, urls[0])
	for _, e := range d.entries(t, "r") {
		d.flip(t, e)
	}
	laptop := open(t, dir, tombolo.Options{Store: d})
	ctx := patience(t)
	for {
		news := laptop.News()
		s, err := laptop.Status(ctx)
		must(t, err)
		doc := s.Documents[0]
		if doc.Devices[1].Durable && len(doc.Heads) == 0 {
			t.Fatalf("it has it: %+v", doc)
		}
		if doc.State == tombolo.StateQuarantined && doc.Devices[1].Connected && len(doc.Devices[1].Heads) == 0 {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatal("it did not come to that")
		}
	}
}
