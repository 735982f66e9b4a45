package sync_test

import (
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/sync"
)

// Equal versions are no acknowledgement from a device that said it has nothing, and one that says so later is believed.
func TestPurgedIsNotDurable(t *testing.T) {
	for _, first := range []bool{true, false} {
		d := newDesk(t, "a")
		d.core.Know(key(1), doc.HeadsHash(id(1), heads("x")))
		d.greet(both)
		mine := only[sync.Summary](d)
		gone := sync.Gone{Space: home, Docs: []doc.ID{id(1), id(2)}}
		var acks []sync.Ack
		if first {
			d.say(gone)
			acks = d.say(mine).Acks
		} else {
			if fx := d.say(mine); len(fx.Acks) != 1 || !fx.Acks[0].Same {
				t.Errorf("equal: %+v", fx.Acks)
			}
			acks = d.say(gone).Acks
		}
		if len(acks) != 1 || acks[0].Same || len(acks[0].Heads) > 0 || acks[0].Key != key(1) {
			t.Errorf("purged: %+v", acks)
		}
		// What is new goes to it as a whole.
		fx := d.step(sync.Changed{Key: key(1), Before: heads("x"), After: heads("y"), Changes: [][]byte{{1}}})
		if len(fx.Find) != 1 || len(fx.Find[0].Known) > 0 {
			t.Errorf("it is looked up: %+v", fx.Find)
		}
	}
}

// A device says what it has purged before it compares, and of purges later; asked for it, it has nothing.
func TestPurgedIsSaid(t *testing.T) {
	d := newDesk(t, "a")
	d.core.Bury(key(1), doc.HeadsHash(id(1), heads("x")))
	d.core.Know(key(2), doc.HeadsHash(id(2), heads("x")))
	d.greet(both)
	var said []any
	for _, m := range d.heard() {
		if _, ok := m.(sync.Hello); !ok {
			said = append(said, m)
		}
	}
	first, ok := said[0].(sync.Gone)
	if !ok || len(first.Docs) != 1 || first.Docs[0] != id(1) {
		t.Fatalf("it says %+v", said)
	}
	if fx := d.say(said[1]); len(fx.Acks) != 1 || fx.Acks[0].Key != key(2) {
		t.Errorf("acknowledged: %+v", fx.Acks)
	}
	d.step(sync.Purged{Key: key(2), HeadsHash: doc.HeadsHash(id(2), heads("x"))})
	if m := only[sync.Gone](d); len(m.Docs) != 1 || m.Docs[0] != id(2) {
		t.Errorf("it says %+v", m)
	}
	d.say(sync.Have{Space: home, Doc: id(2), Heads: heads("x")})
	if m := only[sync.Delta](d); len(m.Part)+len(m.Heads) > 0 || !m.Last {
		t.Errorf("it answers %+v", m)
	}
}

func TestTooManyPurged(t *testing.T) {
	d := newDesk(t, "a")
	d.greet(both)
	n := 0
	for len(d.fx.Drop) == 0 && n < 2<<20 {
		m := sync.Gone{Space: home}
		for range sync.GoneBatch {
			m.Docs = append(m.Docs, id(n))
			n++
		}
		d.say(m)
	}
	if !strings.Contains(d.dropped(), "purged documents") {
		t.Error(d.dropped())
	}
	d = newDesk(t, "a")
	d.greet()
	d.say(sync.Gone{Space: home, Docs: []doc.ID{id(1)}}) // of a space that is not shared
	d.stays()
}

// What a peer makes up is forgotten when the comparison is over, as it is not kept later.
func TestPurgedElsewhere(t *testing.T) {
	d := newDesk(t, "a")
	d.core.Know(key(1), doc.HeadsHash(id(1), heads("x")))
	d.greet(both)
	mine := only[sync.Summary](d)
	made := sync.Gone{Space: home, Docs: []doc.ID{id(1), id(2), id(3)}}
	d.say(made)
	d.say(mine)
	if n := d.core.Kept(mallory); n != 1 {
		t.Errorf("compared, it keeps %d", n)
	}
	d.say(made)
	if n := d.core.Kept(mallory); n != 1 {
		t.Errorf("later, it keeps %d", n)
	}
}
