package p2p_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"tombolo/p2p"
)

func TestSessionBothWays(t *testing.T) {
	for _, dialler := range []string{"low", "high"} {
		t.Run(dialler+" dials", func(t *testing.T) {
			low, high := twoNodes(t)
			if dialler == "low" {
				connect(t, low, high)
			} else {
				connect(t, high, low)
			}
			for _, way := range [][2]*testNode{{low, high}, {high, low}} {
				from, to := way[0], way[1]
				var want [][]byte
				for _, size := range []int{0, 1, 1000, p2p.MaxFrame, 5} {
					f := bytes.Repeat([]byte{byte(size)}, size)
					want = append(want, f)
					if err := from.Send(to.id.ID(), f); err != nil {
						t.Fatal(err)
					}
				}
				total := 0
				for i, w := range want {
					e := to.next("frame")
					if e.peer != from.id.ID() || !bytes.Equal(e.frame, w) {
						t.Fatalf("frame %d: %d bytes from %s, want %d", i, len(e.frame), e.peer.Short(), len(w))
					}
					total += len(w)
				}
				for sum := 0; sum < total; {
					sum += <-from.sent
				}
			}
		})
	}
}

func TestPeersTellsTheState(t *testing.T) {
	a, b := twoNodes(t)
	a.allow(b, "/ip4/127.0.0.1/tcp/1")
	for {
		st := a.Peers()[0]
		if len(st.Addrs) != 1 || st.Connected || st.Addr != "" {
			t.Fatalf("before: %+v", st)
		}
		if st.LastError != "" && strings.Contains(st.Addrs[0].LastError, "refused") {
			break // the loop is bounded by the redial pause, and by the test's timeout
		}
	}
	connect(t, a, b)
	st := a.Peers()[0]
	if !st.Connected || st.Since.IsZero() || st.LastError != "" || st.Addr == "" || st.Addrs[0].LastError != "" {
		t.Fatalf("after: %+v", st)
	}
}

