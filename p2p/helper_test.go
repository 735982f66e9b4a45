package p2p_test

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"go.uber.org/goleak"

	"tombolo/p2p"
)

func TestMain(m *testing.M) {
	if os.Getenv(lanChildEnv) != "" {
		lanChild()
		return
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for an event before it gives up.
const patience = 20 * time.Second

const syncProtocol = "/tombolo/sync/1"

// event is one call of an Events func.
type event struct {
	kind  string // up, frame, down
	peer  p2p.PeerID
	frame []byte
	err   error
}

// testNode is a node that records its events and checks their order.
type testNode struct {
	*p2p.Node
	t    *testing.T
	id   *p2p.Identity
	file string // of the identity
	ev   chan event
	sent chan int
	addr chan []string

	mu sync.Mutex
	up map[p2p.PeerID]bool
	in map[p2p.PeerID]int // calls running per peer
}

// order checks Up, Frame*, Down, one at a time, around a call.
func (n *testNode) order(kind string, p p2p.PeerID) (done func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.in[p]++; n.in[p] > 1 {
		n.t.Errorf("%s of %s during another event of it", kind, p.Short())
	}
	if want := kind != "up"; n.up[p] != want {
		n.t.Errorf("%s of %s while up=%v", kind, p.Short(), n.up[p])
	}
	if kind != "frame" {
		n.up[p] = kind == "up"
	}
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.in[p]--
	}
}

func (n *testNode) events() p2p.Events {
	put := func(e event) {
		defer n.order(e.kind, e.peer)()
		n.ev <- e
	}
	return p2p.Events{
		Up:    func(p p2p.PeerID) { put(event{kind: "up", peer: p}) },
		Frame: func(p p2p.PeerID, f []byte) { put(event{kind: "frame", peer: p, frame: f}) },
		Down:  func(p p2p.PeerID, err error) { put(event{kind: "down", peer: p, err: err}) },
		Sent: func(p p2p.PeerID, c int) {
			select {
			case n.sent <- c:
			default:
			}
		},
		Addrs: func(p p2p.PeerID, a []string) {
			select {
			case n.addr <- a:
			default:
			}
		},
	}
}

// next waits for an event of one kind and passes over the others.
func (n *testNode) next(kind string) event {
	n.t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-n.ev:
			if e.kind == kind {
				return e
			}
		case <-late:
			n.t.Fatalf("no %q within %v; peers: %+v", kind, patience, n.Peers())
		}
	}
}

func newIdentity(t testing.TB) (*p2p.Identity, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "identity")
	id, err := p2p.CreateIdentity(file, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id, file
}

// fast are timings for tests: everything within a second.
func fast(o *p2p.Options) {
	o.Heartbeat, o.Dead = 100*time.Millisecond, time.Second
	o.RedialMin, o.RedialMax = 10*time.Millisecond, 200*time.Millisecond
	o.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
	o.NoDiscovery = true
}

func newNode(t *testing.T, change ...func(*p2p.Options)) *testNode {
	t.Helper()
	id, file := newIdentity(t)
	return startNode(t, id, file, change...)
}

func startNode(t *testing.T, id *p2p.Identity, file string, change ...func(*p2p.Options)) *testNode {
	t.Helper()
	n := &testNode{
		t: t, id: id, file: file,
		ev: make(chan event, 1<<16), sent: make(chan int, 1<<16), addr: make(chan []string, 64),
		up: map[p2p.PeerID]bool{}, in: map[p2p.PeerID]int{},
	}
	o := p2p.Options{Identity: id, Events: n.events()}
	fast(&o)
	for _, c := range change {
		c(&o)
	}
	var err error
	if n.Node, err = p2p.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *testNode) allow(p *testNode, addrs ...string) {
	n.t.Helper()
	if err := n.Allow(p.id.ID(), addrs); err != nil {
		n.t.Fatal(err)
	}
}

// twoNodes returns two nodes, the one with the lower ID first.
func twoNodes(t *testing.T, change ...func(*p2p.Options)) (low, high *testNode) {
	a, b := newNode(t, change...), newNode(t, change...)
	if lower(t, a.id, b.id) {
		return a, b
	}
	return b, a
}

func lower(t *testing.T, a, b *p2p.Identity) bool { return rawID(t, a) < rawID(t, b) }

func rawID(t *testing.T, id *p2p.Identity) peer.ID {
	t.Helper()
	raw, err := peer.Decode(string(id.ID()))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// connect makes a and b members of each other and waits for the session.
func connect(t *testing.T, a, b *testNode) {
	t.Helper()
	a.allow(b, b.Addrs()...)
	b.allow(a)
	a.next("up")
	b.next("up")
}

// rawHost is a libp2p host that speaks no protocol of ours unless told to.
func rawHost(t *testing.T, file string) host.Host {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	key, err := crypto.UnmarshalPrivateKey(data)
	if err != nil {
		t.Fatal(err)
	}
	h, err := libp2p.New(
		libp2p.Identity(key), libp2p.Transport(tcp.NewTCPTransport), libp2p.Security(noise.ID, noise.New),
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay(), libp2p.DisableMetrics(),
		libp2p.DisableIdentifyAddressDiscovery(), libp2p.ForceReachabilityPrivate(),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// dialRaw connects a raw host to a node.
func dialRaw(t *testing.T, h host.Host, n *testNode) error {
	t.Helper()
	info, err := peer.AddrInfoFromString(n.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return h.Connect(ctx, *info)
}

// cable forwards TCP to one address until it is cut, when it keeps the
// connections open and forwards nothing more: a pulled plug.
type cable struct {
	ln  net.Listener
	cut chan struct{}
	wg  sync.WaitGroup
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{ln: ln, cut: make(chan struct{})}
	var mu sync.Mutex
	var open []net.Conn
	track := func(n net.Conn) {
		mu.Lock()
		defer mu.Unlock()
		open = append(open, n)
	}
	c.wg.Go(func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			track(in)
			out, err := net.Dial("tcp4", to)
			if err != nil {
				in.Close()
				continue
			}
			track(out)
			c.wg.Go(func() { c.copy(out, in) })
			c.wg.Go(func() { c.copy(in, out) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for _, n := range open {
			n.Close()
		}
		mu.Unlock()
		c.wg.Wait()
	})
	return c
}

func (c *cable) copy(dst, src net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		select {
		case <-c.cut:
			_, _ = io.Copy(io.Discard, src) // acknowledged by the kernel, delivered to nobody
			return
		default:
		}
		if err != nil {
			dst.Close()
			return
		}
		if _, err := dst.Write(buf[:n]); err != nil {
			src.Close()
			return
		}
	}
}
