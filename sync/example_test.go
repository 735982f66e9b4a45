package sync_test

import (
	"fmt"
	"time"

	"tombolo/doc"
	"tombolo/doc/pack"
	"tombolo/sync"
)

// Two devices in one program: a document made on one is taken by the other, and the first learns that it is on both disks.
func Example() {
	type frame struct {
		from, to sync.PeerID
		bytes    []byte
	}
	var network []frame
	cores := map[sync.PeerID]*sync.Core{}
	var step func(self sync.PeerID, ev sync.Event)
	step = func(self sync.PeerID, ev sync.Event) {
		fx := cores[self].Step(time.Now(), ev)
		for _, t := range fx.Take { // a real device checks, applies and writes
			fmt.Printf("%s takes %d change\n", self, len(t.Changes))
			step(self, sync.Took{Take: t, After: t.Tail.Heads, New: t.Changes})
		}
		for _, a := range fx.Acks {
			fmt.Printf("%s knows that it is on the disk of %s\n", self, a.Peer)
		}
		for _, o := range fx.Send {
			network = append(network, frame{self, o.Peer, o.Frame})
		}
	}
	settle := func() {
		for ; len(network) > 0; network = network[1:] {
			f := network[0]
			step(f.from, sync.Sent{Peer: f.to, N: len(f.bytes)})
			step(f.to, sync.Received{Peer: f.from, Frame: f.bytes})
		}
	}
	space := sync.Grant{Space: doc.SpaceID{1}, Secret: [32]byte{2}, Give: true, Accept: true}
	for self, peer := range map[sync.PeerID]sync.PeerID{"alice": "bob", "bob": "alice"} {
		cores[self] = sync.New(sync.Options{Self: self, Name: string(self), Codec: pack.New()})
		step(self, sync.PeerUp{Peer: peer, Spaces: []sync.Grant{space}})
	}
	settle()

	id := doc.NamedID("example", "shopping")
	d := sync.Key{Space: space.Space, Doc: id}
	step("alice", sync.Changed{Key: d, After: []doc.Hash{{1}}, Changes: [][]byte{doc.Genesis(id, "example")}})
	settle()
	// Output:
	// bob takes 1 change
	// bob knows that it is on the disk of alice
	// alice knows that it is on the disk of bob
}
