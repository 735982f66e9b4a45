package p2p

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// How a session ends when nobody asked for it.
var (
	errHungUp   = errors.New("p2p: the peer hung up")
	errReplaced = errors.New("p2p: the peer came back on a new connection")
	errStalled  = errors.New("p2p: the peer has taken nothing for too long")
)

// farewell is how long a dropped peer may take to receive what was already
// queued for it, such as the frame that tells it why.
const farewell = time.Second

// stallFactor times Options.Dead is how long a write may make no progress. It
// is generous because Events.Frame may block on the other side.
const stallFactor = 10

// session is one stream with one peer, from the first heartbeat to the end.
type session struct {
	peer  PeerID
	st    network.Stream
	opts  *Options
	queue *queue
	began time.Time

	ctx context.Context // done when the session is over; its cause says why
	end context.CancelCauseFunc
}

func newSession(ctx context.Context, p PeerID, st network.Stream, opts *Options) *session {
	s := &session{peer: p, st: st, opts: opts, queue: newQueue(), began: time.Now()}
	s.ctx, s.end = context.WithCancelCause(ctx)
	return s
}

// abort ends the session at once.
func (s *session) abort(err error) {
	s.end(err)
	s.queue.discard()
	_ = s.st.Reset() // unblocks reads and writes; it is over either way
}

// drop ends the session after what is queued has gone out, or farewell. No
// frame is read any more.
func (s *session) drop(err error) {
	s.end(err)
	s.queue.finish()
	_ = s.st.SetReadDeadline(time.Now())
	_ = s.st.SetWriteDeadline(time.Now().Add(farewell))
}

// greet exchanges one heartbeat. Only the other side's proves that it wants the
// session: a connection that its gater refuses looks open to us for a moment.
func (s *session) greet() error {
	err := s.put(appendFrame(nil, kindHeartbeat, nil))
	if err == nil {
		var kind byte
		kind, _, err = readFrame(aliveReader{s})
		if err == nil && kind != kindHeartbeat {
			err = fmt.Errorf("%w: no heartbeat at the beginning", errGarbage)
		}
	}
	if err != nil {
		s.abort(s.why(err))
		return context.Cause(s.ctx)
	}
	return nil
}

// run carries frames until the session is over and returns why.
func (s *session) run() error {
	var writer sync.WaitGroup
	writer.Go(func() {
		if err := s.write(); err != nil {
			s.abort(s.why(err))
		}
	})
	if err := s.read(); s.ctx.Err() == nil {
		s.abort(s.why(err))
	}
	writer.Wait()
	// After a drop the peer hangs up when it has read to the end; closing the
	// connection before could cut off what was just written.
	_ = s.st.SetReadDeadline(time.Now().Add(farewell))
	_, _ = io.Copy(io.Discard, s.st)
	_ = s.st.Reset()
	return context.Cause(s.ctx)
}

// read delivers frames until it cannot, and says why.
func (s *session) read() error {
	r := bufio.NewReaderSize(aliveReader{s}, 16<<10)
	for {
		kind, payload, err := readFrame(r)
		if err != nil {
			return err
		}
		if s.ctx.Err() != nil { // buffered bytes of a session that is over
			return context.Cause(s.ctx)
		}
		if kind == kindFrame {
			s.opts.Events.Frame(s.peer, payload)
		}
	}
}

// write drains the queue, and keeps the peer convinced that we live when there
// is nothing to send.
func (s *session) write() error {
	tick := time.NewTicker(s.opts.Heartbeat)
	defer tick.Stop()
	var buf []byte
	for {
		batch, payload, open := s.queue.take(buf[:0])
		if len(batch) == 0 {
			if !open {
				return s.st.CloseWrite()
			}
			select {
			case <-s.queue.ready:
				continue
			case <-tick.C:
				batch = appendFrame(batch, kindHeartbeat, nil)
			}
		}
		if err := s.put(batch); err != nil {
			return err
		}
		if payload > 0 {
			s.opts.Events.Sent(s.peer, payload)
		}
		if buf = batch; cap(buf) > 2*maxBatch {
			buf = nil // one large frame should not be paid for until the session ends
		}
	}
}

// put writes b. Time runs out only while nothing moves.
func (s *session) put(b []byte) error {
	for len(b) > 0 {
		_ = s.st.SetWriteDeadline(time.Now().Add(stallFactor * s.opts.Dead))
		if s.ctx.Err() != nil { // drop may have set its shorter one just before
			_ = s.st.SetWriteDeadline(time.Now().Add(farewell))
		}
		n, err := s.st.Write(b)
		b = b[n:]
		switch {
		case err != nil && isTimeout(err) && n == 0:
			return errStalled
		case err != nil && !isTimeout(err):
			return err
		}
	}
	return nil
}

// why turns what the stream said into what the user should hear.
func (s *session) why(err error) error {
	switch {
	case s.ctx.Err() != nil:
		return context.Cause(s.ctx)
	case isTimeout(err):
		return ErrSilent
	case errors.Is(err, io.EOF), errors.Is(err, network.ErrReset):
		return fmt.Errorf("%w (%w)", errHungUp, err)
	}
	return err
}

// aliveReader reads from the stream; each byte proves that the peer lives. Time
// that the user spends in Events.Frame does not count against the peer.
type aliveReader struct{ s *session }

// Read waits at most Options.Dead for a byte.
func (r aliveReader) Read(p []byte) (int, error) {
	_ = r.s.st.SetReadDeadline(time.Now().Add(r.s.opts.Dead))
	if r.s.ctx.Err() != nil { // drop may have set its deadline just before
		return 0, context.Cause(r.s.ctx)
	}
	return r.s.st.Read(p)
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