func TestAddrsThatWorkAreReported(t *testing.T) {
	low, high := twoNodes(t)
	connect(t, low, high)
	// high was dialled, so it learns where low listens from low itself.
	select {
	case got := <-high.addr:
		if want := low.Addrs()[0]; len(got) != 1 || !strings.HasPrefix(want, got[0]) {
			t.Errorf("got %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Error("no address reported")
	}
}

func TestReconnectStorm(t *testing.T) {
	low, high := twoNodes(t)
	// Both dial, both drop at random moments; the recorder checks the order.
	low.allow(high, high.Addrs()...)
	high.allow(low, low.Addrs()...)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 25 {
		a, b := low, high
		if rng.IntN(2) == 0 {
			a, b = b, a
		}
		a.next("up")
		for j := range rng.IntN(20) {
			err := a.Send(b.id.ID(), fmt.Appendf(nil, "%d/%d", i, j))
			if err != nil && !errors.Is(err, p2p.ErrNotConnected) {
				t.Fatal(err)
			}
		}
		reason := errors.New("storm")
		a.Drop(b.id.ID(), reason)
		if e := a.next("down"); !errors.Is(e.err, reason) && !strings.Contains(e.err.Error(), "hung up") {
			t.Fatalf("down with %v", e.err)
		}
	}
}

func TestFramesBeforeDropArrive(t *testing.T) {
	low, high := twoNodes(t)
	connect(t, low, high)
	last := bytes.Repeat([]byte("why"), 50_000)
	if err := low.Send(high.id.ID(), last); err != nil {
		t.Fatal(err)
	}
	low.Drop(high.id.ID(), errors.New("please update"))
	if e := high.next("frame"); !bytes.Equal(e.frame, last) {
		t.Fatal("the frame before the drop is not whole")
	}
	if e := low.next("down"); !strings.Contains(e.err.Error(), "please update") {
		t.Fatal(e.err)
	}
	high.next("down")
	low.next("up") // the redial goes on
}

// The side that drops also refuses the other's dials until its pause is over.
func TestDroppedPeerWaits(t *testing.T) {
	for _, who := range []string{"low", "high"} {
		t.Run(who+" drops", func(t *testing.T) {
			low, high := twoNodes(t, func(o *p2p.Options) { o.RedialMin, o.RedialMax = 600*time.Millisecond, time.Second })
			connect(t, low, high)
			a, b := low, high
			if who == "high" {
				a, b = high, low
			}
			a.Drop(b.id.ID(), errors.New("enough"))
			a.next("down")
			began := time.Now()
			a.next("up")
			if took := time.Since(began); took < 500*time.Millisecond {
				t.Errorf("up again after %v", took)
			}
		})
	}
}

// A member that restarts while its old connection looks alive to us gets a new
// session at once.
func TestNewConnectionReplacesTheSession(t *testing.T) {
	n := newNode(t)
	id, file := newIdentity(t)
	for !lower(t, id, n.id) {
		id, file = newIdentity(t)
	}
	if err := n.Allow(id.ID(), nil); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same identity on two hosts
		h := rawHost(t, file)
		if err := dialRaw(t, h, n); err != nil {
			t.Fatal(err)
		}
		st, err := h.NewStream(t.Context(), rawID(t, n.id), syncProtocol)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.Write(heartbeat); err != nil {
			t.Fatal(err)
		}
		n.next("up")
	}
}

func TestSilentPeerIsDown(t *testing.T) {
	low, high := twoNodes(t)
	addr, err := ma.NewMultiaddr(strings.Split(high.Addrs()[0], "/p2p/")[0])
	if err != nil {
		t.Fatal(err)
	}
	na, err := manet.ToNetAddr(addr)
	if err != nil {
		t.Fatal(err)
	}
	wire := newCable(t, na.String())
	through, err := manet.FromNetAddr(wire.ln.Addr())
	if err != nil {
		t.Fatal(err)
	}
	high.allow(low)
	low.allow(high, through.String())
	low.next("up")
	high.next("up")
	wire.ln.Close()
	close(wire.cut)
	// Whoever notices first comes back on a new connection, perhaps before the other notices.
	first, second := low.next("down").err, high.next("down").err
	for _, err := range []error{first, second} {
		if !errors.Is(err, p2p.ErrSilent) && !errors.Is(err, p2p.ErrReplaced) {
			t.Errorf("down with %v", err)
		}
	}
	if !errors.Is(first, p2p.ErrSilent) && !errors.Is(second, p2p.ErrSilent) {
		t.Errorf("down with %v and %v: nobody noticed the silence", first, second)
	}
	// low has learned where high really listens, and goes there.
	low.next("up")
	high.next("up")
}

func TestBackPressureKeepsTheSession(t *testing.T) {
	gate := make(chan struct{})
	got := make(chan int, 1<<16)
	slow := newNode(t, func(o *p2p.Options) {
		o.Events.Frame = func(_ p2p.PeerID, f []byte) {
			<-gate
			got <- len(f)
		}
	})
	fastNode := newNode(t)
	fastNode.allow(slow, slow.Addrs()...)
	slow.allow(fastNode)
	fastNode.next("up")
	frame := make([]byte, p2p.MaxFrame)
	total := 0
	var err error
	for err == nil { // until queue and windows are full
		if err = fastNode.Send(slow.id.ID(), frame); err == nil {
			total++
		}
	}
	if !errors.Is(err, p2p.ErrBacklog) {
		t.Fatal(err)
	}
	if total < 15 || total > 200 {
		t.Errorf("%d frames of 256 KiB accepted before ErrBacklog", total)
	}
	// Longer than Dead without reading: heartbeats from the other side go on.
	select {
	case e := <-fastNode.ev:
		t.Fatalf("%s: %v", e.kind, e.err)
	case <-time.After(1500 * time.Millisecond):
	}
	close(gate)
	for range total {
		select {
		case <-got:
		case <-time.After(patience):
			t.Fatal("frames are missing")
		}
	}
}

func TestSendErrors(t *testing.T) {
	low, high := twoNodes(t)
	to := high.id.ID()
	if err := low.Send(to, nil); !errors.Is(err, p2p.ErrNotConnected) {
		t.Errorf("stranger: %v", err)
	}
	low.allow(high)
	if err := low.Send(to, nil); !errors.Is(err, p2p.ErrNotConnected) {
		t.Errorf("not connected: %v", err)
	}
	if err := low.Send(to, make([]byte, p2p.MaxFrame+1)); !errors.Is(err, p2p.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if err := low.Send("nobody", nil); err == nil {
		t.Error("a malformed ID is accepted")
	}
	low.Drop("nobody", nil)
	low.Drop(to, nil)
	low.Close()
	if err := low.Send(to, nil); !errors.Is(err, p2p.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if err := low.Allow(to, nil); !errors.Is(err, p2p.ErrClosed) {
		t.Errorf("allow after close: %v", err)
	}
}

// heartbeat is what each side writes first.
var heartbeat = []byte{0, 0, 0, 1, 0}

// rawSession opens a stream by hand, as a member of n with a lower ID, and
// writes first on it.
func rawSession(t *testing.T, n *testNode, first []byte) network.Stream {
	t.Helper()
	id, file := newIdentity(t)
	for !lower(t, id, n.id) {
		id, file = newIdentity(t)
	}
	if err := n.Allow(id.ID(), nil); err != nil {
		t.Fatal(err)
	}
	h := rawHost(t, file)
	if err := dialRaw(t, h, n); err != nil {
		t.Fatal(err)
	}
	st, err := h.NewStream(t.Context(), rawID(t, n.id), syncProtocol)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Write(first); err != nil {
		t.Fatal(err)
	}
	return st
}

func TestGarbageClosesTheSessionOnly(t *testing.T) {
	frame := func(n uint32, kind byte, more ...byte) []byte {
		return append(append(binary.BigEndian.AppendUint32(nil, n), kind), more...)
	}
	for name, bad := range map[string][]byte{
		"empty":              frame(0, 1),
		"huge":               frame(1<<31, 1),
		"one byte too large": frame(p2p.MaxFrame+2, 1),
		"unknown kind":       frame(1, 7),
		"loaded heartbeat":   frame(3, 0, 1, 2),
	} {
		t.Run(name, func(t *testing.T) {
			low, high := twoNodes(t)
			connect(t, low, high)
			st := rawSession(t, high, heartbeat)
			high.next("up")
			if _, err := st.Write(bad); err != nil {
				t.Fatal(err)
			}
			e := high.next("down")
			if e.peer == low.id.ID() || !strings.Contains(e.err.Error(), "not our protocol") {
				t.Fatalf("down of %s: %v", e.peer.Short(), e.err)
			}
			if err := low.Send(high.id.ID(), []byte("still here")); err != nil {
				t.Fatal(err)
			}
			high.next("frame")
		})
	}
}

func TestFrameInsteadOfGreeting(t *testing.T) {
	n := newNode(t)
	st := rawSession(t, n, []byte{0, 0, 0, 2, 1, 'x'})
	expectReset(t, st)
	select {
	case e := <-n.ev:
		t.Fatalf("%s without a greeting", e.kind)
	default:
	}
}

// A peer that says hello and then takes nothing is hung up on in the end.
func TestStalledReaderIsHungUp(t *testing.T) {
	n := newNode(t, func(o *p2p.Options) { o.Heartbeat, o.Dead = 20*time.Millisecond, 200*time.Millisecond })
	st := rawSession(t, n, heartbeat)
	n.next("up")
	to := p2p.PeerID(st.Conn().LocalPeer().String())
	full := make([]byte, p2p.MaxFrame)
	for n.Send(to, full) == nil {
	}
	alive := time.NewTicker(50 * time.Millisecond)
	defer alive.Stop()
	late := time.After(patience)
	for {
		select {
		case <-alive.C:
			_, _ = st.Write(heartbeat)
		case e := <-n.ev:
			if e.kind != "down" || !strings.Contains(e.err.Error(), "taken nothing") {
				t.Fatalf("%s: %v", e.kind, e.err)
			}
			return
		case <-late:
			t.Fatal("still up")
		}
	}
}

func TestOpenerRule(t *testing.T) {
	t.Run("a second stream on the connection is refused", func(t *testing.T) {
		n := newNode(t)
		st := rawSession(t, n, heartbeat)
		n.next("up")
		again, err := st.Conn().NewStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		negotiate(t, again)
		expectReset(t, again)
		if _, err := st.Write([]byte{0, 0, 0, 2, 1, 'x'}); err != nil {
			t.Fatal(err)
		}
		n.next("frame") // the first goes on
	})
	t.Run("the higher ID may not open", func(t *testing.T) {
		n := newNode(t)
		id, file := newIdentity(t)
		for lower(t, id, n.id) {
			id, file = newIdentity(t)
		}
		if err := n.Allow(id.ID(), nil); err != nil {
			t.Fatal(err)
		}
		h := rawHost(t, file)
		if err := dialRaw(t, h, n); err != nil {
			t.Fatal(err)
		}
		st, err := h.NewStream(t.Context(), rawID(t, n.id), syncProtocol)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = st.Write(heartbeat)
		expectReset(t, st)
	})
}

// negotiate chooses the session protocol on a naked stream, by hand.
func negotiate(t *testing.T, st network.Stream) {
	t.Helper()
	for _, s := range []string{"/multistream/1.0.0\n", syncProtocol + "\n"} {
		if _, err := st.Write(append([]byte{byte(len(s))}, s...)); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = st.Write(heartbeat)
}

// expectReset reads until the other side has reset the stream.
func expectReset(t *testing.T, st network.Stream) {
	t.Helper()
	if err := st.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var err error
	for buf := make([]byte, 100); err == nil; {
		_, err = st.Read(buf)
	}
	if !errors.Is(err, network.ErrReset) {
		t.Fatalf("the stream ended with %v, not with a reset", err)
	}
}
