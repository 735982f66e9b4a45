package sync_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"tombolo/doc"
	"tombolo/doc/pack"
	"tombolo/sync"
)

var (
	packs = pack.New()
	home  = doc.SpaceID{1}
	noon  = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
)

const mallory = sync.PeerID("m") // the peer that tests play

// both may write.
var both = sync.Grant{Space: home, Secret: [32]byte{7}, Give: true, Accept: true}

func hash(name string) doc.Hash { return sha256.Sum256([]byte(name)) }

func heads(names ...string) (out []doc.Hash) {
	for _, n := range names {
		out = append(out, hash(n))
	}
	return out
}

func id(n int) doc.ID { return doc.ID{byte(n), byte(n >> 8), byte(n >> 16), 0xd} }

func key(n int) sync.Key { return sync.Key{Space: home, Doc: id(n)} }

// desk is a Core with one peer, which the test plays, and the last effects.
type desk struct {
	t    testing.TB
	self sync.PeerID
	core *sync.Core
	now  time.Time
	slow bool // the network takes nothing: Sent must be said by the test
	fx   sync.Effects
	said []any // messages to the peer since the last heard
}

// newDesk is a Core under an ID; peers with a greater one than its own wait for it to ask.
func newDesk(t testing.TB, self sync.PeerID) *desk {
	return &desk{t: t, self: self, now: noon, core: sync.New(sync.Options{Self: self, Name: "desk", Codec: packs})}
}

// step gives the core an event, and keeps what it says.
func (d *desk) step(ev sync.Event) sync.Effects {
	d.fx = d.core.Step(d.now, ev)
	for _, o := range d.fx.Send {
		if len(o.Frame) > sync.MaxFrame {
			d.t.Fatalf("a frame of %d bytes", len(o.Frame))
		}
		m, err := sync.Decode(o.Frame)
		if err != nil {
			d.t.Fatalf("it sends a frame that cannot be read: %v", err)
		}
		if o.Peer == mallory {
			d.said = append(d.said, m)
		}
		if !d.slow {
			fx := d.core.Step(d.now, sync.Sent{Peer: o.Peer, N: len(o.Frame)})
			if len(fx.Send) > 0 {
				d.t.Fatal("a frame that went out at once made room for another")
			}
			d.fx.Find = append(d.fx.Find, fx.Find...)
		}
	}
	return d.fx
}

// say delivers messages of the peer; the effects are those of the last.
func (d *desk) say(ms ...any) sync.Effects {
	for _, m := range ms {
		d.step(sync.Received{Peer: mallory, Frame: sync.Encode(m)})
	}
	return d.fx
}

// heard is what the core said since the last call.
func (d *desk) heard() []any {
	said := d.said
	d.said = nil
	return said
}

func hello(d *desk, grants ...sync.Grant) sync.Hello {
	m := sync.Hello{Min: 1, Max: 1, Name: "mallory"}
	for _, g := range grants {
		m.Spaces = append(m.Spaces, sync.Offer{Token: sync.Token(g.Secret, mallory, d.self), Members: g.Members})
	}
	return m
}

// greet begins a session in which both name the grants; summaries are not yet exchanged.
func (d *desk) greet(grants ...sync.Grant) {
	d.step(sync.PeerUp{Peer: mallory, Spaces: grants})
	d.say(hello(d, grants...))
}

// meet begins a session and compares the spaces with a peer that has the same documents.
func (d *desk) meet(grants ...sync.Grant) {
	d.greet(grants...)
	for _, m := range d.heard() {
		if s, ok := m.(sync.Summary); ok {
			d.say(s)
		}
	}
	d.heard()
}

// only is the one message of a type in what the core said.
func only[T any](d *desk) T {
	d.t.Helper()
	var got []T
	said := d.heard()
	for _, m := range said {
		if m, ok := m.(T); ok {
			got = append(got, m)
		}
	}
	if len(got) != 1 {
		d.t.Fatalf("%d messages of type %T in %d: %+v", len(got), *new(T), len(said), said)
	}
	return got[0]
}

// dropped is why the last step hung up.
func (d *desk) dropped() string {
	d.t.Helper()
	if len(d.fx.Drop) != 1 {
		d.t.Fatalf("%d hang-ups", len(d.fx.Drop))
	}
	return d.fx.Drop[0].Reason
}

// stays checks that the last step did not hang up.
func (d *desk) stays() {
	d.t.Helper()
	if len(d.fx.Drop) > 0 {
		d.t.Fatalf("it hung up: %s", d.fx.Drop[0].Reason)
	}
}
