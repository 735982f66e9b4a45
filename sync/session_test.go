package sync_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/sync"
)

func TestVersionsThatDoNotMeet(t *testing.T) {
	for _, c := range []struct {
		min, max uint
		want     string
	}{
		{2, 3, "it speaks protocol 2 and later, this device 1: update this device"},
		{0, 0, "it speaks protocol 0 and earlier, this device 1: update that device"},
	} {
		d := newDesk(t, "d")
		d.step(sync.PeerUp{Peer: mallory})
		d.say(sync.Hello{Min: c.min, Max: c.max})
		if got := d.dropped(); got != c.want {
			t.Errorf("%d to %d: %s", c.min, c.max, got)
		}
	}
}

func TestFirstTheHello(t *testing.T) {
	d := newDesk(t, "d")
	d.step(sync.PeerUp{Peer: mallory, Spaces: []sync.Grant{both}})
	d.say(sync.Summary{Space: home})
	if got := d.dropped(); got != "a message before hello" {
		t.Error(got)
	}
	if d.say(hello(d, both)); len(d.fx.Send)+len(d.fx.Drop)+len(d.fx.Met) > 0 {
		t.Errorf("it goes on talking after it hung up: %+v", d.fx)
	}
}

func TestFramesThatCostTheConnection(t *testing.T) {
	tooMany := make([]doc.Hash, sync.MaxHeads+1)
	for name, c := range map[string]struct {
		m    any
		want string
	}{
		"a list out of turn": {sync.List{Space: home, Last: true}, "a list that was not its turn"},
		"ranges out of turn": {sync.Ranges{Space: home}, "ranges that were not their turn"},
		"too many spaces":    {sync.Hello{Min: 1, Max: 1, Spaces: make([]sync.Offer, sync.MaxSpaces+1)}, "a hello with 1025 spaces"},
		"a long name":        {sync.Hello{Min: 1, Max: 1, Name: strings.Repeat("x", sync.MaxName+1)}, "a name of 257 bytes"},
		"heads in a have":    {sync.Have{Space: home, Doc: id(1), Heads: tooMany}, "a have with 1025 hashes"},
		"heads in a delta":   {sync.Delta{Space: home, Doc: id(1), Heads: tooMany}, "a delta with 1025 hashes"},
		"heads in a push":    {sync.Push{Space: home, Doc: id(1), Heads: tooMany}, "a push with 1025 heads"},
		"heads in a durable": {sync.Durable{Space: home, Doc: id(1), Heads: tooMany}, "a durable with 1025 heads"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "d")
			d.meet(both)
			d.say(c.m)
			if got := d.dropped(); !strings.Contains(got, c.want) {
				t.Error(got)
			}
		})
	}
	t.Run("garbage", func(t *testing.T) {
		d := newDesk(t, "d")
		d.meet(both)
		d.step(sync.Received{Peer: mallory, Frame: []byte("\x01?")})
		if got := d.dropped(); !strings.Contains(got, "malformed frame") {
			t.Error(got)
		}
	})
}

// What is said about a space that is not shared, by a member of another, has no effect.
func TestUnknownSpaces(t *testing.T) {
	d := newDesk(t, "d")
	other := doc.SpaceID{2}
	d.core.Know(sync.Key{Space: other, Doc: id(1)}, hash("x"))
	d.meet(both)
	for _, m := range []any{
		sync.Members{Space: other, Records: [][]byte{{1}}},
		sync.Summary{Space: other, Count: 1},
		sync.List{Space: other, Last: true},
		sync.Ranges{Space: other},
		sync.Have{Space: other, Doc: id(1)},
		sync.Delta{Space: other, Doc: id(1), Part: []byte("p"), Last: true},
		sync.Push{Space: other, Doc: id(1), Changes: [][]byte{{1}}},
		sync.Durable{Space: other, Doc: id(1), Heads: heads("x")},
	} {
		fx := d.say(m)
		if len(fx.Take)+len(fx.Find)+len(fx.Send)+len(fx.Learn)+len(fx.Acks)+len(fx.Drop) > 0 {
			t.Errorf("%T has an effect: %+v", m, fx)
		}
	}
}

// A stranger to a space cannot make use of its own token, nor of the one this device sent.
func TestTokensAreOneWay(t *testing.T) {
	d := newDesk(t, "d")
	d.step(sync.PeerUp{Peer: mallory, Spaces: []sync.Grant{both}})
	m := hello(d)
	m.Spaces = only[sync.Hello](d).Spaces // echoed
	d.say(m)
	if len(d.fx.Send) > 0 {
		t.Errorf("an echoed token opened the space: %+v", d.heard())
	}
}

