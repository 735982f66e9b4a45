package p2p

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// contact is one member: what we know about it, the session with it, and the
// two goroutines that keep one going. dial (dial.go) tries to get a stream
// while there is none; receive takes streams, wherever they come from, and
// makes them sessions one after the other, which is what keeps Up, Frame and
// Down of a peer in order.
type contact struct {
	node   *Node
	id     peer.ID
	name   PeerID
	opener bool // our ID is the lower one: we open the stream, the other side only answers
	book   book

	ctx   context.Context // done when the peer is revoked or the node closes; the cause says which
	end   context.CancelCauseFunc
	after <-chan struct{} // closed when an earlier contact of this peer has said its last Down; may be nil
	done  chan struct{}   // closed when this one has

	offered chan struct{} // token: pending changed
	changed chan struct{} // token: the dialler should look again

	mu      sync.Mutex
	pending network.Stream // the next session's stream
	live    *session       // from greeting to Down
	up      bool           // live is past its greeting
	since   time.Time      // when up last changed
	lastErr error          // why there is no session

	hangup    context.CancelFunc // ends the dial in progress; nil when there is none
	next      time.Time          // when to dial next
	again     bool               // something happened during the attempt: repeat it soon
	failed    int                // attempts since the last session
	short     int                // sessions in a row that were dropped or ended early
	notBefore time.Time          // a dropped peer waits until then, whoever dials
}

// offer hands over a stream for the next session. A second stream on the
// connection of the session is refused; one on another connection means that
// the opener has given the session up before we noticed, and replaces it.
func (c *contact) offer(st network.Stream) {
	refused := st
	c.mu.Lock()
	switch {
	case c.ctx.Err() != nil || time.Now().Before(c.notBefore):
	case c.live != nil && c.live.st.Conn() == st.Conn():
	default:
		refused, c.pending = c.pending, st
		if c.live != nil {
			c.live.abort(errReplaced)
		}
		if c.hangup != nil {
			c.hangup()
		}
	}
	c.mu.Unlock()
	if refused != nil {
		_ = refused.ResetWithError(network.StreamSupplanted)
	}
	signal(c.offered)
}

// receive runs the sessions until the contact ends.
func (c *contact) receive() {
	defer close(c.done)
	if c.after != nil {
		<-c.after
	}
	for {
		select {
		case <-c.offered:
		case <-c.ctx.Done():
			c.mu.Lock()
			st := c.pending
			c.pending = nil
			c.mu.Unlock()
			if st != nil {
				_ = st.Reset()
			}
			return
		}
		c.mu.Lock()
		st := c.pending
		if st != nil {
			c.pending = nil
			c.live = newSession(c.ctx, c.name, st, &c.node.opts)
		}
		s := c.live
		c.mu.Unlock()
		if st != nil {
			c.serve(s)
		}
	}
}

// serve takes one session from its greeting to Down.
func (c *contact) serve(s *session) {
	stop := context.AfterFunc(c.ctx, func() { s.abort(context.Cause(c.ctx)) })
	defer stop()
	defer s.end(nil)
	err := s.greet()
	if err == nil {
		c.cameUp(s)
		c.node.opts.Events.Up(c.name)
		err = s.run()
	}
	// A session ends with its connection, so that the next one starts on a
	// connection that works.
	_ = s.st.Conn().Close()
	if c.wentDown(s, err) {
		c.node.opts.Events.Down(c.name, err)
	}
	c.mu.Lock()
	c.live = nil
	c.mu.Unlock()
	signal(c.changed)
}

func (c *contact) cameUp(s *session) {
	c.mu.Lock()
	c.up = true
	c.since = c.node.opts.Now()
	c.failed = 0
	c.lastErr = nil
	c.mu.Unlock()
	c.node.log.Debug("connected", "peer", c.name.Short(), "addr", s.st.Conn().RemoteMultiaddr())
	if !c.opener {
		return
	}
	// Both sides may have dialled at once. One of the two has to choose.
	for _, other := range c.node.host.Network().ConnsToPeer(c.id) {
		if other != s.st.Conn() {
			_ = other.Close()
		}
	}
}

// wentDown notes the end of a session and reports whether it had been up.
func (c *contact) wentDown(s *session, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.up
	c.up = false
	c.lastErr = err
	now := time.Now()
	if !was {
		c.failed++
		c.next = now.Add(c.pause(c.failed))
		return false
	}
	c.since = c.node.opts.Now()
	dropped := isDropped(err)
	if !dropped && now.Sub(s.began) >= c.node.opts.RedialMax {
		c.short = 0
	} else {
		c.short++
	}
	c.next = now.Add(c.pause(c.short))
	if dropped {
		c.notBefore = c.next
	}
	c.node.log.Debug("disconnected", "peer", c.name.Short(), "err", err)
	return true
}

// pause grows from nothing over RedialMin, doubled each time, to RedialMax.
func (c *contact) pause(failures int) time.Duration {
	if failures == 0 {
		return 0
	}
	d := c.node.opts.RedialMin
	for range failures - 1 {
		if d *= 2; d >= c.node.opts.RedialMax {
			return c.node.opts.RedialMax
		}
	}
	return d
}

// send queues a frame for the session.
func (c *contact) send(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.up {
		return ErrNotConnected
	}
	return c.live.queue.put(frame)
}

// drop ends the session with the user's reason.
func (c *contact) drop(reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.up {
		c.live.drop(&droppedError{reason})
	}
}

// state describes the contact.
func (c *contact) state() PeerState {
	ps := PeerState{Peer: c.name, Addrs: c.book.state()}
	c.mu.Lock()
	defer c.mu.Unlock()
	ps.Connected, ps.Since = c.up, c.since
	switch {
	case c.up:
		ps.Addr = c.live.st.Conn().RemoteMultiaddr().String()
	case c.lastErr != nil:
		ps.LastError = c.lastErr.Error()
	}
	return ps
}

// droppedError carries the reason given to Drop; errors.Is sees through it.
type droppedError struct{ reason error }

// Error names the reason.
func (e *droppedError) Error() string { return fmt.Sprintf("p2p: dropped: %v", e.reason) }

// Unwrap gives the reason back.
func (e *droppedError) Unwrap() error { return e.reason }

func isDropped(err error) bool {
	_, ok := err.(*droppedError)
	return ok
}

// signal leaves a token; one is enough however many events there were.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
