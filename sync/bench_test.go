package sync_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"tombolo/doc"
	"tombolo/sync"
)

// One change of 128 bytes, from durable here to acknowledged by every peer.
func BenchmarkChange(b *testing.B) {
	for _, peers := range []int{1, 50} {
		b.Run(fmt.Sprintf("peers=%d", peers), func(b *testing.B) {
			core := sync.New(sync.Options{Self: "d", Codec: packs})
			var names []sync.PeerID
			for i := range peers {
				p := sync.PeerID(fmt.Sprint("peer", i))
				names = append(names, p)
				core.Step(noon, sync.PeerUp{Peer: p, Spaces: []sync.Grant{both}})
				for _, m := range []any{
					sync.Hello{Min: 1, Max: 1, Spaces: []sync.Offer{{Token: sync.Token(both.Secret, p, "d")}}}, sync.Summary{Space: home},
				} {
					core.Step(noon, sync.Received{Peer: p, Frame: sync.Encode(m)})
				}
			}
			changes := [][]byte{make([]byte, 128)}
			var before []doc.Hash
			for n := uint64(0); b.Loop(); n++ {
				after := []doc.Hash{{}}
				binary.LittleEndian.PutUint64(after[0][:], n+1)
				fx := core.Step(noon, sync.Changed{Key: key(1), Before: before, After: after, Changes: changes})
				if len(fx.Send) != peers {
					b.Fatalf("%d of %d peers get it", len(fx.Send), peers)
				}
				for _, o := range fx.Send {
					core.Step(noon, sync.Sent{Peer: o.Peer, N: len(o.Frame)})
				}
				ack := sync.Encode(sync.Durable{Space: home, Doc: id(1), Heads: after})
				for _, p := range names {
					core.Step(noon, sync.Received{Peer: p, Frame: ack})
				}
				before = after
			}
			if load := core.LoadOf(names[0]); load.Talks > 0 {
				b.Fatalf("not acknowledged: %+v", load)
			}
		})
	}
}

// Two devices with 10,000 documents meet: both Cores, from the connection to the end of the comparison.
func BenchmarkCompare(b *testing.B) {
	const docs = 10_000
	for _, differ := range []int{0, 3} {
		b.Run(fmt.Sprintf("differ=%d", differ), func(b *testing.B) {
			p := newPair(b)
			for self, c := range p.cores {
				for i := range docs {
					version := [32]byte{1}
					if i < differ {
						version = [32]byte{self[0]}
					}
					c.Know(key(i), version)
				}
			}
			for b.Loop() {
				p.meet()
			}
			if len(p.asked) != differ {
				b.Fatalf("%d documents are asked for", len(p.asked))
			}
			b.ReportMetric(float64(p.frames), "frames")
			b.ReportMetric(float64(p.bytes), "wire-B")
		})
	}
}
