package p2p

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// gater is the list at the door: who is not on it learns nothing but our peer
// ID, which the handshake cannot hide. It is libp2p's ConnectionGater.
type gater struct {
	now func() time.Time

	mu      sync.RWMutex
	members map[peer.ID]bool
	invites map[peer.ID]time.Time // temporary identities, until when
}

func newGater(now func() time.Time) *gater {
	return &gater{now: now, members: map[peer.ID]bool{}, invites: map[peer.ID]time.Time{}}
}

// member reports whether p may have a session.
func (g *gater) member(p peer.ID) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.members[p]
}

// invited reports whether p may pair, which is all it may.
func (g *gater) invited(p peer.ID) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.now().Before(g.invites[p])
}

func (g *gater) admit(p peer.ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members[p] = true
}

func (g *gater) ban(p peer.ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.members, p)
}

// expect lets p pair until then, and sweeps out those whose time is over.
func (g *gater) expect(p peer.ID, until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for other, t := range g.invites {
		if !now.Before(t) {
			delete(g.invites, other)
		}
	}
	g.invites[p] = until
}

func (g *gater) forget(p peer.ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.invites, p)
}

// InterceptPeerDial allows dials to members only.
func (g *gater) InterceptPeerDial(p peer.ID) bool { return g.member(p) }

// InterceptAddrDial has nothing to add: the peer was checked.
func (g *gater) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }

// InterceptAccept cannot know who comes before the handshake.
func (g *gater) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured runs when the other side has proved its key, and before any
// stream can be opened.
func (g *gater) InterceptSecured(_ network.Direction, p peer.ID, _ network.ConnMultiaddrs) bool {
	return g.member(p) || g.invited(p)
}

// InterceptUpgraded asks again, in case of a Revoke during the handshake.
func (g *gater) InterceptUpgraded(c network.Conn) (bool, control.DisconnectReason) {
	p := c.RemotePeer()
	return g.member(p) || g.invited(p), 0
}
