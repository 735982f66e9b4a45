package p2p

import (
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	watchEvery    = 2 * time.Second  // how often the interfaces are read
	announceEvery = 5 * time.Minute  // a browser reports each announcement once an hour, so make new ones
	retryLAN      = 10 * time.Second // after a failure that no interface change explains
)

// watch follows the network interfaces: when one comes, goes or changes its
// address, members are dialled at once and discovery starts afresh.
func (n *Node) watch() {
	var lan *lan
	defer func() { lan.stop() }()
	var seen string
	var began time.Time
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		list, err := interfaces()
		if err != nil {
			n.log.Warn("cannot read the network interfaces", "err", err)
		}
		now := fingerprint(list)
		changed := now != seen
		if changed && seen != "" {
			n.log.Debug("the network changed")
			n.nudgeAll()
		}
		seen = now
		age := time.Since(began)
		if !n.opts.NoDiscovery && (changed || age > announceEvery || !lan.works() && age > retryLAN) {
			lan.stop()
			began = time.Now()
			lan = startLAN(n.self, listenAddrs(n.host.Network().ListenAddresses(), list), n.found, n.log)
		}
		select {
		case <-n.ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// nudgeAll has every contact without a session dial again.
func (n *Node) nudgeAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.contacts {
		c.nudge()
	}
}

// found is called with each announcement on the LAN. Whoever is not a member is
// none of our business.
func (n *Node) found(id peer.ID, addrs []ma.Multiaddr) {
	c, err := n.contact(id)
	if err != nil {
		return
	}
	addrs = slices.DeleteFunc(slices.Clone(addrs), func(a ma.Multiaddr) bool { return !foundOnLAN(a) })
	if len(addrs) == 0 {
		return
	}
	c.book.announce(addrs)
	c.nudge()
}
