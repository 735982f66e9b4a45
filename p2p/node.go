package p2p

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// Node is this device on the network: it listens, finds and dials its members,
// and carries frames. Every method may be called from several goroutines, and
// all but Close from within an event.
type Node struct {
	opts Options
	log  *slog.Logger
	self peer.ID
	host host.Host
	door *gater

	ctx     context.Context
	end     context.CancelCauseFunc
	closing sync.Once
	wg      sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	contacts map[peer.ID]*contact
	leaving  map[peer.ID]<-chan struct{} // revoked, and perhaps still saying Down
	pairing  map[peer.ID]bool            // invites being used right now
}

// Start listens and begins to look for members, of which there are none before
// Allow. It does not wait for a network: one that comes up later is used then.
// ctx covers the start only; Close ends what Start began.
func Start(ctx context.Context, opts Options) (*Node, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("p2p: start: %w", err)
	}
	self, err := opts.Identity.ID().raw()
	if err != nil {
		return nil, err
	}
	captureLog(opts.Log)
	door := newGater(opts.Now)
	h, err := newHost(opts.Identity, door)
	if err != nil {
		releaseLog(opts.Log)
		return nil, err
	}
	n := &Node{
		opts: opts, log: opts.Log, self: self, host: h, door: door,
		contacts: map[peer.ID]*contact{},
		leaving:  map[peer.ID]<-chan struct{}{},
		pairing:  map[peer.ID]bool{},
	}
	n.ctx, n.end = context.WithCancelCause(context.Background())
	if err := listen(h, opts.Listen); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	sub, err := h.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("p2p: %w", err), n.Close())
	}
	if got := len(h.Network().ListenAddresses()); got < len(opts.Listen) {
		n.log.Warn("some addresses cannot be listened on", "asked", opts.Listen, "got", h.Network().ListenAddresses())
	}
	h.Network().Notify(&network.NotifyBundle{ConnectedF: n.connected, DisconnectedF: n.disconnected})
	h.SetStreamHandler(protoSync, n.acceptSync)
	h.SetStreamHandler(protoPair, n.acceptPair)
	n.spawn(func() { n.identified(sub) })
	n.spawn(n.watch)
	return n, nil
}

// Close ends every session (Down carries ErrClosed) and waits until all events
// have returned. What is queued is not sent. A second Close does nothing.
func (n *Node) Close() error {
	var err error
	n.closing.Do(func() {
		n.mu.Lock()
		n.closed = true
		n.mu.Unlock()
		n.end(ErrClosed)
		n.wg.Wait()
		err = n.host.Close()
		releaseLog(n.log)
	})
	return err
}

// spawn runs f as one of the node's goroutines, unless the node is closing.
func (n *Node) spawn(f func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	n.wg.Go(f)
	return true
}

// Allow makes p a member: it may connect, and is dialled until it is connected,
// at addrs (multiaddrs with or without /p2p) and wherever it is found. Allowing
// a member again adds addresses. Errors: a malformed ID or address, p is this
// device, ErrClosed.
func (n *Node) Allow(p PeerID, addrs []string) error {
	id, err := n.other(p)
	if err != nil {
		return err
	}
	var known []ma.Multiaddr
	for _, s := range addrs {
		a, err := parseAddr(s, id)
		if err != nil {
			return err
		}
		known = append(known, a)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return ErrClosed
	}
	c := n.contacts[id]
	if c == nil {
		c = n.newContact(id, p)
	}
	if c.book.keep(known...) {
		c.nudge()
	}
	return nil
}

// newContact starts looking after a member. n.mu is held.
func (n *Node) newContact(id peer.ID, p PeerID) *contact {
	c := &contact{
		node: n, id: id, name: p, opener: n.self < id,
		after: n.leaving[id], done: make(chan struct{}),
		offered: make(chan struct{}, 1), changed: make(chan struct{}, 1),
	}
	c.ctx, c.end = context.WithCancelCause(n.ctx)
	n.contacts[id] = c
	n.door.admit(id)
	n.host.ConnManager().Protect(id, "member")
	n.wg.Go(c.receive)
	n.wg.Go(c.dial)
	return c
}

// Revoke ends p's membership: its session goes down with ErrRevoked, its
// connections are closed, and it is not let in again. It does not wait for
// Down. Revoking a stranger does nothing.
func (n *Node) Revoke(p PeerID) {
	id, err := p.raw()
	if err != nil {
		return
	}
	n.mu.Lock()
	n.door.ban(id)
	c := n.contacts[id]
	if c != nil {
		delete(n.contacts, id)
		n.leaving[id] = c.done
		n.host.ConnManager().Unprotect(id, "member")
		if !n.closed {
			n.wg.Go(func() { n.left(c) })
		}
	}
	n.mu.Unlock()
	if c == nil {
		return
	}
	c.end(ErrRevoked)
	_ = n.host.Network().ClosePeer(id) // the door is shut; an error here is about a connection already gone
	n.host.Peerstore().ClearAddrs(id)
}

// left forgets a revoked contact when its last Down has returned.
func (n *Node) left(c *contact) {
	<-c.done
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.leaving[c.id] == c.done {
		delete(n.leaving, c.id)
	}
}

// Expect lets the temporary identity invite (see Invite) connect and ask to be
// paired, until the given time, and nothing else. The expectation is not
// stored: repeat it after each Start.
func (n *Node) Expect(invite PeerID, until time.Time) error {
	id, err := n.other(invite)
	if err != nil {
		return err
	}
	n.door.expect(id, until)
	return nil
}

