package tombolo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// enqueue puts a take or a find of the core into a document's queue. It never blocks. Called by who holds d.
func (d *document) enqueue(job any) {
	d.e.jobs.Lock()
	defer d.e.jobs.Unlock()
	d.jobs = append(d.jobs, job)
	if !d.working {
		d.working = true
		d.e.holdToo(d)
		d.e.work.Go(d.doJobs)
	}
}

// next takes the oldest job out of the queue.
func (d *document) next() (any, bool) {
	d.e.jobs.Lock()
	defer d.e.jobs.Unlock()
	if len(d.jobs) == 0 {
		d.working = false
		return nil, false
	}
	job := d.jobs[0]
	d.jobs = d.jobs[1:]
	return job, true
}

// doJobs works through a document's queue, beside at most maxWorkers other documents.
func (d *document) doJobs() {
	defer d.e.release(d)
	d.e.workers <- struct{}{}
	defer func() { <-d.e.workers }()
	for {
		job, ok := d.next()
		if !ok {
			return
		}
		switch job := job.(type) {
		case takeJob:
			d.take(job)
		case sync.Find:
			d.e.step(d.find(d.e.run, job))
		case healJob:
			d.heal(d.e.run)
		case purgeJob:
			job.done <- d.purge(d.e.run)
		case reviveJob:
			d.revive(d.e.run)
		case restoredJob:
			d.stayRestored(d.e.run)
		case tidyJob:
			d.pack(d.e.run)
			d.tidying.Add(-1)
		}
	}
}

// takeJob is a take and the share of memory it counts against, nil when its session is over.
type takeJob struct {
	sync.Take
	share *peerLoad
}

// tidyJob asks for a document's loose changes to be packed.
type tidyJob struct{}

// take checks changes of a peer, applies them and sends them to the disk. The answer to the core goes out when they are there, or at
// once when nothing is new.
func (d *document) take(job takeJob) {
	t := job.Take
	s := &save{took: &sync.Took{Take: t}, share: job.share, weight: weight(t)}
	s.took.Pack, s.took.Changes = nil, nil
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.admit(t, s); err != nil || len(s.changes) == 0 {
		if len(d.unsaved) == 0 {
			d.answer(s)
		} else {
			d.e.holdToo(d)
			d.e.work.Go(func() {
				defer d.e.release(d)
				d.mu.Lock()
				defer d.mu.Unlock()
				d.answer(s)
			})
		}
		return
	}
	d.submit(s, d.marks())
}

// answer tells the core that nothing was new, or what was wrong. What the answer names must be durable, so it waits its turn. Called
// with mu held.
func (d *document) answer(s *save) {
	took := *s.took
	if err := d.settled(d.e.run); err != nil && took.Err == nil {
		took.Err = err
	}
	took.Before, took.After = d.heads, d.heads
	d.e.step(took)
	d.e.giveBack(s)
}

// admit adds what is new in t to the document, and notes in s what became of it. An error is noted as well: Bad
// where the peer is to blame, Err where this device is.
func (d *document) admit(t sync.Take, s *save) error {
	if err := d.read(d.e.run); err != nil {
		s.took.Err = err
		return err
	}
	raws := t.Changes
	if t.Pack != nil {
		var err error
		if raws, err = d.e.codec.Unpack(t.Pack); err != nil {
			s.took.Bad = fmt.Errorf("a pack that cannot be read: %w", err)
			return s.took.Bad
		}
	}
	s.before = d.graph.Heads()
	applied, err := d.full.Apply(raws...)
	if errors.Is(err, doc.ErrFull) { // nobody's fault: other devices may have room
		s.took.Err = fmt.Errorf("document %s: %w", d.key.Doc.Short(), err)
		d.e.opts.Log.Warn("changes of a peer do not fit in memory", "doc", d.key.Doc.Short(), "peer", d.e.nameOf(t.Peer), "err", err)
		return s.took.Err
	}
	if err != nil {
		d.e.opts.Log.Warn("changes of a peer were refused", "doc", d.key.Doc.Short(), "peer", d.e.nameOf(t.Peer), "err", err)
		s.took.Bad = fmt.Errorf("a change of document %s: %w", d.key.Doc.Short(), err)
		return s.took.Bad
	}
	for _, c := range applied.New {
		s.changes = append(s.changes, c.Raw)
	}
	s.took.Missing = applied.Missing
	if t.Tail != nil {
		s.took.Missing = append(s.took.Missing, d.graph.Missing(t.Tail.Heads)...)
	}
	return nil
}

