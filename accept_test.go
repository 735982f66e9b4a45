package tombolo_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tombolo"
	"tombolo/persist"
)

func isDamaged(err error) bool {
	_, ok := errors.AsType[*tombolo.DamagedError](err)
	return ok
}

// What was accepted once is not waited for when the document is damaged again.
func TestDamagedAgainAfterAccepting(t *testing.T) {
	t.Parallel()
	d, dir, desk, urls := shared(t, 1)
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	h, err := laptop.Document(t.Context(), urls[0])
	must(t, err)
	set(t, h, "/only", strings.Repeat("here", 3000))
	must(t, h.Close())
	must(t, laptop.Close())
	records := d.entries(t, "r")
	d.flip(t, records[len(records)-1])

	laptop = open(t, dir, tombolo.Options{Store: d, Offline: true})
	if _, err := laptop.Document(t.Context(), urls[0]); !isDamaged(err) {
		t.Fatalf("opening it: %v", err)
	}
	must(t, laptop.Accept(t.Context(), urls[0]))
	must(t, laptop.Close())
	var accepted persist.Entry
	for _, e := range d.entries(t, "x") {
		if strings.Contains(string(e.Key), "damaged/") {
			accepted = e
		}
	}
	fresh := slices.DeleteFunc(d.entries(t, "r"), func(e persist.Entry) bool {
		return slices.ContainsFunc(records, func(r persist.Entry) bool { return string(r.Key) == string(e.Key) })
	})
	d.flip(t, fresh[2])
	for range 2 {
		laptop = open(t, dir, tombolo.Options{Store: d, Offline: true})
		if _, err := laptop.Document(t.Context(), urls[0]); !isDamaged(err) {
			t.Fatalf("opening it, damaged again: %v", err)
		}
		must(t, laptop.Close())
		var b persist.Batch // as if the process had ended between the mark and this
		b.Put(accepted.Key, accepted.Value)
		must(t, d.Store.Apply(t.Context(), &b))
	}
	laptop = open(t, dir, tombolo.Options{Store: d})
	healed := arrives(t, laptop, urls[0])
	same(t, healed, arrives(t, desk, urls[0]))
	must(t, healed.Close())
	must(t, laptop.Close())
	if n := len(d.entries(t, "q")); n != 1 {
		t.Errorf("%d are aside, want the one that was accepted", n)
	}
}

// Accepting a document fails where what could be read of it cannot be written.
func TestAcceptOnABrokenDisk(t *testing.T) {
	t.Parallel()
	d, dir, _, urls := shared(t, 1)
	d.flip(t, d.entries(t, "r")[2])
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	d.breaks(func(n int) bool { return n > 1 }) // set aside, and what was salvaged is refused
	if _, err := laptop.Document(t.Context(), urls[0]); err == nil {
		t.Fatal("opened")
	}
	<-d.refused
	if err := laptop.Accept(t.Context(), urls[0]); err == nil {
		t.Error("accepted what is not on disk")
	}
	d.repaired()
	quarantinedAs(t, laptop, urls[0], "record")
	must(t, laptop.Accept(t.Context(), urls[0]))
	h, err := laptop.Document(t.Context(), urls[0])
	must(t, err)
	if !has(h, "/k0") || has(h, "/k3") {
		t.Error("what could be read is not what lies before the damage")
	}
	must(t, h.Close())
}

// A header that only a list has looked at can be accepted at once.
func TestAcceptWhatAListShows(t *testing.T) {
	t.Parallel()
	d, dir, _, urls := shared(t, 2)
	d.flip(t, d.header(t, urls[0]))
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	quarantinedAs(t, laptop, urls[0], "header")
	must(t, laptop.Accept(t.Context(), urls[0]))
	h, err := laptop.Document(t.Context(), urls[0])
	must(t, err)
	if !has(h, "/k3") {
		t.Error("its changes are not all there")
	}
	must(t, h.Close())
}
