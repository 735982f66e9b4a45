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
