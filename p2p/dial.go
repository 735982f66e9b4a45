package p2p

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
)

// Why an attempt gave no session.
var (
	errNoAddress = errors.New("p2p: no address of the peer is known yet; it is looked for on the LAN if discovery is on")
	errWaiting   = errors.New("p2p: connected, waiting for the peer to begin the session")
	errSlow      = errors.New("it took too long")
	errRefused   = errors.New("p2p: the peer closed the connection; is this device still a member there?")
)

// dial keeps trying to get a session while there is none. libp2p never
// reconnects on its own, and its own back-off (5 s and more per address) is
// cleared before each attempt because this loop paces itself.
func (c *contact) dial() {
	for c.turn() {
		c.mu.Lock()
		c.again = false
		c.mu.Unlock()
		began := time.Now()
		err := c.attempt()
		c.mu.Lock()
		if err != nil {
			c.failed++
			c.lastErr = err
			c.node.log.Debug("no session", "peer", c.name.Short(), "err", err)
		}
		c.next = time.Now().Add(c.pause(max(c.failed, 1)))
		if c.again {
			c.next = began.Add(c.node.opts.RedialMin)
		}
		c.mu.Unlock()
	}
}

// turn waits until an attempt is due. It reports false when the contact ends.
func (c *contact) turn() bool {
	for c.ctx.Err() == nil {
		c.mu.Lock()
		busy := c.live != nil || c.pending != nil
		wait := max(time.Until(c.next), time.Until(c.notBefore))
		c.mu.Unlock()
		if !busy && wait <= 0 {
			return true
		}
		var due <-chan time.Time
		if !busy {
			due = time.After(wait)
		}
		select {
		case <-c.ctx.Done():
		case <-c.changed:
		case <-due:
		}
	}
	return false
}

// attempt connects if need be and, when that is our part, opens the stream.
func (c *contact) attempt() error {
	h := c.node.host
	if len(h.Network().ConnsToPeer(c.id)) == 0 {
		if err := c.connect(); err != nil {
			return err
		}
	}
	if !c.opener {
		return errWaiting
	}
	ctx, cancel := context.WithTimeout(c.ctx, addrTimeout)
	defer cancel()
	st, err := h.NewStream(network.WithNoDial(ctx, "the dial loop dials"), c.id, protoSync)
	if err != nil {
		return fmt.Errorf("%w (%w)", errRefused, err)
	}
	c.offer(st)
	return nil
}

// connect dials every known address. It succeeds too when the peer's own
// connection comes in meanwhile.
func (c *contact) connect() error {
	addrs := c.book.dialable()
	if len(addrs) == 0 {
		return errNoAddress
	}
	ctx, cancel := context.WithTimeout(c.ctx, dialTimeout)
	defer cancel()
	c.mu.Lock()
	c.hangup = cancel
	c.mu.Unlock()
	h := c.node.host
	h.Network().(*swarm.Swarm).Backoff().Clear(c.id)
	h.Peerstore().ClearAddrs(c.id) // dial what is in our book and nothing older
	err := h.Connect(ctx, peer.AddrInfo{ID: c.id, Addrs: addrs})
	c.mu.Lock()
	c.hangup = nil
	c.mu.Unlock()
	if d, ok := errors.AsType[*swarm.DialError](err); ok {
		for _, e := range d.DialErrors {
			c.book.failed(e.Address, e.Cause.Error())
		}
	}
	switch {
	case len(h.Network().ConnsToPeer(c.id)) > 0:
		return nil
	case err == nil: // a gater that refuses us says so only by closing
		return errRefused
	}
	if d, ok := errors.AsType[*swarm.DialError](err); ok && len(d.DialErrors) > 0 {
		return unreachedError{d}
	}
	return fmt.Errorf("p2p: dial: %w", err)
}

// unreachedError is a DialError on one line: each address, and in a few words why it does not answer.
type unreachedError struct{ *swarm.DialError }

func (e unreachedError) Error() string {
	said := make([]string, len(e.DialErrors))
	for i, d := range e.DialErrors {
		why := d.Cause
		for inner := errors.Unwrap(why); inner != nil; inner = errors.Unwrap(inner) {
			why = inner
		}
		if errors.Is(why, context.DeadlineExceeded) || errors.Is(why, os.ErrDeadlineExceeded) {
			why = errSlow
		}
		said[i] = fmt.Sprintf("%s: %v", d.Address, why)
	}
	return "p2p: no answer from " + strings.Join(said, ", ")
}

// nudge asks for an attempt soon: an address was announced, a network came up.
// Announcements can be forged, so the shortest pause still holds.
func (c *contact) nudge() {
	c.mu.Lock()
	c.again = true
	if soon := time.Now().Add(c.node.opts.RedialMin); soon.Before(c.next) {
		c.next = soon
	}
	c.mu.Unlock()
	signal(c.changed)
}

// arrived says that the peer has connected to us, and reports whether the
// connection is one too many.
func (c *contact) arrived(conn network.Conn) (spare bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.live == nil:
		c.again = true
		c.next = time.Now()
		if c.hangup != nil {
			c.hangup()
		}
		signal(c.changed)
	case !c.opener || c.live.st.Conn() == conn:
	case time.Since(c.live.began) > dialTimeout:
		// It would not have dialled if it still had the session.
		c.live.abort(errReplaced)
	default: // both dialled at once
		return true
	}
	return false
}

// lost says that a connection has closed. One that never became a session was
// refused, which is all a dialler ever learns about a gater.
func (c *contact) lost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lastErr == errWaiting {
		c.lastErr = errRefused
	}
}
