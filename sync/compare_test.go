package sync_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/sync"
)

type fataler interface{ Fatalf(string, ...any) }

// pair is two Cores whose frames go back and forth at once, and what that took.
type pair struct {
	t             fataler
	cores         map[sync.PeerID]*sync.Core
	asked         map[doc.ID]bool // documents one asked the other for
	frames, bytes int
}

func newPair(t fataler) *pair {
	p := &pair{t: t, cores: map[sync.PeerID]*sync.Core{}}
	for _, self := range []sync.PeerID{"a", "b"} {
		p.cores[self] = sync.New(sync.Options{Self: self, Codec: packs})
	}
	return p
}

// meet connects both, and lets them talk until both have compared and asked for what differs.
func (p *pair) meet() {
	type frame struct {
		from, to sync.PeerID
		bytes    []byte
	}
	var network []frame
	p.asked, p.frames, p.bytes = map[doc.ID]bool{}, 0, 0
	step := func(self sync.PeerID, ev sync.Event) {
		fx := p.cores[self].Step(noon, ev)
		for _, f := range fx.Find {
			p.asked[f.Key.Doc] = true
		}
		for _, o := range fx.Send {
			network = append(network, frame{self, o.Peer, o.Frame})
		}
		if len(fx.Drop) > 0 {
			p.t.Fatalf("%s hung up: %s", self, fx.Drop[0].Reason)
		}
	}
	step("a", sync.PeerUp{Peer: "b", Spaces: []sync.Grant{both}})
	step("b", sync.PeerUp{Peer: "a", Spaces: []sync.Grant{both}})
	for ; len(network) > 0; network = network[1:] {
		f := network[0]
		p.frames, p.bytes = p.frames+1, p.bytes+len(f.bytes)
		step(f.from, sync.Sent{Peer: f.to, N: len(f.bytes)})
		step(f.to, sync.Received{Peer: f.from, Frame: f.bytes})
	}
}

// The goal for a reconnect: 100,000 shared documents, 3 changed.
func TestComparisonIsSmall(t *testing.T) {
	p := newPair(t)
	for self, c := range p.cores {
		for i := range 100_000 {
			version := [32]byte{1}
			if i%40_000 == 0 {
				version = [32]byte{self[0]}
			}
			c.Know(key(i), version)
		}
	}
	p.meet()
	if p.frames > 8 || p.bytes > 60<<10 || len(p.asked) != 3 {
		t.Errorf("%d documents are asked for, after %d frames of %d bytes", len(p.asked), p.frames, p.bytes)
	}
	for self, peer := range map[sync.PeerID]sync.PeerID{"a": "b", "b": "a"} {
		if n := p.cores[self].LoadOf(peer); n.Talks != 3 {
			t.Errorf("%s keeps %+v", self, n)
		}
	}
}

// Whatever two devices have, the comparison finds each document that differs, or that one of them lacks.
func TestComparisonFindsWhatDiffers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := newPair(rt)
		differ := map[doc.ID]bool{}
		one := rapid.SampledFrom([]int{0, 1, 5, 40}).Draw(rt, "in a hundred")
		n := rapid.SampledFrom([]int{0, 1, 5, 100, 128, 129, 300, 3000}).Draw(rt, "documents")
		for i := range n {
			name := hash(fmt.Sprint(i))
			k := sync.Key{Space: home, Doc: doc.ID(name[:16])}
			how := 0
			if rapid.IntRange(0, 99).Draw(rt, "differs") < one {
				how = rapid.IntRange(1, 3).Draw(rt, "how")
				differ[k.Doc] = true
			}
			for self, c := range p.cores {
				switch {
				case how == 1 && self == "a", how == 2 && self == "b": // it lacks this one
				case how == 3:
					c.Know(k, [32]byte{self[0]})
				default:
					c.Know(k, [32]byte{1})
				}
			}
		}
		p.meet()
		asked := 0
		for id := range p.asked {
			if !differ[id] {
				rt.Fatal("a document that does not differ is asked for")
			}
			asked++
		}
		// Each device asks for a few at a time; the rest waits for the first answers.
		waits := p.cores["a"].LoadOf("b").Wants + p.cores["b"].LoadOf("a").Wants
		if asked+waits != len(differ) {
			rt.Fatalf("%d of %d are asked for, %d wait", asked, len(differ), waits)
		}
	})
}
