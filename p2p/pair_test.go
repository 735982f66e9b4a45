package p2p_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"

	"tombolo/p2p"
)

// inviter is a node with one open invitation that can be used once.
type inviter struct {
	*testNode
	ticket p2p.Ticket
	invite p2p.PeerID
	asked  chan p2p.PeerID
}

func newInviter(t *testing.T, change ...func(*p2p.Options)) *inviter {
	t.Helper()
	inv := &inviter{asked: make(chan p2p.PeerID, 8)}
	pair := func(o *p2p.Options) {
		o.Events.Pair = func(invite, peer p2p.PeerID, request []byte) ([]byte, error) {
			inv.asked <- peer
			if invite != inv.invite {
				return nil, errors.New("another invite")
			}
			inv.Forget(invite)
			return append([]byte("welcome "), request...), nil
		}
	}
	inv.testNode = newNode(t, append([]func(*p2p.Options){pair}, change...)...)
	inv.ticket = p2p.Ticket{
		Peer: inv.id.ID(), Role: p2p.RoleWriter, Expires: time.Now().Add(time.Minute), Addrs: inv.Addrs(),
	}
	if _, err := rand.Read(inv.ticket.Secret[:]); err != nil {
		t.Fatal(err)
	}
	inv.expect(inv.ticket.Expires)
	return inv
}

func (inv *inviter) expect(until time.Time) {
	inv.t.Helper()
	var err error
	if inv.invite, err = p2p.Invite(inv.ticket.Secret, inv.id.ID()); err != nil {
		inv.t.Fatal(err)
	}
	if err := inv.Expect(inv.invite, until); err != nil {
		inv.t.Fatal(err)
	}
}

func join(t *testing.T, k p2p.Ticket, request string) (string, []string, error) {
	t.Helper()
	id, _ := newIdentity(t)
	reply, addrs, err := p2p.Join(t.Context(), p2p.JoinOptions{Ticket: k, Identity: id, Request: []byte(request), NoDiscovery: true})
	return string(reply), addrs, err
}

func TestPairing(t *testing.T) {
	inv := newInviter(t)
	id, _ := newIdentity(t)
	link, err := inv.ticket.Link()
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := p2p.ParseLink(link)
	if err != nil {
		t.Fatal(err)
	}
	reply, addrs, err := p2p.Join(t.Context(), p2p.JoinOptions{
		Ticket: ticket, Identity: id, Request: []byte("laptop"), NoDiscovery: true,
	})
	if err != nil || string(reply) != "welcome laptop" {
		t.Fatalf("%q, %v", reply, err)
	}
	if len(addrs) != 1 || !strings.HasPrefix(inv.Addrs()[0], addrs[0]) {
		t.Errorf("addresses %q", addrs)
	}
	if got := <-inv.asked; got != id.ID() {
		t.Errorf("asked for %s", got)
	}
	// The second use is refused.
	if _, _, err := join(t, ticket, ""); !errors.Is(err, p2p.ErrRefused) {
		t.Errorf("second use: %v", err)
	}
	if len(inv.asked) != 0 {
		t.Error("the user was asked again")
	}
}

func TestRefusalsLookTheSame(t *testing.T) {
	for name, prepare := range map[string]func(*inviter){
		"altered secret": func(inv *inviter) { inv.ticket.Secret[0] ^= 1 },
		"expired":        func(inv *inviter) { inv.expect(time.Now().Add(-time.Second)) },
		"forgotten":      func(inv *inviter) { inv.Forget(inv.invite) },
		"user says no": func(inv *inviter) {
			other, _ := newIdentity(inv.t)
			inv.invite = other.ID() // what Events.Pair compares with
		},
	} {
		t.Run(name, func(t *testing.T) {
			inv := newInviter(t)
			prepare(inv)
			for range 3 { // the moment at which a gater's refusal shows varies
				_, _, err := join(t, inv.ticket, "x")
				if err == nil || err.Error() != p2p.ErrRefused.Error() {
					t.Fatalf("%v", err)
				}
			}
		})
	}
}

