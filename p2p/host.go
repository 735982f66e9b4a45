package p2p

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	trim "github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/x/rate"
	ma "github.com/multiformats/go-multiaddr"
)

// The protocols on the wire. A change that older nodes cannot read gets a new
// number beside the old one.
const (
	protoSync protocol.ID = "/tombolo/sync/1"
	protoPair protocol.ID = "/tombolo/pair/1"
)

const (
	dialTimeout = 8 * time.Second // one attempt at a peer, all addresses together
	addrTimeout = 4 * time.Second // one address, handshake included
)

// newHost starts libp2p with TCP, Noise and yamux and nothing else: no relay,
// NAT mapping, metrics, ping, address discovery or DHT. Identify stays, since
// it is how a peer we did not dial tells where it listens. The host only dials
// until listen is called.
func newHost(id *Identity, door connmgr.ConnectionGater) (host.Host, error) {
	key, err := id.libp2p()
	if err != nil {
		return nil, err
	}
	limits, err := newLimits()
	if err != nil {
		return nil, err
	}
	trimmer, err := trim.NewConnManager(128, 192) // as many as newLimits allows
	if err != nil {
		return nil, fmt.Errorf("p2p: connection manager: %w", err)
	}
	h, err := libp2p.New(
		libp2p.NoListenAddrs, // New leaks its goroutines when it cannot listen (v0.51.0)
		libp2p.Identity(key),
		// Port reuse would let two programs listen on one port, each getting half of the calls.
		libp2p.Transport(tcp.NewTCPTransport, tcp.WithConnectionTimeout(addrTimeout), tcp.DisableReuseport()),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, newMuxer()),
		libp2p.ConnectionGater(door),
		libp2p.ConnectionManager(trimmer),
		libp2p.ResourceManager(limits),
		libp2p.WithDialTimeout(dialTimeout),
		libp2p.SwarmOpts(swarm.WithDialTimeoutLocal(addrTimeout)),
		// Our redials at sleeping peers would teach the detector that IPv6 is broken.
		libp2p.IPv6BlackHoleSuccessCounter(nil),
		libp2p.UDPBlackHoleSuccessCounter(nil),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.ForceReachabilityPrivate(), // stops AutoNAT's probing
		libp2p.Ping(false),
		libp2p.UserAgent("tombolo"),
	)
	if err != nil {
		return nil, fmt.Errorf("p2p: start the network: %w", err)
	}
	return h, nil
}

// listen opens the addresses. Those that this machine does not have (no IPv6)
// are left out as long as one remains.
func listen(h host.Host, addrs []string) error {
	var all []ma.Multiaddr
	for _, s := range addrs {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			return fmt.Errorf("p2p: listen address %q (try /ip4/0.0.0.0/tcp/4001): %w", s, err)
		}
		all = append(all, a)
	}
	if err := h.Network().Listen(all...); err != nil {
		return fmt.Errorf("p2p: listen (is the port taken by another program? /tcp/0 picks a free one): %w", err)
	}
	return nil
}

// newMuxer is libp2p's yamux with a bounded number of streams and a keepalive
// that notices a dead connection in 10 to 20 s instead of 30 to 40.
func newMuxer() *yamux.Transport {
	c := *yamux.DefaultTransport // 16 MiB windows, no read buffer, no log
	c.MaxIncomingStreams = 1024
	c.KeepAliveInterval = 10 * time.Second
	c.ConnectionWriteTimeout = 10 * time.Second
	return &c
}

// newLimits bounds what others can make us hold. The defaults grow with the
// machine's memory, allow 8 connections per IPv6 /56 (a whole LAN: 8 of 20
// peers got in) and 16 dials per IP, then one per 5 s, our own redials
// included. Loopback is exempt there, so only a real network shows it.
func newLimits() (network.ResourceManager, error) {
	cfg := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&cfg)
	session := rcmgr.BaseLimit{StreamsInbound: 16, StreamsOutbound: 16, Streams: 32, Memory: 64 << 20}
	pairing := rcmgr.BaseLimit{StreamsInbound: 4, StreamsOutbound: 4, Streams: 4, Memory: 1 << 20}
	cfg.AddProtocolPeerLimit(protoSync, session, rcmgr.BaseLimitIncrease{})
	cfg.AddProtocolPeerLimit(protoPair, pairing, rcmgr.BaseLimitIncrease{})
	limiter := rcmgr.NewFixedLimiter(cfg.Scale(512<<20, 1024))
	m, err := rcmgr.NewResourceManager(limiter,
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: 32}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 128, ConnCount: 32}, {PrefixLength: 56, ConnCount: 512}},
		),
		rcmgr.WithConnRateLimiters(&rate.Limiter{
			NetworkPrefixLimits: []rate.PrefixLimit{ // zero limits: free
				{Prefix: netip.MustParsePrefix("127.0.0.0/8")},
				{Prefix: netip.MustParsePrefix("::1/128")},
			},
			SubnetRateLimiter: rate.SubnetLimiter{
				IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: rate.Limit{RPS: 2, Burst: 64}}},
				IPv6SubnetLimits: []rate.SubnetLimit{
					{PrefixLength: 128, Limit: rate.Limit{RPS: 2, Burst: 64}},
					{PrefixLength: 56, Limit: rate.Limit{RPS: 20, Burst: 256}},
				},
				GracePeriod: time.Minute,
			},
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("p2p: resource limits: %w", err)
	}
	return m, nil
}
