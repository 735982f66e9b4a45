package p2p_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tombolo/p2p"
)

// restart closes n and starts it again under the same identity.
func (n *testNode) restart(listen string) *testNode {
	n.t.Helper()
	if err := n.Close(); err != nil {
		n.t.Fatal(err)
	}
	return startNode(n.t, n.id, n.file, func(o *p2p.Options) { o.Listen = []string{listen} })
}

func TestRedialAfterRestart(t *testing.T) {
	for _, c := range []struct {
		name    string
		restart func(low, high *testNode) *testNode
	}{
		{"low, same port", func(low, _ *testNode) *testNode { return low }},
		{"high, same port", func(_, high *testNode) *testNode { return high }},
	} {
		t.Run(c.name, func(t *testing.T) {
			low, high := twoNodes(t)
			connect(t, low, high)
			gone, stays := c.restart(low, high), low
			if gone == low {
				stays = high
			}
			if stays == high { // it was dialled, and is still learning where low listens
				select {
				case <-high.addr:
				case <-time.After(patience):
					t.Fatal("no address reported")
				}
			}
			at := strings.Split(gone.Addrs()[0], "/p2p/")[0]
			// It is only told who its member is: the other has to find it.
			back := gone.restart(at)
			stays.next("down")
			back.allow(stays)
			back.next("up")
			stays.next("up")
		})
		t.Run(strings.Replace(c.name, "same", "another", 1), func(t *testing.T) {
			low, high := twoNodes(t)
			connect(t, low, high)
			gone, stays := c.restart(low, high), low
			if gone == low {
				stays = high
			}
			// Its port is new, so it has to remember where the other is.
			back := gone.restart("/ip4/127.0.0.1/tcp/0")
			stays.next("down")
			back.allow(stays, stays.Addrs()...)
			back.next("up")
			stays.next("up")
		})
	}
}

func TestNodeClosesSessions(t *testing.T) {
	low, high := twoNodes(t)
	connect(t, low, high)
	low.Close()
	if e := low.next("down"); !errors.Is(e.err, p2p.ErrClosed) {
		t.Errorf("down with %v", e.err)
	}
	high.next("down")
	if err := low.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestRevokeCloses(t *testing.T) {
	low, high := twoNodes(t)
	connect(t, low, high)
	high.Revoke(low.id.ID())
	if e := high.next("down"); !errors.Is(e.err, p2p.ErrRevoked) {
		t.Errorf("down with %v", e.err)
	}
	low.next("down")
	if err := high.Send(low.id.ID(), nil); !errors.Is(err, p2p.ErrNotConnected) {
		t.Errorf("send to a revoked peer: %v", err)
	}
	if got := high.Peers(); len(got) != 0 {
		t.Errorf("still listed: %+v", got)
	}
	// low keeps dialling, and says why it gets nowhere.
	waitFor(t, "the refusal", func() bool { return strings.Contains(low.Peers()[0].LastError, "member") })
	select {
	case e := <-high.ev:
		t.Fatalf("%s after Revoke", e.kind)
	default:
	}
	high.Revoke(low.id.ID()) // again: nothing
	high.Revoke("nobody")
	high.allow(low)
	low.next("up")
	high.next("up")
}

// waitFor polls what no event tells.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !ok(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("no %s within %v", what, patience)
		}
	}
}

// Revoke and Allow in one breath make a new contact while the old one may still
// be saying Down; the recorder of the other tests checks the rest.
func TestUpWaitsForTheLastDown(t *testing.T) {
	inDown, release := make(chan struct{}, 1), make(chan struct{})
	ups := make(chan struct{}, 16)
	a := newNode(t, func(o *p2p.Options) {
		o.Events.Up = func(p2p.PeerID) { ups <- struct{}{} }
		o.Events.Down = func(p2p.PeerID, error) {
			select {
			case inDown <- struct{}{}:
			default:
			}
			<-release
		}
	})
	b := newNode(t)
	a.allow(b, b.Addrs()...)
	b.allow(a)
	<-ups
	b.next("up")
	a.Revoke(b.id.ID())
	a.allow(b, b.Addrs()...)
	<-inDown
	// The new contact has connected by now or soon; it must not say Up.
	waitFor(t, "second contact", func() bool { return len(a.Peers()) == 1 })
	select {
	case <-ups:
		t.Error("Up before the last Down has returned")
	case <-time.After(300 * time.Millisecond): // 30 times the redial pause
	}
	close(release)
	select {
	case <-ups:
	case <-time.After(patience):
		t.Error("no Up after Down has returned")
	}
}

func TestStrangersLearnNothing(t *testing.T) {
	n := newNode(t)
	_, file := newIdentity(t)
	h := rawHost(t, file)
	_ = dialRaw(t, h, n) // nil: a refusal only shows later
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if st, err := h.NewStream(ctx, rawID(t, n.id), syncProtocol); err == nil {
		if _, err = st.Read(make([]byte, 1)); err == nil {
			t.Fatal("a stranger has a stream")
		}
	}
	if got, err := h.Peerstore().GetProtocols(rawID(t, n.id)); err != nil || len(got) != 0 {
		t.Errorf("a stranger knows protocols %v, %v", got, err)
	}
}

func TestGuestsCannotOpenSessions(t *testing.T) {
	n := newNode(t)
	id, file := newIdentity(t)
	if err := n.Expect(id.ID(), time.Now().Add(time.Hour)); err != nil {
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
}

func TestMembersCannotPair(t *testing.T) {
	n := newNode(t)
	st := rawSession(t, n, heartbeat)
	n.next("up")
	again, err := st.Conn().NewStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"/multistream/1.0.0\n", "/tombolo/pair/1\n"} {
		if _, err := again.Write(append([]byte{byte(len(s))}, s...)); err != nil {
			t.Fatal(err)
		}
	}
	expectReset(t, again)
}

func TestAllowErrors(t *testing.T) {
	n := newNode(t)
	other, _ := newIdentity(t)
	third, _ := newIdentity(t)
	for name, err := range map[string]error{
		"no ID":          n.Allow("nobody", nil),
		"itself":         n.Allow(n.id.ID(), nil),
		"no address":     n.Allow(other.ID(), []string{"192.168.1.5"}),
		"other's":        n.Allow(other.ID(), []string{"/ip4/127.0.0.1/tcp/1/p2p/" + string(third.ID())}),
		"expect no ID":   n.Expect("nobody", time.Now()),
		"expect oneself": n.Expect(n.id.ID(), time.Now()),
	} {
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if got := n.Peers(); len(got) != 0 {
		t.Errorf("members after errors: %+v", got)
	}
	n.Forget("nobody")
}

func TestStartErrors(t *testing.T) {
	id, _ := newIdentity(t)
	n := newNode(t)
	taken := strings.Split(n.Addrs()[0], "/p2p/")[0]
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx context.Context
		o   p2p.Options
	}{
		"no identity":   {t.Context(), p2p.Options{}},
		"bad address":   {t.Context(), p2p.Options{Identity: id, Listen: []string{"localhost:80"}}},
		"port taken":    {t.Context(), p2p.Options{Identity: id, Listen: []string{taken}}},
		"bad timings":   {t.Context(), p2p.Options{Identity: id, Heartbeat: 10, Dead: 5}},
		"ctx cancelled": {cancelled, p2p.Options{Identity: id}},
	} {
		if n, err := p2p.Start(c.ctx, c.o); err == nil {
			n.Close()
			t.Errorf("%s: no error", name)
		} else if !strings.HasPrefix(err.Error(), "p2p: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
