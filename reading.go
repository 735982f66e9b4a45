package tombolo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tombolo/doc"
	"tombolo/doc/gate"
	"tombolo/persist"
)

// read brings the document into memory. One that is not on disk yet is empty. Called with mu held.
func (d *document) read(ctx context.Context) error {
	for d.full == nil && d.loading != nil {
		if err := d.await(ctx, d.loading); err != nil {
			return err
		}
	}
	if d.full != nil {
		return nil
	}
	if err := d.settled(ctx); err != nil { // what is on its way to the disk must be there before it can be read
		return err
	}
	if d.full != nil || d.loading != nil {
		return d.read(ctx)
	}
	return d.place(ctx, d.readLog(ctx))
}

// await waits for something, with mu given up meanwhile. Called with mu held.
func (d *document) await(ctx context.Context, done <-chan struct{}) error {
	d.mu.Unlock()
	defer d.mu.Lock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reading is what the log gave of a document.
type reading struct {
	full   *doc.Doc
	header persist.Header
	meta   meta
	bytes  int
	err    error // then there is nothing else
}

// readLog reads the document without touching what is in memory of it, so mu need not be held. It looks for damage: see isDamage.
func (d *document) readLog(ctx context.Context) (r reading) {
	if d.ephemeral {
		r.full, r.err = doc.New(d.key.Doc, d.e.opts.Rand)
		return r
	}
	fail := func(err error) reading { return reading{err: err} }
	header, err := d.e.log.Header(ctx, d.name())
	if err != nil && !errors.Is(err, persist.ErrNotFound) {
		return fail(err)
	}
	r.header = header
	var changes [][]byte
	if err == nil {
		for raw, err := range d.e.log.Changes(ctx, d.name(), 1) {
			if err != nil {
				return fail(fmt.Errorf("read document %s: %w", d.key.Doc.Short(), err))
			}
			changes = append(changes, raw)
			r.bytes += len(raw)
		}
	}
	full, err := doc.New(d.key.Doc, d.e.opts.Rand)
	if err != nil {
		return fail(err)
	}
	applied, err := full.Apply(changes...)
	if err == nil && len(applied.Missing) > 0 {
		err = &gate.MissingError{Missing: applied.Missing}
	}
	if err != nil {
		return fail(unsoundError{fmt.Errorf("read document %s: %w", d.key.Doc.Short(), err)})
	}
	if !slices.Equal(full.Heads(), hashes(header.Heads)) {
		return fail(unsoundError{fmt.Errorf("read document %s: its changes do not lead to the heads in its header", d.key.Doc.Short())})
	}
	if r.meta, err = decodeMeta(header.Meta); err != nil {
		return fail(fmt.Errorf("read document %s: %w", d.key.Doc.Short(), err))
	}
	r.full = full
	return r
}

// place makes what was read the document, or sets one aside that does not read. Called with mu held.
func (d *document) place(ctx context.Context, r reading) error {
	if isDamage(r.err) {
		return d.setAside(ctx, r.err)
	}
	if r.err != nil {
		return r.err
	}
	d.full, d.graph = r.full, r.full.Graph()
	d.full.Limit(d.e.opts.MaxDocument)
	d.size.Store(int64(d.full.Size()))
	d.durable, d.heads, d.loose = d.graph.Len(), d.graph.Heads(), r.header.Loose
	d.meta, d.bytes = r.meta, r.bytes
	m := d.marks()
	if d.durable > 0 {
		d.e.debugRead(d.full, r.bytes)
	}
	if m != nil && d.durable > 0 && d.e.patient(d.key) == nil && d.e.room() == nil { // an earlier version wrote it, or left it as it was
		d.submit(&save{before: d.heads}, m)
	}
	if d.graph.Len() == 0 && d.e.patient(d.key) != nil { // the process ended before what was salvaged was on disk
		return d.startOver()
	}
	return nil
}
