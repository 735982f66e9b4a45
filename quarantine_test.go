package tombolo_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist"
)

// entries are what a disk has under keys that begin with a letter.
func (d *disk) entries(t *testing.T, letter string) (out []persist.Entry) {
	t.Helper()
	for e, err := range d.Store.List(t.Context(), []byte(letter)) {
		must(t, err)
		out = append(out, e)
	}
	return out
}

// flip alters the last byte of a value.
func (d *disk) flip(t *testing.T, e persist.Entry) {
	t.Helper()
	value := slices.Clone(e.Value)
	value[len(value)-1] ^= 1
	var b persist.Batch
	b.Put(e.Key, value)
	must(t, d.Store.Apply(t.Context(), &b))
}

// remove takes an entry away.
func (d *disk) remove(t *testing.T, e persist.Entry) {
	t.Helper()
	var b persist.Batch
	b.Delete(e.Key)
	must(t, d.Store.Apply(t.Context(), &b))
}

// header is the entry of a document's header.
func (d *disk) header(t *testing.T, u doc.URL) persist.Entry {
	t.Helper()
	return d.entries(t, "d"+string(u.Space[:])+string(u.Doc[:]))[0]
}

func has(h *tombolo.Handle, path string) bool {
	_, err := h.Get(path)
	return err == nil
}

// shared is two devices with documents of five changes each on both disks, the first device closed.
func shared(t *testing.T, documents int) (d *disk, dir string, desk *tombolo.Engine, urls []doc.URL) {
	t.Helper()
	d, dir = newDisk(), t.TempDir()
	laptop := open(t, dir, tombolo.Options{Name: "laptop", Store: d})
	desk = inMemory(t, tombolo.Options{Name: "desk"})
	pair(t, laptop, desk, false)
	for i := range documents {
		h, err := laptop.Home().Create(t.Context(), map[string]any{"n": i})
		must(t, err)
		for j := range 4 {
			value := make([]byte, 40<<10) // two of them do not go into one pack
			rand.NewChaCha8([32]byte{byte(i), byte(j)}).Read(value)
			set(t, h, fmt.Sprintf("/k%d", j), value)
		}
		urls = append(urls, h.URL())
		must(t, h.Wait(patience(t), tombolo.OnDevices(2)))
		must(t, h.Close())
	}
	must(t, laptop.Close())
	return d, dir, desk, urls
}

// quarantinedAs wants a document's status to say that it is quarantined, and why.
func quarantinedAs(t *testing.T, e *tombolo.Engine, u doc.URL, why string) {
	t.Helper()
	s, err := e.Status(t.Context())
	must(t, err)
	for _, d := range s.Documents {
		if d.URL == u.String() {
			if d.State != tombolo.StateQuarantined || !strings.Contains(d.Problem, why) {
				t.Fatalf("the status of the damaged document is %q: %q", d.State, d.Problem)
			}
			return
		}
	}
	t.Fatal("the status does not have the damaged document")
}

// A record that does not read quarantines its document and no other. The bytes stay; a device that has the document heals it, and edits that are nowhere
// else come out of the old records.
func TestDamagedDocumentHeals(t *testing.T) {
	t.Parallel()
	for what, damage := range map[string]func(t *testing.T, d *disk, e persist.Entry){
		"altered": func(t *testing.T, d *disk, e persist.Entry) { d.flip(t, e) },
		"missing": func(t *testing.T, d *disk, e persist.Entry) { d.remove(t, e) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			d, dir, desk, urls := shared(t, 2)
			laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
			h, err := laptop.Document(t.Context(), urls[0])
			must(t, err)
			set(t, h, "/only", "here")
			must(t, h.Close())
			must(t, laptop.Close())
			records := d.entries(t, "r")
			damage(t, d, records[2])

			laptop = open(t, dir, tombolo.Options{Store: d, Offline: true})
			_, err = laptop.Document(t.Context(), urls[0])
			if broken, ok := errors.AsType[*tombolo.DamagedError](err); !ok || broken.URL != urls[0] || broken.Since.IsZero() {
				t.Fatalf("opening a damaged document: %v", err)
			}
			quarantinedAs(t, laptop, urls[0], "record")
			other, err := laptop.Document(t.Context(), urls[1])
			must(t, err)
			set(t, other, "/fine", true)
			must(t, other.Close())
			infos, err := laptop.Home().List(t.Context())
			must(t, err)
			if len(infos) != 2 {
				t.Fatalf("the list has %d documents", len(infos))
			}
			must(t, laptop.Close())
			left := 0
			for _, e := range d.entries(t, "r") {
				if slices.ContainsFunc(records, func(r persist.Entry) bool { return string(r.Key) == string(e.Key) }) {
					left++
				}
			}
			if want := map[string]int{"altered": len(records), "missing": len(records) - 1}[what]; left != want {
				t.Fatalf("of %d old records %d are left", want, left)
			}

			laptop = open(t, dir, tombolo.Options{Store: d}) // the desk is reached again
			healed := arrives(t, laptop, urls[0])
			there := arrives(t, desk, urls[0])
			until(t, there, func() bool { return has(there, "/only") })
			same(t, healed, there)
			must(t, healed.Wait(patience(t), tombolo.OnDevices(2)))
			s, err := healed.Status(t.Context())
			must(t, err)
			if s.State != tombolo.StateReady || s.Problem != "" {
				t.Errorf("healed, and the state is %q: %q", s.State, s.Problem)
			}
			set(t, healed, "/later", 1)
			must(t, healed.Wait(patience(t), tombolo.OnDevices(2)))
			must(t, healed.Close())
			must(t, laptop.Close())
			if n := len(d.entries(t, "q")); n != 0 {
				t.Errorf("%d documents are still aside", n)
			}
		})
	}
}