func TestNamesThatOthersWouldRefuse(t *testing.T) {
	core := sync.New(sync.Options{Self: "d", Name: strings.Repeat("ü", 200) + "\xff", Codec: packs})
	d := &desk{t: t, self: "d", core: core, now: noon}
	d.step(sync.PeerUp{Peer: mallory})
	if name := only[sync.Hello](d).Name; name != strings.Repeat("ü", 128) {
		t.Errorf("the name is sent as %q", name)
	}
	many := make([]sync.Grant, sync.MaxSpaces+1)
	for i := range many {
		many[i].Space = doc.SpaceID{byte(i), byte(i >> 8)}
	}
	d.step(sync.PeerUp{Peer: mallory, Spaces: many})
	if n := len(only[sync.Hello](d).Spaces); n != sync.MaxSpaces {
		t.Errorf("%d spaces are offered", n)
	}
}

func TestMembershipLogs(t *testing.T) {
	d := newDesk(t, "d")
	theirs := both
	theirs.Members = [8]byte{9}
	d.step(sync.PeerUp{Peer: mallory, Spaces: []sync.Grant{both}})
	d.say(hello(d, theirs))
	if len(d.fx.Tell) != 1 || d.fx.Tell[0] != (sync.Told{Peer: mallory, Space: home}) {
		t.Fatalf("a membership log that differs: %+v", d.fx.Tell)
	}
	d.heard()
	d.step(sync.Joined{Peer: "someone else", Space: home, Records: [][]byte{{1}}})
	d.step(sync.Joined{Space: doc.SpaceID{2}, Records: [][]byte{{1}}})
	if said := d.heard(); len(said) > 0 {
		t.Fatalf("the log went to the wrong peer: %+v", said)
	}
	var records [][]byte
	for i := range 2000 { // 600 KB: more than a frame
		records = append(records, append(make([]byte, 300), byte(i)))
	}
	d.step(sync.Joined{Peer: mallory, Space: home, Records: records})
	got := 0
	for _, m := range d.heard() {
		got += len(m.(sync.Members).Records)
	}
	if got != len(records) {
		t.Fatalf("%d of %d records were sent", got, len(records))
	}
	d.say(sync.Members{Space: home, Records: records[:2]})
	if len(d.fx.Learn) != 1 || len(d.fx.Learn[0].Records) != 2 {
		t.Fatalf("records of the peer: %+v", d.fx.Learn)
	}
}

// A membership that changes in a running session: spaces come and go, and a role that changes begins the next session.
func TestGrantsOfARunningSession(t *testing.T) {
	second := sync.Grant{Space: doc.SpaceID{2}, Secret: [32]byte{8}, Give: true, Accept: true}
	reader := both
	reader.Accept = false

	d := newDesk(t, "d")
	d.core.Know(key(1), doc.HeadsHash(id(1), heads("a")))
	d.meet(both)
	d.step(sync.Granted{Peer: "nobody", Spaces: []sync.Grant{both}})

	d.step(sync.Granted{Peer: mallory, Spaces: []sync.Grant{both, second}})
	if h := only[sync.Hello](d); len(h.Spaces) != 2 {
		t.Fatalf("a second space is offered as %+v", h)
	}
	d.say(hello(d, both, second))
	if s := only[sync.Summary](d); s.Space != second.Space {
		t.Fatalf("compared again: %+v", s)
	}

	d.say(sync.Delta{Space: home, Doc: id(2), Part: []byte("half"), Cont: true})
	d.step(sync.Granted{Peer: mallory, Spaces: []sync.Grant{second}})
	d.stays()
	if n := d.core.LoadOf(mallory); n.Talks+n.Spooled > 0 {
		t.Fatalf("of a space no longer shared is kept: %+v", n)
	}
	d.heard()
	d.step(sync.Changed{Key: key(1), Before: heads("a"), After: heads("b"), Changes: [][]byte{{1}}})
	d.say(sync.Push{Space: home, Doc: id(1), Changes: [][]byte{{1}}, Heads: heads("c")})
	if said := d.heard(); len(said)+len(d.fx.Take) > 0 {
		t.Fatalf("a space no longer shared is talked about: %+v, %+v", said, d.fx)
	}

	d.step(sync.Granted{Peer: mallory, Spaces: []sync.Grant{both, second}})
	if d.dropped(); !d.fx.Drop[0].Blameless {
		t.Fatal("a space that comes back is the peer's fault")
	}
	if d.step(sync.Granted{Peer: mallory, Spaces: []sync.Grant{both}}); len(d.fx.Send)+len(d.fx.Drop) > 0 {
		t.Fatalf("after hanging up: %+v", d.fx)
	}

	d.meet(both)
	d.step(sync.Granted{Peer: mallory, Spaces: []sync.Grant{reader}})
	if d.dropped(); !d.fx.Drop[0].Blameless {
		t.Fatal("a role that changes is the peer's fault")
	}
	d.meet(reader)
	d.say(hello(d)) // the peer left the space
	d.stays()
	d.say(sync.Summary{Space: home})
	if len(d.fx.Send) > 0 {
		t.Fatal("a space the peer left is compared")
	}
}

