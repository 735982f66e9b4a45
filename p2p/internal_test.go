package p2p

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/gologshim"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
)

func addr(t *testing.T, s string) ma.Multiaddr {
	t.Helper()
	a, err := ma.NewMultiaddr(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func text(addrs []ma.Multiaddr) string {
	var s []string
	for _, a := range addrs {
		s = append(s, a.String())
	}
	return strings.Join(s, " ")
}

func TestQueueBound(t *testing.T) {
	q := newQueue()
	n := 0
	for q.put(nil) == nil {
		n++
	}
	if want := maxBacklog / frameCost; n != want {
		t.Errorf("%d empty frames fit, want %d", n, want)
	}
	var batch []byte
	for total := 0; total < n*frameHeader; total += len(batch) {
		if batch, _, _ = q.take(nil); len(batch) == 0 || len(batch) > maxBatch+frameHeader {
			t.Fatalf("a batch of %d bytes at %d", len(batch), total)
		}
	}
	if err := q.put(make([]byte, MaxFrame)); err != nil {
		t.Errorf("after draining: %v", err)
	}
	q.finish()
	if err := q.put(nil); !errors.Is(err, ErrNotConnected) {
		t.Errorf("after finish: %v", err)
	}
	if batch, payload, open := q.take(nil); len(batch) != MaxFrame+frameHeader || payload != MaxFrame || open {
		t.Errorf("what was queued before finish: %d, %d, %v", len(batch), payload, open)
	}
}

func TestBookKeepsWhatWorked(t *testing.T) {
	var b book
	good := addr(t, "/ip4/10.0.0.1/tcp/1")
	if !b.keep(good) || b.keep(good) {
		t.Error("news is not told from old")
	}
	var flood []ma.Multiaddr
	for range 100 {
		flood = append(flood, addr(t, "/ip4/10.0.0.2/tcp/2"))
	}
	b.announce(append(flood, good))
	b.failed(good, "no route")
	if got := text(b.dialable()); got != "/ip4/10.0.0.1/tcp/1 /ip4/10.0.0.2/tcp/2" {
		t.Errorf("dialable: %s", got)
	}
	b.announce([]ma.Multiaddr{good})
	if got := b.state(); len(got) != 1 || got[0].LastError != "no route" {
		t.Errorf("state: %+v", got)
	}
	for i := range 20 {
		b.keep(addr(t, "/ip4/10.0.1.1/tcp/"+string(rune('1'+i%9))))
	}
	if got := b.dialable(); len(got) > maxKept+1 || got[0].String() != "/ip4/10.0.1.1/tcp/2" {
		t.Errorf("kept: %s", text(got))
	}
}

func TestListenAddrs(t *testing.T) {
	ip := net.ParseIP
	ifaces := []iface{
		{"lo", true, []net.IP{ip("127.0.0.1"), ip("::1")}},
		{"eth0", true, []net.IP{ip("fd00::2"), ip("192.0.2.2"), ip("fe80::1")}},
		{"eth1", false, []net.IP{ip("192.0.2.3")}},
	}
	for _, c := range []struct{ listening, want string }{
		{"/ip4/0.0.0.0/tcp/1", "/ip4/192.0.2.2/tcp/1"},
		{"/ip6/::/tcp/2 /ip4/0.0.0.0/tcp/1", "/ip4/192.0.2.2/tcp/1 /ip6/fd00::2/tcp/2"},
		{"/ip4/127.0.0.1/tcp/3", "/ip4/127.0.0.1/tcp/3"},
		{"/ip4/127.0.0.1/tcp/3 /ip4/198.51.100.1/tcp/4", "/ip4/198.51.100.1/tcp/4"},
		{"/dns4/x.example/tcp/1", ""},
	} {
		var l []ma.Multiaddr
		for s := range strings.FieldsSeq(c.listening) {
			l = append(l, addr(t, s))
		}
		if got := text(listenAddrs(l, ifaces)); got != c.want {
			t.Errorf("%s: %s, want %s", c.listening, got, c.want)
		}
	}
	before := fingerprint(ifaces)
	ifaces[2].up = true
	if fingerprint(ifaces) == before {
		t.Error("an interface that comes up changes nothing")
	}
}

// Anybody can put anything into an announcement.
func TestAnnouncementsAreNotTrusted(t *testing.T) {
	const a, b = "12D3KooWGSybaZzoKNbkJzedbgUZobu4PkM387YfQ8Q1GnuRt3FN", "12D3KooWQYV9dGMFoRzNStwpXztXaBUjtPqi6aU76ZgUriHhKust"
	id, addrs := readAnnouncement([]string{
		"x=y", "dnsaddr=nonsense", "dnsaddr=/ip4/10.0.0.1/tcp/1/p2p/" + a, "dnsaddr=/ip4/10.0.0.2/tcp/1/p2p/" + a,
	})
	if id.String() != a || text(addrs) != "/ip4/10.0.0.1/tcp/1 /ip4/10.0.0.2/tcp/1" {
		t.Errorf("%s, %s", id, text(addrs))
	}
	for name, txt := range map[string][]string{
		"nothing":   nil,
		"no peer":   {"dnsaddr=/ip4/10.0.0.1/tcp/1"},
		"peer only": {"dnsaddr=/p2p/" + a},
		"two peers": {"dnsaddr=/ip4/10.0.0.1/tcp/1/p2p/" + a, "dnsaddr=/ip4/10.0.0.1/tcp/1/p2p/" + b},
	} {
		if id, addrs := readAnnouncement(txt); id != "" || addrs != nil {
			t.Errorf("%s: %s, %s", name, id, text(addrs))
		}
	}
	var endless []string
	for range 1000 {
		endless = append(endless, "dnsaddr=/ip4/10.0.0.1/tcp/1/p2p/"+a)
	}
	if _, addrs := readAnnouncement(endless); len(addrs) != lanRecords {
		t.Errorf("%d addresses from one announcement", len(addrs))
	}
	for s, want := range map[string]bool{
		"/ip4/10.0.0.1/tcp/1": true, "/ip6/fd00::1/tcp/1": true,
		"/ip4/127.0.0.1/tcp/1": false, "/ip6/::1/tcp/1": false, "/ip4/0.0.0.0/tcp/1": false, "/ip4/224.0.0.1/tcp/1": false,
		"/ip6/fe80::1/tcp/1": false, "/dns4/x.example/tcp/1": false, "/ip4/10.0.0.1/udp/1": false, "/ip4/10.0.0.1/tcp/1/ws": false,
	} {
		if got := foundOnLAN(addr(t, s)); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}

func TestLibraryLogIsQuieter(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	captureLog(log)
	lib := gologshim.Logger("test").With("a", 1).WithGroup("g")
	lib.Error("loud", "b", 2)
	lib.Warn("usual")
	lib.Info("chatter")
	got := out.String()
	if !strings.Contains(got, "level=INFO msg=loud") || !strings.Contains(got, "a=1 g.b=2") ||
		strings.Contains(got, "usual") || strings.Contains(got, "chatter") {
		t.Errorf("log:\n%s", got)
	}
	releaseLog(log)
	out.Reset()
	lib.Error("late")
	if err := (libraryLog{}).Handle(context.Background(), slog.Record{}); err != nil || out.Len() != 0 {
		t.Errorf("after release: %v, %s", err, out.String())
	}
}

// quickNode is a node on loopback with its Downs on a channel.
func quickNode(t *testing.T, up chan<- struct{}, down chan<- error) *Node {
	t.Helper()
	id, err := CreateIdentity(filepath.Join(t.TempDir(), "id"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Start(t.Context(), Options{
		Identity: id, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, NoDiscovery: true, RedialMin: 10 * time.Millisecond,
		Events: Events{Up: func(PeerID) { up <- struct{}{} }, Down: func(_ PeerID, err error) { down <- err }},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// The opener notices that the other side has lost the session by its dialling;
// libp2p's clock cannot be turned, so the session is made old by hand.
func TestPeerThatCameBackReplacesItsSession(t *testing.T) {
	up, down := make(chan struct{}, 8), make(chan error, 8)
	a, b := quickNode(t, up, down), quickNode(t, up, down)
	if a.self > b.self {
		a, b = b, a
	}
	for _, err := range []error{a.Allow(b.opts.Identity.ID(), b.Addrs()), b.Allow(a.opts.Identity.ID(), nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	<-up
	<-up
	c, err := a.contact(b.self)
	if err != nil {
		t.Fatal(err)
	}
	if !c.arrived(nil) {
		t.Error("a second connection at the beginning is not spare")
	}
	c.mu.Lock()
	c.live.began = time.Now().Add(-dialTimeout - time.Second)
	c.mu.Unlock()
	if c.arrived(nil) {
		t.Error("a connection of a peer that came back is spare")
	}
	if first, second := <-down, <-down; !errors.Is(first, errReplaced) && !errors.Is(second, errReplaced) {
		t.Errorf("down with %v and %v", first, second)
	}
	<-up
	<-up
}

func TestPauseGrows(t *testing.T) {
	c := &contact{node: &Node{opts: Options{RedialMin: 500 * time.Millisecond, RedialMax: 15 * time.Second}}}
	want := []time.Duration{0, 500e6, 1e9, 2e9, 4e9, 8e9, 15e9, 15e9}
	for i, w := range want {
		if got := c.pause(i); got != w {
			t.Errorf("pause %d: %v, want %v", i, got, w)
		}
	}
	if got := c.pause(1 << 30); got != 15*time.Second {
		t.Errorf("after a billion failures: %v", got)
	}
}

// A machine whose mDNS port cannot be had is asked again, and nothing hangs.
func TestLANWithoutAnythingToAnnounce(t *testing.T) {
	l := startLAN(peer.ID("x"), []ma.Multiaddr{addr(t, "/ip4/127.0.0.1/tcp/1")}, func(peer.ID, []ma.Multiaddr) {}, slog.New(slog.DiscardHandler))
	l.stop()
	if l.server != nil {
		t.Error("loopback is announced")
	}
	var none *lan
	none.stop()
	if none.works() {
		t.Error("no lan works")
	}
}

// An inviter that stops answering is out of reach; only one that hangs up refuses.
func TestJoinErrors(t *testing.T) {
	if err := joinError(t.Context(), os.ErrDeadlineExceeded); !errors.Is(err, ErrUnreachable) {
		t.Errorf("timeout: %v", err)
	}
	if err := joinError(t.Context(), io.EOF); err != ErrRefused {
		t.Errorf("hung up: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := joinError(ctx, io.EOF); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestUnreached has one line for people, of what libp2p says on several.
func TestUnreached(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp4", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	err := unreachedError{&swarm.DialError{Cause: swarm.ErrAllDialsFailed, DialErrors: []swarm.TransportError{
		{Address: addr(t, "/ip4/10.0.0.7/tcp/4001"), Cause: refused},
		{Address: addr(t, "/ip4/10.0.0.8/tcp/4001"), Cause: context.DeadlineExceeded},
	}}}
	want := "p2p: no answer from /ip4/10.0.0.7/tcp/4001: connection refused, /ip4/10.0.0.8/tcp/4001: it took too long"
	if err.Error() != want || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v\nwant %s", err, want)
	}
}
