package tombolo

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tombolo/sync"
)

// Documents that nobody uses any more stay in memory for a while: the next command or message about them is likely near.
const (
	maxResting = 128              // documents
	maxBytes   = 64 << 20         // of memory in all of them
	restFor    = 30 * time.Second // then a document that was edited is packed, and given up if nobody has it open
	sweepEvery = 5 * time.Second
)

// hold is the engine's one value for a document, in memory or new. It stays so until release: two values for one document would each
// append what the other does not know.
func (e *Engine) hold(key sync.Key) *document {
	e.docsMu.Lock()
	defer e.docsMu.Unlock()
	d := e.documents[key]
	if d == nil {
		d = &document{e: e, key: key, watchers: map[*watcher]struct{}{}}
		e.documents[key] = d
	}
	if i := slices.Index(e.resting, d); i >= 0 {
		e.resting = slices.Delete(e.resting, i, i+1)
	}
	d.holds++
	return d
}

// holdToo is hold for a goroutine started by someone who holds d already.
func (e *Engine) holdToo(d *document) {
	e.docsMu.Lock()
	defer e.docsMu.Unlock()
	d.holds++
}

// release ends a hold. A document that nobody holds may leave the memory.
func (e *Engine) release(d *document) {
	e.docsMu.Lock()
	defer e.docsMu.Unlock()
	if d.holds--; d.holds > 0 {
		return
	}
	if d.ephemeral {
		delete(e.ephemeral, d.key)
		return
	}
	if e.documents[d.key] != d {
		return
	}
	d.rested = e.now()
	if e.resting = append(e.resting, d); len(e.resting) > maxResting {
		delete(e.documents, e.resting[0].key)
		e.resting = e.resting[1:]
	}
}

// sweep packs documents that have gone quiet and gives them up.
func (e *Engine) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-e.closed:
			return
		case <-tick.C:
		}
		_ = e.lookForRoom() // for those who wait for news of it
		e.reviveDue()
		for _, d := range e.still() {
			if !d.isBusy() { // those edits have their own time
				d.rest(e.run)
			}
			e.release(d)
		}
		for _, d := range e.quiet() {
			d.rest(e.run)
			d.unload()
		}
		if err := e.keepAcks(e.run); err != nil && e.run.Err() == nil {
			e.opts.Log.Warn("the status of other devices is kept in memory only", "err", err)
		}
	}
}

// quiet are the documents that have rested long enough, or longest where all of them take too much.
func (e *Engine) quiet() []*document {
	e.docsMu.Lock()
	defer e.docsMu.Unlock()
	full := slices.DeleteFunc(slices.Clone(e.resting), func(d *document) bool { return d.size.Load() == 0 })
	n, bytes := len(full), int64(0)
	for n > 0 {
		d := full[n-1]
		if bytes += d.size.Load(); bytes > maxBytes || e.now().Sub(d.rested) >= restFor {
			break
		}
		n--
	}
	return full[:n]
}

// still are the documents that somebody has open and nobody has edited for long enough, each with a hold.
func (e *Engine) still() []*document {
	e.docsMu.Lock()
	defer e.docsMu.Unlock()
	var out []*document
	before := e.now().Add(-restFor).UnixNano()
	for _, d := range e.documents {
		if at := d.touched.Load(); d.holds > 0 && at != 0 && at <= before {
			d.holds++
			out = append(out, d)
		}
	}
	return out
}

// tidy has a document packed, beside its other work.
func (e *Engine) tidy(d *document) {
	d.tidying.Add(1)
	d.enqueue(tidyJob{})
}

// rest makes what is under way and what waits durable and packs what is loose, before the engine closes. The error is about what waited.
func (e *Engine) rest() error {
	e.docsMu.Lock()
	all := make([]*document, 0, len(e.documents))
	for _, d := range e.documents {
		all = append(all, d)
	}
	e.docsMu.Unlock()
	var failed error
	for _, d := range all {
		d.mu.Lock()
		w := d.waiting
		d.mu.Unlock()
		d.rest(e.run)
		if w == nil {
			continue
		}
		if <-w.done; w.err != nil {
			failed = errors.Join(failed, fmt.Errorf("save what waited of document %s: %w", d.key.Doc.Short(), w.err))
		}
	}
	return failed
}