// weight is what a take costs in memory while it is under way.
func weight(t sync.Take) int {
	n := len(t.Pack)
	for _, raw := range t.Changes {
		n += len(raw)
	}
	return n
}

// find looks up what a peer lacks, from what is durable.
func (d *document) find(ctx context.Context, f sync.Find) sync.Found {
	found := sync.Found{Find: f}
	d.mu.Lock()
	defer d.mu.Unlock()
	if found.Err = d.read(ctx); found.Err != nil {
		return found
	}
	found.Heads = d.heads
	for _, h := range d.graph.Sample() {
		if pos, ok := d.graph.Position(h); ok && pos < d.durable {
			found.Sample = append(found.Sample, h)
		}
	}
	if f.Stand {
		return found
	}
	lacks := d.graph.Since(f.Known)
	lacks = slices.DeleteFunc(lacks, func(pos int) bool { return pos >= d.durable || uint64(pos) < f.From })
	if len(lacks) > 0 {
		found.Packs, found.Next, found.Err = d.packs(ctx, lacks, f.Bytes)
	}
	return found
}

// packs gathers the changes at the given positions, about limit bytes of them. Packs of the log of which all is lacked are passed on as
// they are. next is the position to go on at, 0 when that was all.
func (d *document) packs(ctx context.Context, lacks []int, limit int) (out [][]byte, next uint64, err error) {
	size := 0
	var raws [][]byte
	gathered := 0
	flush := func() error {
		if len(raws) == 0 {
			return nil
		}
		p, err := d.e.codec.Pack(raws)
		out, size, raws, gathered = append(out, p), size+len(p), nil, 0
		return err
	}
	for rec, err := range d.e.log.Records(ctx, d.name(), uint64(lacks[0])+1) {
		if err != nil {
			return nil, 0, err
		}
		n, _ := slices.BinarySearch(lacks, int(rec.Last)) // sequence numbers count from 1, positions from 0
		mine := lacks[:n]
		if lacks = lacks[n:]; len(mine) == 0 {
			continue
		}
		if rec.Packed && uint64(len(mine)) == rec.Last-rec.First+1 {
			if err := flush(); err != nil {
				return nil, 0, err
			}
			out, size = append(out, rec.Data), size+len(rec.Data)
		} else {
			changes, err := d.changesOf(rec)
			if err != nil {
				return nil, 0, err
			}
			for _, pos := range mine {
				raw := changes[pos-int(rec.First-1)]
				raws, gathered = append(raws, raw), gathered+len(raw)
			}
			if gathered > packAbove {
				if err := flush(); err != nil {
					return nil, 0, err
				}
			}
		}
		if len(lacks) == 0 {
			break
		}
		if size+gathered/4 >= limit { // packing saves three quarters and more
			next = uint64(lacks[0])
			break
		}
	}
	return out, next, flush()
}

func (d *document) changesOf(rec persist.Record) ([][]byte, error) {
	if !rec.Packed {
		return [][]byte{rec.Data}, nil
	}
	return d.e.codec.Unpack(rec.Data)
}

// pack turns the loose changes into packs.
func (d *document) pack(ctx context.Context) {
	d.packing.Lock()
	defer d.packing.Unlock()
	err := d.e.log.Pack(ctx, d.name())
	if _, torn := errors.AsType[*persist.DamagedError](err); torn {
		d.e.check(d.name())
		return
	}
	if err != nil && !errors.Is(err, persist.ErrNotFound) && ctx.Err() == nil {
		d.e.opts.Log.Warn("changes could not be packed; they stay as they are", "doc", d.key.Doc.Short(), "err", err)
	}
}

// rest packs a document nobody edits any more, and keeps its value: the next read is faster then.
func (d *document) rest(ctx context.Context) {
	d.mu.Lock()
	if err := d.settled(ctx); err != nil || d.full == nil || d.ephemeral {
		d.mu.Unlock()
		return
	}
	loose := d.loose
	d.loose = 0
	d.touched.Store(0)
	d.mu.Unlock()
	if loose > 0 || d.tidying.Load() > 0 { // at closing what is queued does not get its turn, and what is under way is cut short
		d.pack(ctx)
	}
	d.keepValue(ctx)
}