// Answers to what an earlier session asked for do not reach the next one.
func TestAnswersOfAnEarlierSession(t *testing.T) {
	d := newDesk(t, "a")
	d.core.Know(key(1), doc.HeadsHash(id(1), heads("a")))
	d.meet(both)
	d.say(sync.Have{Space: home, Doc: id(1)})
	find := d.fx.Find[0]
	d.say(sync.Push{Space: home, Doc: id(1), Changes: [][]byte{{1}}, Heads: heads("b")})
	take := d.fx.Take[0]

	d.step(sync.PeerDown{Peer: mallory})
	if d.step(sync.Found{Find: find, Packs: [][]byte{{1}}, Heads: heads("a")}); len(d.fx.Send) > 0 {
		t.Fatal("an answer went out without a session")
	}
	d.meet(both)
	before := d.core.LoadOf(mallory)
	d.step(sync.Found{Find: find, Packs: [][]byte{{1}}, Heads: heads("a")})
	if d.core.LoadOf(mallory) != before || len(d.heard()) > 0 {
		t.Fatal("a look-up of the first session is answered in the second")
	}
	d.step(sync.Took{Take: take, Before: heads("a"), After: heads("b"), New: [][]byte{{1}}})
	if p := only[sync.Push](d); len(p.Changes) != 1 {
		t.Fatalf("what came in the first session is news in the second, too: %+v", p)
	}
	d.step(sync.Took{Take: take, Before: heads("b"), After: heads("b"), Bad: errBad})
	d.stays()

	// Without a PeerDown between, and with a Sent that comes late.
	d.step(sync.PeerUp{Peer: mallory, Spaces: []sync.Grant{both}})
	d.step(sync.Sent{Peer: mallory, N: 1 << 20})
	if n := d.core.LoadOf(mallory); n.UnderWay != 0 {
		t.Fatalf("a late Sent leaves %d bytes under way", n.UnderWay)
	}
	for _, ev := range []sync.Event{sync.Sent{Peer: "x", N: 1}, sync.Received{Peer: "x", Frame: []byte{1}}, sync.PeerDown{Peer: "x"}} {
		if d.step(ev); len(d.fx.Drop)+len(d.fx.Send) > 0 {
			t.Fatalf("%T of someone who is not there: %+v", ev, d.fx)
		}
	}
}

// With many sessions, too, the same events give the same effects in the same order.
func TestSameEventsSameEffects(t *testing.T) {
	run := func() (all []sync.Effects) {
		core := sync.New(sync.Options{Self: "d", Codec: packs})
		step := func(ev sync.Event) { all = append(all, core.Step(noon, ev)) }
		second := sync.Grant{Space: doc.SpaceID{2}, Secret: [32]byte{8}, Give: true, Accept: true}
		for i := range 20 {
			core.Know(key(i), hash("x"))
			p := sync.PeerID(fmt.Sprint("peer", i))
			step(sync.PeerUp{Peer: p, Spaces: []sync.Grant{second, both}})
			hello := sync.Hello{Min: 1, Max: 1, Spaces: []sync.Offer{{Token: sync.Token(both.Secret, p, "d")}, {Token: sync.Token(second.Secret, p, "d")}}}
			step(sync.Received{Peer: p, Frame: sync.Encode(hello)})
			step(sync.Received{Peer: p, Frame: sync.Encode(sync.Summary{Space: second.Space})})
			step(sync.Received{Peer: p, Frame: sync.Encode(sync.Summary{Space: home})})
			step(sync.Received{Peer: p, Frame: sync.Encode(sync.List{Space: home, Last: true})})
		}
		step(sync.Changed{Key: sync.Key{Space: second.Space, Doc: id(1)}, After: heads("a"), Changes: [][]byte{{1}}})
		step(sync.Joined{Space: home, Records: [][]byte{{1}}})
		step(sync.Granted{Peer: "peer3"})
		return all
	}
	if first := run(); !reflect.DeepEqual(first, run()) {
		t.Error("other effects")
	}
}
