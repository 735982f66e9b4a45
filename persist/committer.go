package persist

import (
	"context"
	"sync"
)

// Committer makes the batches of many callers durable in groups: whatever is
// waiting while one Store.Apply runs goes into the next. A store that syncs the
// disk once per Apply thus syncs once for everyone; with Badger that is 24
// times the throughput at 128 writers, since it has no group commit of its own.
//
// Its methods may be called from several goroutines. Batches are applied in
// the order in which they were handed over.
type Committer struct {
	store Store
	wg    sync.WaitGroup

	mu      sync.Mutex
	arrived sync.Cond // there is a job, or closed
	queue   []*job
	closed  bool
}

// job is one caller's write. Its functions run in the committer's goroutine.
type job struct {
	build  func() (*Batch, error) // at its turn; may run again when its group had to be written first
	accept func()                 // its batch is in the group: what is built next sees its effect
	settle func(error)            // once, last: nil when durable, else nothing is promised
}

// NewCommitter starts a committer on store. Close ends it; the store stays open.
func NewCommitter(store Store) *Committer {
	c := &Committer{store: store}
	c.arrived.L = &c.mu
	c.wg.Go(c.run)
	return c
}

// Commit waits until b is durable, or could not be made so. The error of a
// failed Apply is returned to everyone whose batch was in that group. When ctx
// ends first, Commit returns ctx.Err(), and b may still be written. A batch
// that Batch.Check refuses is refused alone, and after Close the error is
// ErrClosed.
func (c *Committer) Commit(ctx context.Context, b *Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.Check(); err != nil {
		return err
	}
	own := &Batch{}
	own.join(b) // the caller may go on with b when its context has ended
	return c.commit(ctx, func() (*Batch, error) { return own, nil })
}

// commit is Commit for a batch that is built when its turn comes.
func (c *Committer) commit(ctx context.Context, build func() (*Batch, error)) error {
	done := make(chan error, 1)
	c.submit(&job{build: build, accept: func() {}, settle: func(err error) { done <- err }})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// submit puts j in the queue; it does not wait. After Close j is settled with ErrClosed.
func (c *Committer) submit(j *job) {
	c.mu.Lock()
	closed := c.closed
	if !closed {
		c.queue = append(c.queue, j)
		c.arrived.Signal()
	}
	c.mu.Unlock()
	if closed {
		j.settle(ErrClosed)
	}
}

// Close waits until everything handed over before it is written or has failed.
// A second Close waits too. It always returns nil.
func (c *Committer) Close() error {
	c.mu.Lock()
	c.closed = true
	c.arrived.Signal()
	c.mu.Unlock()
	c.wg.Wait()
	return nil
}

func (c *Committer) run() {
	for {
		c.mu.Lock()
		for len(c.queue) == 0 && !c.closed {
			c.arrived.Wait()
		}
		jobs := c.queue
		c.queue = nil
		c.mu.Unlock()
		if len(jobs) == 0 {
			return
		}
		c.write(jobs)
	}
}

// write brings jobs to disk in as few groups as MaxBatch allows.
func (c *Committer) write(jobs []*job) {
	var g group
	for _, j := range jobs {
		b, err := j.build()
		if err == nil && len(g.jobs) > 0 && g.batch.bytes+b.bytes > MaxBatch {
			g.settle(c.apply(&g.batch))
			g = group{}
			b, err = j.build() // it was built on the group, which may have failed
		}
		switch {
		case err != nil:
			j.settle(err)
		case b.bytes > MaxBatch:
			j.settle(c.applyPieces(b))
		default:
			g.batch.join(b)
			g.jobs = append(g.jobs, j)
			j.accept()
		}
	}
	g.settle(c.apply(&g.batch))
}

// apply is not tied to any caller's context, because the group belongs to many.
func (c *Committer) apply(b *Batch) error {
	if b.Len() == 0 {
		return nil
	}
	return c.store.Apply(context.Background(), b)
}

// applyPieces writes a batch that is over MaxBatch in order, each piece durable
// before the next. Only the log builds such batches, with entries that mean
// nothing until the last one, the header, is there.
func (c *Committer) applyPieces(b *Batch) error {
	var piece Batch
	for _, op := range b.ops {
		if piece.bytes+len(op.Key)+len(op.Value)+EntryCost > MaxBatch {
			if err := c.apply(&piece); err != nil {
				return err
			}
			piece = Batch{}
		}
		piece.add(op)
	}
	return c.apply(&piece)
}

// group is what goes to disk in one Apply.
type group struct {
	batch Batch
	jobs  []*job
}

func (g *group) settle(err error) {
	for _, j := range g.jobs {
		j.settle(err)
	}
}
