package p2p_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"tombolo/p2p"
)

// benchPair is two connected nodes over loopback.
func benchPair(b *testing.B, at, back func(p2p.PeerID, []byte), sent func(p2p.PeerID, int)) (from, to *p2p.Node, toID, fromID p2p.PeerID) {
	b.Helper()
	up := make(chan struct{}, 2)
	start := func(frame func(p2p.PeerID, []byte), sent func(p2p.PeerID, int)) (*p2p.Node, p2p.PeerID) {
		id, err := p2p.CreateIdentity(filepath.Join(b.TempDir(), "id"), rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		n, err := p2p.Start(b.Context(), p2p.Options{
			Identity: id, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, NoDiscovery: true,
			Events: p2p.Events{Up: func(p2p.PeerID) { up <- struct{}{} }, Frame: frame, Sent: sent},
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { n.Close() })
		return n, id.ID()
	}
	from, fromID = start(back, sent)
	to, toID = start(at, nil)
	for _, err := range []error{from.Allow(toID, to.Addrs()), to.Allow(fromID, nil)} {
		if err != nil {
			b.Fatal(err)
		}
	}
	<-up
	<-up
	return from, to, toID, fromID
}

func BenchmarkFrames(b *testing.B) {
	for _, size := range []int{128, 4 << 10, p2p.MaxFrame} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			var got atomic.Int64
			all := make(chan struct{}, 1)
			want := int64(-1)
			room := make(chan struct{}, 1)
			from, _, to, _ := benchPair(b, func(p2p.PeerID, []byte) {
				if got.Add(1) == atomic.LoadInt64(&want) {
					all <- struct{}{}
				}
			}, nil, func(p2p.PeerID, int) {
				select {
				case room <- struct{}{}:
				default:
				}
			})
			frame := make([]byte, size)
			b.SetBytes(int64(size))
			n := int64(0)
			for b.Loop() {
				for {
					err := from.Send(to, frame)
					if err == nil {
						break
					}
					if !errors.Is(err, p2p.ErrBacklog) {
						b.Fatal(err)
					}
					<-room
				}
				n++
			}
			atomic.StoreInt64(&want, n)
			if got.Load() < n {
				<-all
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	pong := make(chan struct{}, 1)
	var to, from *p2p.Node
	var toID, fromID p2p.PeerID
	ready := make(chan struct{})
	from, to, toID, fromID = benchPair(b,
		func(_ p2p.PeerID, f []byte) {
			<-ready
			if err := to.Send(fromID, f); err != nil {
				b.Error(err)
			}
		},
		func(p2p.PeerID, []byte) { pong <- struct{}{} }, nil)
	close(ready)
	frame := make([]byte, 128)
	for b.Loop() {
		if err := from.Send(toID, frame); err != nil {
			b.Fatal(err)
		}
		<-pong
	}
}
