package tombolo_test

import (
	"testing"

	"tombolo"
	"tombolo/doc"
)

// Closing packs everything, also what was about to be packed, or half packed, at that moment.
func TestCloseLeavesNothingLoose(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{Offline: true})
	h, err := e.Home().Create(t.Context(), nil)
	must(t, err)
	var last *tombolo.Pending
	for range 6000 { // more than a dozen packs
		last, err = h.ChangeAsync(t.Context(), "", func(tx *doc.Tx) error { return tx.Text("text").Splice(0, 0, "x") })
		must(t, err)
	}
	must(t, last.Wait(t.Context()))
	must(t, h.Close())
	must(t, e.Close())
	e = open(t, dir, tombolo.Options{Offline: true})
	s, err := e.Stats(t.Context(), 1, nil)
	must(t, err)
	if s.Bytes.Loose > 0 || s.Bytes.Packed == 0 {
		t.Errorf("after closing %d bytes are loose, %d packed", s.Bytes.Loose, s.Bytes.Packed)
	}
}
