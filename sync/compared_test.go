package sync_test

import (
	"testing"

	"tombolo/sync"
)

// What a peer has said of a document goes from nothing over "about to say" to all of it, and is forgotten with the session.
func TestAnswered(t *testing.T) {
	d := newDesk(t, "a")
	want := func(when string, want sync.Answer, compared uint64) {
		t.Helper()
		if got := d.core.Answered(mallory, key(1)); got != want || d.core.Compared() != compared {
			t.Errorf("%s: %d, %d comparisons; want %d, %d", when, got, d.core.Compared(), want, compared)
		}
	}
	want("before", sync.Away, 0)
	d.step(sync.PeerUp{Peer: mallory, Spaces: []sync.Grant{both}})
	want("connected", sync.Waiting, 0)
	d.say(hello(d, both))
	want("greeted", sync.Waiting, 0)
	theirs := sync.Item{Doc: id(1)}
	d.say(sync.Summary{Space: home, Count: 1, Sum: [32]byte{1}})
	want("summaries differ", sync.Waiting, 0)
	d.say(sync.List{Space: home, Items: []sync.Item{theirs}, Last: true})
	want("the peer has it", sync.Waiting, 1)
	if len(d.fx.Find) != 1 {
		t.Fatalf("it asks for %d documents", len(d.fx.Find))
	}
	d.step(sync.Found{Find: d.fx.Find[0]})
	want("asked for", sync.Waiting, 1)
	d.say(sync.Delta{Space: home, Doc: id(1), Part: []byte{1}, Last: true, Heads: heads("a")})
	want("taken", sync.Waiting, 1)
	d.step(sync.Took{Take: d.fx.Take[0], After: heads("a"), New: [][]byte{{1}}})
	want("on disk", sync.Given, 1)
	if got := d.core.Answered(mallory, key(2)); got != sync.Given {
		t.Errorf("a document that nobody has: %d", got)
	}
	if got := d.core.Answered(mallory, sync.Key{Doc: id(1)}); got != sync.Unknown {
		t.Errorf("a space that is not shared: %d", got)
	}
	d.step(sync.PeerDown{Peer: mallory})
	want("disconnected", sync.Away, 1)

	d.greet(both)
	d.step(sync.Received{Peer: mallory, Frame: []byte{9}}) // no message
	want("dropped", sync.Away, 1)
}

// Nothing is expected of a reader, nor of a peer that does not name the space.
func TestAnsweredByOthers(t *testing.T) {
	reader := both
	reader.Accept = false
	d := newDesk(t, "a")
	d.meet(reader)
	if got := d.core.Answered(mallory, key(1)); got != sync.Unknown {
		t.Errorf("a reader: %d", got)
	}
	d = newDesk(t, "a")
	d.step(sync.PeerUp{Peer: mallory, Spaces: []sync.Grant{both}})
	d.say(hello(d))
	if got := d.core.Answered(mallory, key(1)); got != sync.Unknown {
		t.Errorf("a peer that does not name the space: %d", got)
	}
}
