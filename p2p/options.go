package p2p

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Options adjusts a Node. Only Identity is required.
type Options struct {
	Identity    *Identity        // who this device is
	Listen      []string         // multiaddrs to listen on; nil: TCP on every interface, IPv4 and IPv6, any free port
	NoDiscovery bool             // true: neither announce nor look for peers on the LAN (mDNS)
	Events      Events           // what the node tells its user; nil funcs are skipped
	Log         *slog.Logger     // receives what an operator may want to know; nil discards it. libp2p has one log per process: it goes to the node started last
	Now         func() time.Time // the clock for expiries and PeerState.Since; nil: time.Now

	Heartbeat time.Duration // how often each side says that it lives; 0: 2 s
	Dead      time.Duration // silence after which a session is over; 0: 7 s
	RedialMin time.Duration // the shortest pause between two attempts at a peer; 0: 500 ms
	RedialMax time.Duration // the longest; 0: 15 s
}

// Events is what a Node tells its user. For each peer the order is strictly Up,
// then Frame any number of times, then Down, one call at a time; the next Up
// comes after the last Down has returned. Different peers' calls run at the
// same time. All but Frame and Pair must return quickly. None may call
// Node.Close, which waits for them; every other method of Node is fine.
type Events struct {
	// Up says that p, a member, has a session: Send works from here on.
	Up func(p PeerID)
	// Frame delivers one frame, at most MaxFrame bytes, which the callee may
	// keep. It may block: then no more is read from p. A peer that sees none
	// of its bytes taken for a minute hangs up.
	Frame func(p PeerID, frame []byte)
	// Down says that the session is over, and why: ErrClosed, ErrRevoked,
	// ErrSilent, the reason given to Drop, or what the network said.
	Down func(p PeerID, err error)
	// Sent says that n bytes of frames, headers not counted, have left the
	// queue. It comes between Up and Down, at the same time as Frame.
	Sent func(p PeerID, n int)
	// Addrs reports addresses at which p was reached, or listens on the IP it
	// came from: worth giving to Allow next time. In no order with the others.
	Addrs func(p PeerID, addrs []string)
	// Pair says that whoever holds invite asks, as peer, to be let in; request
	// is what Join sent. That the caller holds both keys has been checked.
	// Calls come one at a time per invite. Pair makes the use of the invite
	// durable before it returns the reply (at most MaxPair bytes); after an
	// error the joiner hears only that the invitation cannot be used. The
	// invite stays expected until Forget, so that a reply lost on the way can
	// be given again to the same peer. nil refuses everybody.
	Pair func(invite, peer PeerID, request []byte) (reply []byte, err error)
}

// AddrState is one address of a peer and how the last attempt there ended.
type AddrState struct {
	Addr      string // multiaddr
	LastError string // empty when it worked or was not tried
}

// PeerState is what the node knows about one member.
type PeerState struct {
	Peer      PeerID
	Connected bool
	Since     time.Time   // when the session came up or went down; zero before the first
	Addr      string      // the other end of the session, as a multiaddr; empty when not connected
	LastError string      // why there is no session, as far as known; empty when connected
	Addrs     []AddrState // where it is looked for, best first
}

// The errors of a Node. Down carries the first three.
var (
	ErrClosed       = errors.New("p2p: the node is closed")
	ErrRevoked      = errors.New("p2p: the peer is no longer a member")
	ErrSilent       = errors.New("p2p: the peer fell silent; it sleeps or the network is interrupted, and is dialled again")
	ErrNotConnected = errors.New("p2p: the peer is not connected")
	ErrTooLarge     = fmt.Errorf("p2p: the frame is larger than %d bytes; split it", MaxFrame)
	ErrBacklog      = errors.New("p2p: the peer takes frames too slowly; send less until Sent reports progress")
)

var defaultListen = []string{"/ip4/0.0.0.0/tcp/0", "/ip6/::/tcp/0"}

// withDefaults fills in what zero stands for and checks the rest.
func (o Options) withDefaults() (Options, error) {
	if o.Identity == nil {
		return o, errors.New("p2p: Options.Identity is missing; LoadIdentity gives one")
	}
	if o.Listen == nil {
		o.Listen = defaultListen
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("part", "p2p")
	if o.Now == nil {
		o.Now = time.Now
	}
	for _, d := range []struct {
		v    *time.Duration
		zero time.Duration
	}{
		{&o.Heartbeat, 2 * time.Second},
		{&o.Dead, 7 * time.Second},
		{&o.RedialMin, 500 * time.Millisecond},
		{&o.RedialMax, 15 * time.Second},
	} {
		if *d.v == 0 {
			*d.v = d.zero
		}
	}
	if o.Heartbeat < 0 || o.RedialMin < 0 || o.Dead <= o.Heartbeat || o.RedialMax < o.RedialMin {
		return o, errors.New("p2p: Options need 0 < Heartbeat < Dead and 0 < RedialMin <= RedialMax")
	}
	o.Events = o.Events.withDefaults()
	return o, nil
}

func (e Events) withDefaults() Events {
	if e.Up == nil {
		e.Up = func(PeerID) {}
	}
	if e.Frame == nil {
		e.Frame = func(PeerID, []byte) {}
	}
	if e.Down == nil {
		e.Down = func(PeerID, error) {}
	}
	if e.Sent == nil {
		e.Sent = func(PeerID, int) {}
	}
	if e.Addrs == nil {
		e.Addrs = func(PeerID, []string) {}
	}
	if e.Pair == nil {
		e.Pair = func(PeerID, PeerID, []byte) ([]byte, error) {
			return nil, errors.New("p2p: this node does not pair")
		}
	}
	return e
}