// Damage that is found while a peer is connected heals without a restart.
func TestDamageFoundWhileConnected(t *testing.T) {
	t.Parallel()
	d, dir, desk, urls := shared(t, 1)
	d.flip(t, d.entries(t, "r")[2])
	laptop := open(t, dir, tombolo.Options{Store: d})
	ctx := patience(t)
	for {
		news := laptop.News()
		s, err := laptop.Status(ctx)
		must(t, err)
		if len(s.Peers) > 0 && s.Peers[0].Connected {
			break
		}
		<-news
	}
	if _, err := laptop.Document(ctx, urls[0]); err == nil {
		t.Fatal("the damage was not found")
	}
	healed := arrives(t, laptop, urls[0])
	same(t, healed, arrives(t, desk, urls[0]))
}

// A document whose header does not read is found by its records. Nobody knows what the header named, so another device must agree.
func TestDamagedHeaderHeals(t *testing.T) {
	t.Parallel()
	d, dir, desk, urls := shared(t, 3)
	d.flip(t, d.header(t, urls[1]))
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	quarantinedAs(t, laptop, urls[1], "header")
	if _, err := laptop.Document(t.Context(), urls[1]); err == nil {
		t.Fatal("opened")
	}
	quarantinedAs(t, laptop, urls[1], "header")
	must(t, laptop.Close())
	laptop = open(t, dir, tombolo.Options{Store: d})
	healed := arrives(t, laptop, urls[1])
	same(t, healed, arrives(t, desk, urls[1]))
	must(t, healed.Close())
	must(t, laptop.Close())
	if n := len(d.entries(t, "q")); n != 1 {
		t.Errorf("%d are aside; what nobody could read is kept", n)
	}
	laptop = open(t, dir, tombolo.Options{Store: d, Offline: true})
	h, err := laptop.Document(t.Context(), urls[1])
	must(t, err)
	must(t, h.Close())
}

// A device alone goes on with what could be read when it is told to, and not before.
func TestAcceptDamaged(t *testing.T) {
	t.Parallel()
	d, dir, _, urls := shared(t, 1)
	d.flip(t, d.entries(t, "r")[2]) // one of the edits; what comes after builds on it
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	for range 2 {
		if _, err := laptop.Document(t.Context(), urls[0]); err == nil {
			t.Fatal("opened")
		}
	}
	must(t, laptop.Accept(t.Context(), urls[0]))
	h, err := laptop.Document(t.Context(), urls[0])
	must(t, err)
	if !has(h, "/k0") || has(h, "/k3") {
		t.Error("what could be read is not what lies before the damage")
	}
	set(t, h, "/again", 1)
	must(t, h.Close())
	if err := laptop.Accept(t.Context(), urls[0]); err == nil || !strings.Contains(err.Error(), "not quarantined") {
		t.Errorf("accepting it again: %v", err)
	}
	must(t, laptop.Close())
	laptop = open(t, dir, tombolo.Options{Store: d, Offline: true})
	h, err = laptop.Document(t.Context(), urls[0])
	must(t, err)
	if got := text(t, h); !strings.Contains(got, `"again":1`) {
		t.Errorf("after a restart: %s", got)
	}
	must(t, h.Close())
	if len(d.entries(t, "q")) != 1 {
		t.Error("what was set aside is gone")
	}
}