func TestInvitationExpiresByTheInvitersClock(t *testing.T) {
	var ahead atomic.Int64
	inv := newInviter(t, func(o *p2p.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	ahead.Store(int64(2 * time.Minute))
	if _, _, err := join(t, inv.ticket, ""); !errors.Is(err, p2p.ErrRefused) {
		t.Errorf("after its time: %v", err)
	}
	ahead.Store(0)
	if _, _, err := join(t, inv.ticket, ""); err != nil {
		t.Errorf("within its time: %v", err)
	}
}

func TestReplyTooLarge(t *testing.T) {
	inv := newInviter(t, func(o *p2p.Options) {
		o.Events.Pair = func(_, _ p2p.PeerID, _ []byte) ([]byte, error) { return make([]byte, p2p.MaxPair+1), nil }
	})
	if _, _, err := join(t, inv.ticket, ""); !errors.Is(err, p2p.ErrRefused) {
		t.Error(err)
	}
}

func TestLargestRequestAndReply(t *testing.T) {
	inv := newInviter(t, func(o *p2p.Options) {
		o.Events.Pair = func(_, _ p2p.PeerID, r []byte) ([]byte, error) { return bytes.ToUpper(r), nil }
	})
	reply, _, err := join(t, inv.ticket, strings.Repeat("x", p2p.MaxPair))
	if err != nil || reply != strings.Repeat("X", p2p.MaxPair) {
		t.Errorf("%d bytes, %v", len(reply), err)
	}
}

func TestNobodyPairsWithoutAHandler(t *testing.T) {
	inv := newInviter(t, func(o *p2p.Options) { o.Events.Pair = nil })
	if _, _, err := join(t, inv.ticket, ""); !errors.Is(err, p2p.ErrRefused) {
		t.Error(err)
	}
}

func TestJoinUnreachable(t *testing.T) {
	inv := newInviter(t)
	inv.Close()
	if _, _, err := join(t, inv.ticket, ""); !errors.Is(err, p2p.ErrUnreachable) {
		t.Errorf("closed: %v", err)
	}
	inv.ticket.Addrs = nil
	if _, _, err := join(t, inv.ticket, ""); !errors.Is(err, p2p.ErrUnreachable) {
		t.Errorf("no address: %v", err)
	}
	// Another device at that address cannot answer in the inviter's place.
	inv.ticket.Addrs = []string{strings.Split(newNode(t).Addrs()[0], "/p2p/")[0]}
	if _, _, err := join(t, inv.ticket, ""); !errors.Is(err, p2p.ErrUnreachable) {
		t.Errorf("another device: %v", err)
	}
}

func TestJoinCancelled(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	inv := newInviter(t, func(o *p2p.Options) {
		o.Events.Pair = func(_, _ p2p.PeerID, _ []byte) ([]byte, error) {
			close(asked)
			<-release
			return nil, nil
		}
	})
	defer close(release)
	id, _ := newIdentity(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, _, err := p2p.Join(ctx, p2p.JoinOptions{Ticket: inv.ticket, Identity: id, NoDiscovery: true})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("while the user thinks: %v", err)
	}
	_, _, err = p2p.Join(ctx, p2p.JoinOptions{Ticket: inv.ticket, Identity: id})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("before dialling: %v", err)
	}
}

func TestJoinOptionErrors(t *testing.T) {
	inv := newInviter(t)
	id, _ := newIdentity(t)
	with := func(change func(*p2p.JoinOptions)) p2p.JoinOptions {
		o := p2p.JoinOptions{Ticket: inv.ticket, Identity: id, NoDiscovery: true}
		change(&o)
		return o
	}
	for name, o := range map[string]p2p.JoinOptions{
		"no identity":   with(func(o *p2p.JoinOptions) { o.Identity = nil }),
		"large request": with(func(o *p2p.JoinOptions) { o.Request = make([]byte, p2p.MaxPair+1) }),
		"own ticket":    with(func(o *p2p.JoinOptions) { o.Identity = inv.id }),
		"no peer":       with(func(o *p2p.JoinOptions) { o.Ticket.Peer = "nobody" }),
		"bad address":   with(func(o *p2p.JoinOptions) { o.Ticket.Addrs = []string{"x"} }),
	} {
		if _, _, err := p2p.Join(t.Context(), o); err == nil || errors.Is(err, p2p.ErrUnreachable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// guest is a raw host with the invitation's temporary identity, whose seed the
// test knows: it may connect, and say what Join never would.
func guest(t *testing.T, inv *inviter) host.Host {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h, err := libp2p.New(libp2p.Identity(key), libp2p.NoListenAddrs, libp2p.DisableMetrics(), libp2p.ForceReachabilityPrivate())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	if err := inv.Expect(p2p.PeerID(h.ID().String()), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := dialRaw(t, h, inv.testNode); err != nil {
		t.Fatal(err)
	}
	return h
}

func pairStream(t *testing.T, h host.Host, inv *inviter) network.Stream {
	t.Helper()
	st, err := h.NewStream(t.Context(), rawID(t, inv.id), "/tombolo/pair/1")
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestPairingRequestsThatAreWrong(t *testing.T) {
	id, _ := newIdentity(t)
	raw, err := rawID(t, id).ExtractPublicKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := raw.Raw()
	if err != nil {
		t.Fatal(err)
	}
	for name, msg := range map[string][]byte{
		"too short":           key,
		"no valid signature":  append(bytes.Clone(key), make([]byte, 64)...),
		"longer than allowed": nil,
	} {
		t.Run(name, func(t *testing.T) {
			inv := newInviter(t)
			st := pairStream(t, guest(t, inv), inv)
			n := uint32(len(msg))
			if msg == nil {
				n = 1 << 30
			}
			if _, err := st.Write(append(binary.BigEndian.AppendUint32(nil, n), msg...)); err != nil {
				t.Fatal(err)
			}
			var got [5]byte
			if k, err := st.Read(got[:]); err == nil && (k != 5 || got != [5]byte{0, 0, 0, 1, 1}) {
				t.Errorf("answer % x", got[:k])
			}
			if len(inv.asked) != 0 {
				t.Error("the user was asked")
			}
		})
	}
}

func TestOnePairingAtATime(t *testing.T) {
	inv := newInviter(t)
	h := guest(t, inv)
	first := pairStream(t, h, inv)
	if _, err := first.Write([]byte{0}); err != nil { // begins and does not go on
		t.Fatal(err)
	}
	waitFor(t, "refusal of the second stream", func() bool {
		st := pairStream(t, h, inv)
		defer st.Reset()
		_, _ = st.Write([]byte{0})
		_, err := st.Read(make([]byte, 1))
		return errors.Is(err, network.ErrReset)
	})
}
