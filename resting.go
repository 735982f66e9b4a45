package tombolo

import (
	"slices"
	"time"

	"tombolo/sync"
)

// Documents that nobody uses any more stay in memory for a while: the next command or message about them is likely near.
const (
	maxResting = 128              // documents
	maxBytes   = 64 << 20         // of memory in all of them
	restFor    = 30 * time.Second // then a document that was edited is packed and given up
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
	if d.holds--; d.holds > 0 || e.documents[d.key] != d {
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
		_ = e.room() // the news that there is room again come from here, if nobody asks
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

// tidy has a document packed, beside its other work.
func (e *Engine) tidy(d *document) { d.enqueue(tidyJob{}) }

// rest makes what is under way durable and packs what is loose, before the engine closes.
func (e *Engine) rest() {
	e.docsMu.Lock()
	all := make([]*document, 0, len(e.documents))
	for _, d := range e.documents {
		all = append(all, d)
	}
	e.docsMu.Unlock()
	for _, d := range all {
		d.rest(e.run)
	}
}
