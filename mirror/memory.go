package mirror

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"strconv"
	"sync"
)

// Memory is a place in memory, for tests and for programs that hand the bytes on. It keeps its state as long as it lives. The zero value
// has nothing; it is safe for use from several goroutines.
type Memory struct {
	mu       sync.Mutex
	data     []byte // nil: nothing
	version  int
	state    []byte
	watchers map[chan struct{}]struct{}
}

// Name is "memory".
func (p *Memory) Name() string { return "memory" }

// Put puts data there, whatever there was; nil removes it.
func (p *Memory) Put(data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(data)
}

func (p *Memory) put(data []byte) {
	p.data = slices.Clone(data)
	p.version++
	for w := range p.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// Get is what is there, nil for nothing.
func (p *Memory) Get() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.data)
}

// Read gives what is there, see [Place].
func (p *Memory) Read(_ context.Context, known string) ([]byte, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.data == nil {
		return nil, "", ErrNotThere
	}
	tag := strconv.Itoa(p.version)
	if tag == known {
		return nil, tag, ErrUnchanged
	}
	return bytes.Clone(p.data), tag, nil
}

// Write puts data there, see [Place].
func (p *Memory) Write(_ context.Context, data []byte, tag string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := strconv.Itoa(p.version); tag == "" && p.data != nil || tag != "" && (p.data == nil || tag != now) {
		return "", ErrChanged
	}
	p.put(data)
	return strconv.Itoa(p.version), nil
}

// Watch yields after each write since the call; those that come together once.
func (p *Memory) Watch(ctx context.Context) iter.Seq[struct{}] {
	news := make(chan struct{}, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watchers == nil {
		p.watchers = map[chan struct{}]struct{}{}
	}
	p.watchers[news] = struct{}{}
	return func(yield func(struct{}) bool) {
		defer func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.watchers, news)
		}()
		for {
			select {
			case <-ctx.Done():
				return
			case <-news:
			}
			if !yield(struct{}{}) {
				return
			}
		}
	}
}

// State keeps the mirror's state in the Memory.
func (p *Memory) State() State { return (*memoryState)(p) }

type memoryState Memory

func (s *memoryState) Load(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.state), nil
}

func (s *memoryState) Save(_ context.Context, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = bytes.Clone(data)
	return nil
}
