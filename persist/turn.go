package persist

import (
	"context"
	"encoding/binary"
	"errors"
)

// A turn is a job of the log: it sees headers as the jobs before it left them,
// in its group or on disk, and puts headers of its own. Its methods run in the
// committer's goroutine. What it puts is staged with its group, becomes hot
// when the group is durable, and is forgotten when the group fails, so a header
// in memory never runs ahead of the disk.
type turn struct {
	log   *Log
	batch *Batch
	puts  []staging
}

type staging struct {
	name   Name
	header *Header // nil: removed
}

// header returns the header of name, or ErrNotFound. It must not be altered.
func (t *turn) header(name Name) (*Header, error) {
	h, ok := t.log.staged[name]
	if !ok {
		h, ok = t.log.hot[name]
	}
	if ok {
		if h == nil {
			return nil, ErrNotFound
		}
		return h, nil
	}
	// After a failed Apply only the disk knows, so the index follows it here.
	h, err := t.log.header(context.Background(), name)
	switch {
	case err == nil:
		t.log.note(name, h)
		t.log.keepHot(name, h)
	case errors.Is(err, ErrNotFound):
		t.log.note(name, nil)
	}
	return h, err
}

// newNumber takes the next document number. A turn that fails leaves a gap.
func (t *turn) newNumber() uint64 {
	n := t.log.next
	t.log.next++
	t.batch.put([]byte{prefixNext}, seal(codecNext, binary.AppendUvarint(nil, t.log.next)))
	return n
}

// put writes h as the header of name; it belongs behind the records it speaks of.
func (t *turn) put(name Name, h *Header) error {
	v, err := t.log.headers.encode(h)
	if err != nil {
		return err
	}
	t.batch.put(headerKey(name), v)
	t.puts = append(t.puts, staging{name, h})
	return nil
}

// remove takes the header of name away.
func (t *turn) remove(name Name) {
	t.batch.del(headerKey(name))
	t.puts = append(t.puts, staging{name, nil})
}

// submit queues a turn. build may run twice; done runs once, last.
func (l *Log) submit(build func(*turn) error, done func(error)) {
	t := &turn{log: l}
	l.committer.submit(&job{
		build: func() (*Batch, error) {
			t.batch, t.puts = &Batch{}, nil
			if err := build(t); err != nil {
				t.puts = nil
				return nil, err
			}
			return t.batch, nil
		},
		accept: func() {
			for _, p := range t.puts {
				l.staged[p.name] = p.header
			}
		},
		settle: func(err error) {
			t.settle(err)
			done(err)
		},
	})
}

// settle makes what was put known when it is durable, else forgets it.
func (t *turn) settle(err error) {
	for _, p := range t.puts {
		delete(t.log.staged, p.name)
		delete(t.log.hot, p.name)
		if err != nil {
			continue
		}
		t.log.note(p.name, p.header)
		if p.header != nil {
			t.log.keepHot(p.name, p.header)
		}
	}
}

// take is submit, and waits. When ctx ends first, the turn may still be taken.
func (l *Log) take(ctx context.Context, build func(*turn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	done := make(chan error, 1)
	l.submit(build, func(err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// note brings the index up to what is on disk; nil: no such document.
func (l *Log) note(name Name, h *Header) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h == nil {
		delete(l.index, name)
	} else {
		l.index[name] = h.slim()
	}
}

// keepHot remembers a committed header. A full memory starts afresh, which is
// simpler than choosing and costs each document at work one read.
func (l *Log) keepHot(name Name, h *Header) {
	if len(l.hot) >= hotHeaders {
		clear(l.hot)
	}
	l.hot[name] = h
}
