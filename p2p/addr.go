package p2p

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// parseAddr reads an address of p, with or without /p2p/ID at its end, and
// returns it without.
func parseAddr(s string, p peer.ID) (ma.Multiaddr, error) {
	a, err := ma.NewMultiaddr(s)
	if err != nil {
		return nil, fmt.Errorf("p2p: %q is not an address like /ip4/192.168.1.5/tcp/4001: %w", s, err)
	}
	if a = bare(a, p); a == nil {
		return nil, fmt.Errorf("p2p: address %q belongs to another peer", s)
	}
	return a, nil
}

// bare takes /p2p/owner off the end of a. It returns nil when a names another
// peer, or nothing but a peer.
func bare(a ma.Multiaddr, owner peer.ID) ma.Multiaddr {
	rest, id := peer.SplitAddr(a)
	if len(rest) == 0 || (id != "" && id != owner) {
		return nil
	}
	return rest
}

// foundOnLAN reports whether an address from an unauthenticated announcement is
// worth a dial: plain IP and TCP, not this machine. Names are left out, since a
// stranger could have us look up any.
func foundOnLAN(a ma.Multiaddr) bool {
	if len(a) != 2 || a[1].Protocol().Code != ma.P_TCP {
		return false
	}
	ip, err := manet.ToIP(a)
	return err == nil && !ip.IsLoopback() && !ip.IsUnspecified() && !ip.IsMulticast() && !linkLocal6(ip)
}

// linkLocal6 addresses need a zone, which another machine cannot use.
func linkLocal6(ip net.IP) bool { return ip.To4() == nil && ip.IsLinkLocalUnicast() }

// iface is what we watch of one network interface.
type iface struct {
	name string
	up   bool // up, and a cable or an access point is there
	ips  []net.IP
}

// interfaces reads the system's interfaces now. libp2p caches its list for a
// minute, which is how a new address stays unannounced for as long.
func interfaces() ([]iface, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("p2p: network interfaces: %w", err)
	}
	var out []iface
	for _, ni := range list {
		addrs, err := ni.Addrs()
		if err != nil {
			continue // it went away between the two calls
		}
		up := net.FlagUp | net.FlagRunning
		f := iface{name: ni.Name, up: ni.Flags&up == up}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				f.ips = append(f.ips, n.IP)
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// fingerprint changes when an interface comes, goes, or changes its addresses.
func fingerprint(list []iface) string {
	lines := make([]string, 0, len(list))
	for _, f := range list {
		lines = append(lines, fmt.Sprint(f.name, f.up, f.ips))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// listenAddrs spells out where others reach a listener: each unspecified
// address (0.0.0.0, ::) becomes the addresses of the interfaces that are up.
// Loopback is left out unless every listener is on loopback.
func listenAddrs(listening []ma.Multiaddr, ifaces []iface) []ma.Multiaddr {
	var out, loop []ma.Multiaddr
	for _, l := range listening {
		ip, err := manet.ToIP(l)
		if err != nil {
			continue
		}
		if !ip.IsUnspecified() {
			if ip.IsLoopback() {
				loop = append(loop, l)
			} else {
				out = append(out, l)
			}
			continue
		}
		_, rest := ma.SplitFirst(l)
		for _, f := range ifaces {
			for _, own := range f.ips {
				same := (own.To4() != nil) == (ip.To4() != nil)
				if !f.up || !same || own.IsLoopback() || linkLocal6(own) {
					continue
				}
				if a, err := manet.FromIP(own); err == nil {
					out = append(out, ma.Join(a, rest))
				}
			}
		}
	}
	if len(loop) == len(listening) {
		return loop
	}
	slices.SortStableFunc(out, func(a, b ma.Multiaddr) int { // IPv4 first: shorter, and more often what a LAN routes
		return a[0].Protocol().Code - b[0].Protocol().Code
	})
	return unique(out)
}

// unique keeps the first of each address, in order (ma.Unique sorts).
func unique(addrs []ma.Multiaddr) []ma.Multiaddr {
	var out []ma.Multiaddr
	for _, a := range addrs {
		if !slices.ContainsFunc(out, a.Equal) {
			out = append(out, a)
		}
	}
	return out
}