// A disk that does not answer is no damage: nothing is set aside, and everything is there when it answers again.
func TestBlindDiskIsNoDamage(t *testing.T) {
	t.Parallel()
	d, dir, _, urls := shared(t, 1)
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	d.blind(true)
	if _, err := laptop.Document(t.Context(), urls[0]); !errors.Is(err, errDisk) {
		t.Fatalf("on a blind disk: %v", err)
	}
	d.blind(false)
	h, err := laptop.Document(t.Context(), urls[0])
	must(t, err)
	must(t, h.Close())
	if len(d.entries(t, "q")) > 0 {
		t.Error("it was set aside")
	}
}

// When the disk takes neither the mark nor what was salvaged, nothing changes, and the next try succeeds.
func TestSettingAsideFails(t *testing.T) {
	t.Parallel()
	d, dir, _, urls := shared(t, 1)
	d.flip(t, d.entries(t, "r")[2])
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	d.breaks(every)
	if _, err := laptop.Document(t.Context(), urls[0]); !errors.Is(err, errDisk) {
		t.Fatalf("on a broken disk: %v", err)
	}
	d.breaks(func(n int) bool { return n > 1 }) // set aside, and what was salvaged is refused
	if _, err := laptop.Document(t.Context(), urls[0]); err == nil {
		t.Fatal("opened")
	}
	<-d.refused
	d.repaired()
	must(t, laptop.Close())
	laptop = open(t, dir, tombolo.Options{Store: d, Offline: true})
	quarantinedAs(t, laptop, urls[0], "record")
	must(t, laptop.Accept(t.Context(), urls[0]))
	h, err := laptop.Document(t.Context(), urls[0])
	must(t, err)
	if !has(h, "/k0") || has(h, "/k3") {
		t.Error("what could be read is not what lies before the damage")
	}
	must(t, h.Close())
}

// Checking finds damage before anyone reads the document: one at rest is set aside, one in memory is whole there and written once more.
func TestScrub(t *testing.T) {
	t.Parallel()
	d, dir, _, urls := shared(t, 3)
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	inUse, err := laptop.Document(t.Context(), urls[0])
	must(t, err)
	for _, e := range d.entries(t, "r") {
		if len(e.Value) > 1000 && e.Key[8] != 3 { // numbers are given out in turn: the third document stays whole
			d.flip(t, e)
		}
	}
	for _, u := range urls {
		laptop.Scrub(u)
	}
	must(t, inUse.Flush(t.Context()))
	until(t, inUse, func() bool { // events tell when it is healed
		s, err := inUse.Status(t.Context())
		must(t, err)
		return s.State == tombolo.StateReady
	})
	set(t, inUse, "/more", 1)
	quarantinedAs(t, laptop, urls[1], "record")
	sound, err := laptop.Document(t.Context(), urls[2])
	must(t, err)
	must(t, sound.Close())
	before := text(t, inUse)
	must(t, inUse.Close())
	must(t, laptop.Close())
	laptop = open(t, dir, tombolo.Options{Store: d, Offline: true})
	again, err := laptop.Document(t.Context(), urls[0])
	must(t, err)
	if text(t, again) != before || !has(again, "/k3") {
		t.Error("what was in memory is not what is on disk now")
	}
	must(t, again.Close())
	laptop.Scrub(doc.URL{}) // nothing there
}

// A document that was whole again when the process ended, with its old records still aside, is so at the next start.
func TestHealedBeforeTheEnd(t *testing.T) {
	t.Parallel()
	d, dir, desk, urls := shared(t, 1)
	d.flip(t, d.entries(t, "r")[2])
	laptop := open(t, dir, tombolo.Options{Store: d, Offline: true})
	if _, err := laptop.Document(t.Context(), urls[0]); err == nil {
		t.Fatal("opened")
	}
	must(t, laptop.Close())
	mark := d.entries(t, "q")[0]
	laptop = open(t, dir, tombolo.Options{Store: d})
	must(t, arrives(t, laptop, urls[0]).Close())
	must(t, laptop.Close())
	var b persist.Batch
	b.Put(mark.Key, mark.Value) // as if it had not gone
	must(t, d.Store.Apply(t.Context(), &b))

	laptop = open(t, dir, tombolo.Options{Store: d, Offline: true})
	h := arrives(t, laptop, urls[0])
	same(t, h, arrives(t, desk, urls[0]))
	must(t, h.Close())
	must(t, laptop.Close())
	if len(d.entries(t, "q")) > 0 {
		t.Error("it is still aside")
	}
}
