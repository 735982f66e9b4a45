package p2p

import "sync"

const (
	maxBacklog = 4 << 20 // bytes queued for one peer
	frameCost  = 32      // what a frame counts beside its payload, so that empty ones are bounded too
	maxBatch   = 64 << 10
)

// queue holds the frames waiting for one session's stream. Putting never
// blocks; one goroutine takes.
type queue struct {
	ready chan struct{} // has a token when there is something to see

	mu     sync.Mutex
	frames [][]byte
	bytes  int
	closed bool
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// put appends frame, or says why not.
func (q *queue) put(frame []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrNotConnected
	}
	if q.bytes+len(frame)+frameCost > maxBacklog {
		return ErrBacklog
	}
	q.frames = append(q.frames, frame)
	q.bytes += len(frame) + frameCost
	q.signal()
	return nil
}

// take writes waiting frames behind buf, as they stand on the wire, until the
// batch is full. It returns how many bytes of payload those are, and whether
// more can still come.
func (q *queue) take(buf []byte) (batch []byte, payload int, open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, f := range q.frames {
		if n > 0 && len(buf)+len(f) > maxBatch {
			break
		}
		buf = appendFrame(buf, kindFrame, f)
		payload += len(f)
		q.frames[n] = nil
		n++
	}
	q.frames = q.frames[n:]
	if len(q.frames) == 0 {
		q.frames = nil // the array may have grown large
	}
	q.bytes -= payload + n*frameCost
	return buf, payload, !q.closed
}

// finish lets what is queued go out and takes nothing more.
func (q *queue) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// discard forgets what is queued and takes nothing more.
func (q *queue) discard() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.frames, q.bytes, q.closed = nil, 0, true
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}