// Forget ends an expectation: the invitation cannot be used any more. A reply
// under way is still delivered.
func (n *Node) Forget(invite PeerID) {
	if id, err := invite.raw(); err == nil {
		n.door.forget(id)
	}
}

// Send queues frame for p and never blocks; frame must not be changed
// afterwards. Frames arrive in the order of Send, or the session goes down.
// Errors: ErrNotConnected outside of Up and Down, ErrTooLarge over MaxFrame,
// ErrBacklog when 4 MiB already wait, ErrClosed.
func (n *Node) Send(p PeerID, frame []byte) error {
	if len(frame) > MaxFrame {
		return ErrTooLarge
	}
	id, err := p.raw()
	if err != nil {
		return err
	}
	c, err := n.contact(id)
	if err != nil {
		return err
	}
	return c.send(frame)
}

// Drop ends p's session: frames already queued still go out (for a second at
// most), then Down carries reason. p stays a member and is dialled again after
// a pause that grows with each drop; until then its own dials are refused. It
// does not wait for Down, and does nothing when p is not connected.
func (n *Node) Drop(p PeerID, reason error) {
	id, err := p.raw()
	if err != nil {
		return
	}
	if c, err := n.contact(id); err == nil {
		c.drop(reason)
	}
}

// Addrs returns where this device can be reached right now: multiaddrs ending
// in /p2p/ID, IPv4 first; loopback only when nothing else is listened on. Empty
// when no network is up.
func (n *Node) Addrs() []string {
	var out []string
	for _, a := range n.listening() {
		out = append(out, fmt.Sprintf("%s/p2p/%s", a, n.self))
	}
	return out
}

// listening is Addrs without the ID, from interfaces read now.
func (n *Node) listening() []ma.Multiaddr {
	ifaces, err := interfaces()
	if err != nil {
		n.log.Warn("cannot read the network interfaces", "err", err)
	}
	return listenAddrs(n.host.Network().ListenAddresses(), ifaces)
}

// Peers describes every member, ordered by ID.
func (n *Node) Peers() []PeerState {
	n.mu.Lock()
	all := slices.Collect(maps.Values(n.contacts))
	n.mu.Unlock() // contacts call us with their own lock held
	var out []PeerState
	for _, c := range all {
		out = append(out, c.state())
	}
	slices.SortFunc(out, func(a, b PeerState) int { return strings.Compare(string(a.Peer), string(b.Peer)) })
	return out
}

// contact finds a member; ErrNotConnected when p is none.
func (n *Node) contact(id peer.ID) (*contact, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, ErrClosed
	}
	if c := n.contacts[id]; c != nil {
		return c, nil
	}
	return nil, ErrNotConnected
}

// other checks that p is a proper ID and not ours.
func (n *Node) other(p PeerID) (peer.ID, error) {
	p, err := ParsePeerID(string(p))
	if err != nil {
		return "", err
	}
	if p == n.opts.Identity.ID() {
		return "", errors.New("p2p: this is this device's own ID; use the other device's")
	}
	return p.raw()
}

// connected is libp2p's notice of a new connection, by either side.
func (n *Node) connected(_ network.Network, conn network.Conn) {
	id := conn.RemotePeer()
	c, err := n.contact(id)
	switch {
	case err == nil && conn.Stat().Direction == network.DirInbound:
		if c.arrived(conn) {
			n.spawn(func() { _ = conn.Close() })
		}
	case err != nil && n.door.invited(id):
		n.spawn(func() { n.limitPairing(conn) })
	case err != nil: // revoked during the handshake
		n.spawn(func() { _ = conn.Close() })
	}
}

// disconnected is libp2p's notice that a connection is gone.
func (n *Node) disconnected(_ network.Network, conn network.Conn) {
	if c, err := n.contact(conn.RemotePeer()); err == nil {
		c.lost()
	}
}

// acceptSync is libp2p's notice of a session stream. Only the lower ID may open
// one, so that two sides that dial at once agree on which stream counts.
func (n *Node) acceptSync(st network.Stream) {
	c, err := n.contact(st.Conn().RemotePeer())
	if err != nil || c.opener {
		_ = st.ResetWithError(network.StreamProtocolViolation)
		return
	}
	c.offer(st)
}

// identified learns from peers where they listen.
func (n *Node) identified(sub event.Subscription) {
	defer sub.Close()
	for {
		select {
		case <-n.ctx.Done():
			return
		case ev := <-sub.Out():
			e := ev.(event.EvtPeerIdentificationCompleted)
			if c, err := n.contact(e.Peer); err == nil {
				n.learn(c, e.Conn, e.ListenAddrs)
			}
		}
	}
}

// learn remembers the address that was dialled, and those that the peer says it
// listens on at the very IP it talks from: others may be private to its own
// machine or network.
func (n *Node) learn(c *contact, conn network.Conn, claimed []ma.Multiaddr) {
	from, err := manet.ToIP(conn.RemoteMultiaddr())
	if err != nil {
		return
	}
	var good []ma.Multiaddr
	if conn.Stat().Direction == network.DirOutbound {
		good = append(good, conn.RemoteMultiaddr())
	}
	for _, a := range claimed {
		a = bare(a, c.id)
		if len(a) != 2 || a[1].Protocol().Code != ma.P_TCP || len(good) == maxKept {
			continue
		}
		if ip, err := manet.ToIP(a); err == nil && ip.Equal(from) {
			good = append(good, a)
		}
	}
	if good = unique(good); !c.book.keep(good...) {
		return
	}
	text := make([]string, len(good))
	for i, a := range good {
		text[i] = a.String()
	}
	n.opts.Events.Addrs(c.name, text)
}
