package p2p

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
)

// How Join fails when nothing is wrong with what it was given.
var (
	ErrRefused     = errors.New("p2p: the invitation cannot be used: it was used before, has expired, or was altered; ask for a new one")
	ErrUnreachable = errors.New("p2p: the inviting device cannot be reached; check that it is running and that both are on the same network, then try again")
)

// JoinOptions says whom to join and as whom. All but NoDiscovery, Request and
// Log is required.
type JoinOptions struct {
	Ticket      Ticket       // the invitation, from ParseLink
	Identity    *Identity    // the identity to become a member with, not the ticket's temporary one
	Request     []byte       // given to the inviter's Events.Pair; at most MaxPair bytes
	NoDiscovery bool         // true: only the ticket's addresses are tried
	Log         *slog.Logger // nil discards it
}

// findTime is how long Join looks for the inviter on the LAN.
const findTime = 15 * time.Second

// Join uses an invitation: it dials the inviter with the ticket's temporary
// identity, proves that it also holds opts.Identity, and returns what the
// inviter's Events.Pair replied and the addresses to reach it at. The inviter's
// identity is pinned by the ticket, so nobody else can answer. Errors:
// ErrRefused, ErrUnreachable, ctx's, or what is wrong with opts. It takes at
// most a minute and a half, most of which is the inviter's user thinking.
func Join(ctx context.Context, opts JoinOptions) (reply []byte, addrs []string, err error) {
	if opts.Identity == nil || len(opts.Request) > MaxPair {
		return nil, nil, fmt.Errorf("p2p: join needs an identity, and a request of at most %d bytes", MaxPair)
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	inviter, known, err := ticketAddrs(opts.Ticket)
	if err != nil {
		return nil, nil, err
	}
	if opts.Ticket.Peer == opts.Identity.ID() {
		return nil, nil, errors.New("p2p: this is an invitation from this very device; use it on another one")
	}
	guest, err := inviteIdentity(opts.Ticket.Secret, opts.Ticket.Peer)
	if err != nil {
		return nil, nil, err
	}
	invite, err := guest.ID().raw()
	if err != nil {
		return nil, nil, err
	}
	sig, err := opts.Identity.Sign(pairText(inviter, invite, opts.Request))
	if err != nil {
		return nil, nil, err
	}
	h, err := newHost(guest, onlyDial(inviter))
	if err != nil {
		return nil, nil, err
	}
	defer h.Close()
	found, err := reach(ctx, h, inviter, known, opts)
	if err != nil {
		return nil, nil, err
	}
	msg := slices.Concat([]byte(opts.Identity.key.Public().(ed25519.PublicKey)), sig, opts.Request)
	reply, err = ask(ctx, h, inviter, msg)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range unique(append(found, known...)) {
		addrs = append(addrs, a.String())
	}
	return reply, addrs, nil
}

// ticketAddrs reads whom a ticket is from and where that is.
func ticketAddrs(t Ticket) (inviter peer.ID, addrs []ma.Multiaddr, err error) {
	p, err := ParsePeerID(string(t.Peer))
	if err != nil {
		return "", nil, err
	}
	if inviter, err = p.raw(); err != nil {
		return "", nil, err
	}
	for _, s := range t.Addrs {
		a, err := parseAddr(s, inviter)
		if err != nil {
			return "", nil, err
		}
		addrs = append(addrs, a)
	}
	return inviter, addrs, nil
}

// reach connects to the inviter at the known addresses or where the LAN has it,
// and returns the address that worked.
func reach(ctx context.Context, h host.Host, inviter peer.ID, addrs []ma.Multiaddr, opts JoinOptions) ([]ma.Multiaddr, error) {
	ctx, cancel := context.WithTimeout(ctx, findTime)
	heard := make(chan []ma.Multiaddr, 1)
	var lan sync.WaitGroup
	defer lan.Wait()
	defer cancel()
	if !opts.NoDiscovery {
		lan.Go(func() {
			defer close(heard)
			err := browse(ctx, func(id peer.ID, addrs []ma.Multiaddr) {
				addrs = slices.DeleteFunc(addrs, func(a ma.Multiaddr) bool { return !foundOnLAN(a) })
				if id == inviter && len(addrs) > 0 {
					select {
					case heard <- addrs:
					default:
					}
				}
			})
			if err != nil {
				opts.Log.Debug("cannot listen for announcements on the LAN", "err", err)
			}
		})
	} else {
		close(heard)
	}
	last := errors.New("no address is known")
	for {
		if len(addrs) > 0 {
			h.Network().(*swarm.Swarm).Backoff().Clear(inviter)
			if err := h.Connect(ctx, peer.AddrInfo{ID: inviter, Addrs: addrs}); err == nil {
				var at []ma.Multiaddr
				for _, c := range h.Network().ConnsToPeer(inviter) {
					at = append(at, c.RemoteMultiaddr())
				}
				return at, nil
			} else if ctx.Err() == nil {
				last = err
			}
		}
		var ok bool
		if addrs, ok = <-heard; !ok { // closed when looking is over
			if err := context.Cause(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return nil, fmt.Errorf("p2p: join: %w", err)
			}
			return nil, fmt.Errorf("%w (%w)", ErrUnreachable, last)
		}
	}
}

// ask carries the request over and the reply back. A connection that closes
// before the reply is a refusal: the inviter's gater cannot say more.
func ask(ctx context.Context, h host.Host, inviter peer.ID, msg []byte) ([]byte, error) {
	open, cancel := context.WithTimeout(network.WithNoDial(ctx, "connected above"), pairStep)
	defer cancel()
	st, err := h.NewStream(open, inviter, protoPair)
	if err != nil {
		return nil, joinError(ctx, err)
	}
	defer st.Reset()
	stop := context.AfterFunc(ctx, func() { _ = st.Reset() })
	defer stop()
	_ = st.SetDeadline(time.Now().Add(pairStay + pairStep))
	if err := writeMessage(st, msg); err != nil {
		return nil, joinError(ctx, err)
	}
	answer, err := readMessage(st, 1+MaxPair)
	if err != nil {
		return nil, joinError(ctx, err)
	}
	if len(answer) == 0 || answer[0] != pairPaired {
		return nil, ErrRefused
	}
	return answer[1:], nil
}

// joinError tells a refusal from an interrupted network and an impatient user.
func joinError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("p2p: join: %w", context.Cause(ctx))
	case isTimeout(err):
		return fmt.Errorf("%w (%w)", ErrUnreachable, err)
	}
	return ErrRefused
}

// onlyDial is the gater of a host that talks to one peer and accepts nobody.
type onlyDial peer.ID

// InterceptPeerDial allows the one peer.
func (o onlyDial) InterceptPeerDial(p peer.ID) bool { return p == peer.ID(o) }

// InterceptAddrDial has nothing to add: the peer was checked.
func (o onlyDial) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }

// InterceptAccept lets nobody in.
func (o onlyDial) InterceptAccept(network.ConnMultiaddrs) bool { return false }

// InterceptSecured allows the one peer.
func (o onlyDial) InterceptSecured(_ network.Direction, p peer.ID, _ network.ConnMultiaddrs) bool {
	return p == peer.ID(o)
}

// InterceptUpgraded has nothing to add: the peer was checked.
func (o onlyDial) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
