package p2p

import (
	"slices"
	"sync"

	ma "github.com/multiformats/go-multiaddr"
)

const (
	maxKept  = 8 // addresses of a peer that were given to us or worked
	maxFound = 8 // addresses of a peer from its latest announcement on the LAN
)

// book holds the addresses of one peer. Announcements are not authenticated, so
// they have places of their own and never push out an address that worked.
type book struct {
	mu    sync.Mutex
	kept  []place // most recently confirmed first
	found []place
}

// place is an address and what happened when it was last tried.
type place struct {
	addr ma.Multiaddr
	err  string
}

// keep puts addrs in front of what is remembered and forgets the oldest. It
// reports whether an address is new.
func (b *book) keep(addrs ...ma.Multiaddr) (news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range slices.Backward(addrs) {
		old := find(b.kept, a)
		news = news || old < 0
		if old >= 0 {
			b.kept = slices.Delete(b.kept, old, old+1)
		}
		b.kept = slices.Insert(b.kept, 0, place{addr: a})
	}
	b.kept = b.kept[:min(len(b.kept), maxKept)]
	return news
}

// announce replaces what the peer's last announcement said.
func (b *book) announce(addrs []ma.Multiaddr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.found = nil
	for _, a := range addrs[:min(len(addrs), maxFound)] {
		b.found = append(b.found, place{addr: a})
	}
}

// dialable returns every address to try, each once.
func (b *book) dialable() []ma.Multiaddr {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []ma.Multiaddr
	for _, p := range slices.Concat(b.kept, b.found) {
		out = append(out, p.addr)
	}
	return unique(out)
}

// failed notes why a dial of a did not work.
func (b *book) failed(a ma.Multiaddr, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, list := range [][]place{b.kept, b.found} {
		if i := find(list, a); i >= 0 {
			list[i].err = why
		}
	}
}

// state lists the addresses for people to look at.
func (b *book) state() []AddrState {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []AddrState
	for i, p := range slices.Concat(b.kept, b.found) {
		if i >= len(b.kept) && find(b.kept, p.addr) >= 0 {
			continue
		}
		out = append(out, AddrState{Addr: p.addr.String(), LastError: p.err})
	}
	return out
}

func find(list []place, a ma.Multiaddr) int {
	return slices.IndexFunc(list, func(p place) bool { return p.addr.Equal(a) })
}
