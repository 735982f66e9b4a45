package p2p

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/zeroconf/v2"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// What is announced on the LAN, in the form of libp2p's mDNS specification: TXT
// records "dnsaddr=/ip4/…/tcp/…/p2p/ID" under a random instance name.
const (
	lanService = "_tombolo._tcp"
	lanDomain  = "local"
	lanPrefix  = "dnsaddr="
	lanRecords = 16 // addresses taken from one announcement
)

// lan announces this device and listens for others, with the interfaces and
// addresses of one moment; Node.watch replaces it when they change. It uses
// zeroconf directly: libp2p's own wrapper takes addresses from a cache that is
// a minute old, and its Close never returns once browsing has failed, as it
// does on a machine without IPv6. A nil lan works as one that has stopped.
type lan struct {
	server *zeroconf.Server // nil when there was nothing to announce, or no way
	cancel context.CancelFunc
	wg     sync.WaitGroup
	failed atomic.Bool
}

// startLAN announces self at addrs and calls found for each announcement heard,
// never at the same time. No addresses: it only listens. Failures are logged
// and show in works, so that the caller tries again when it likes.
func startLAN(self peer.ID, addrs []ma.Multiaddr, found func(peer.ID, []ma.Multiaddr), log *slog.Logger) *lan {
	ctx, cancel := context.WithCancel(context.Background())
	l := &lan{cancel: cancel}
	if err := l.announce(self, addrs); err != nil {
		l.failed.Store(true)
		log.Debug("cannot announce on the LAN", "err", err)
	}
	l.wg.Go(func() {
		err := browse(ctx, func(id peer.ID, addrs []ma.Multiaddr) {
			if id != self {
				found(id, addrs)
			}
		})
		if err != nil {
			l.failed.Store(true)
			log.Debug("cannot listen for announcements on the LAN", "err", err)
		}
	})
	return l
}

// works reports whether both halves are in order.
func (l *lan) works() bool { return l != nil && !l.failed.Load() }

// stop takes the announcement back and waits for the goroutines.
func (l *lan) stop() {
	if l == nil {
		return
	}
	l.cancel()
	if l.server != nil {
		l.server.Shutdown()
	}
	l.wg.Wait()
}

// announce registers the service. The instance name is new each time, because
// browsers report a name once per hour (its time to live).
func (l *lan) announce(self peer.ID, addrs []ma.Multiaddr) error {
	var txt, ips []string
	for _, a := range addrs {
		ip, err := manet.ToIP(a)
		if err != nil || ip.IsLoopback() {
			continue
		}
		ips = append(ips, ip.String())
		txt = append(txt, fmt.Sprintf("%s%s/p2p/%s", lanPrefix, a, self))
	}
	if len(txt) == 0 {
		return nil
	}
	name := strings.ToLower(crand.Text())
	// The port is a formality of the record format; the TXT records count.
	s, err := zeroconf.RegisterProxy(name, lanService, lanDomain, 4001, name, ips[:1], txt[:min(len(txt), lanRecords)], nil)
	if err != nil {
		return err
	}
	l.server = s
	return nil
}

// browse reports announcements until ctx is done. A machine without IPv6, or
// without IPv4, browses with what it has.
func browse(ctx context.Context, found func(peer.ID, []ma.Multiaddr)) error {
	var errs []error
	for _, kind := range []zeroconf.IPType{zeroconf.IPv4AndIPv6, zeroconf.IPv4, zeroconf.IPv6} {
		entries := make(chan *zeroconf.ServiceEntry, 64)
		ended := make(chan struct{})
		var reader sync.WaitGroup
		reader.Go(func() { // reads on after ctx is done: zeroconf blocks on a full channel
			for {
				select {
				case e, ok := <-entries:
					if !ok {
						return
					}
					if id, addrs := readAnnouncement(e.Text); id != "" && ctx.Err() == nil {
						found(id, addrs)
					}
				case <-ended: // zeroconf does not close the channel when it fails to start
					return
				}
			}
		})
		err := zeroconf.Browse(ctx, lanService, lanDomain, entries, zeroconf.SelectIPTraffic(kind))
		close(ended)
		reader.Wait()
		if err == nil || ctx.Err() != nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// readAnnouncement takes the one peer and its addresses out of TXT records that
// anybody may have written. It returns no peer when there is none, or several.
func readAnnouncement(txt []string) (id peer.ID, addrs []ma.Multiaddr) {
	for _, t := range txt[:min(len(txt), lanRecords)] {
		s, ok := strings.CutPrefix(t, lanPrefix)
		if !ok {
			continue
		}
		full, err := ma.NewMultiaddr(s)
		if err != nil {
			continue
		}
		a, p := peer.SplitAddr(full)
		if p == "" || len(a) == 0 || (id != "" && p != id) {
			return "", nil
		}
		id = p
		addrs = append(addrs, a)
	}
	return id, addrs
}
