package tombolo

import (
	"errors"
	"time"

	"tombolo/persist"
	"tombolo/sync"
)

// Damage is best found while another device still has the document, not on the day it is opened. So a device that stays open reads all its records once
// and compares their checksums: late, and slowly enough that nobody notices.
const (
	scrubAfter = 10 * time.Second // short lives, as those of commands, are left alone
	scrubRate  = 8 << 20          // bytes a second
)

// scrub reads every document's records, with pauses, until the engine closes.
func (e *Engine) scrub() {
	pause := time.NewTimer(scrubAfter)
	defer pause.Stop()
	for name := range e.log.Docs() {
		for full := true; full; {
			select {
			case <-e.closed:
				return
			case <-pause.C:
			}
			var size int
			size, full = e.check(name)
			pause.Reset(time.Duration(size) * time.Second / scrubRate)
			if full {
				pause.Reset(scrubAfter)
			}
		}
	}
}

// check reads the records of a document and has it set aside where they are damaged. It gives the bytes it read, and reports whether the disk had no
// room for setting it aside.
func (e *Engine) check(name persist.Name) (size int, full bool) {
	for r, err := range e.log.Records(e.run, name, 1) {
		if err == nil {
			size += len(r.Data)
			continue
		}
		if _, torn := errors.AsType[*persist.DamagedError](err); torn {
			d := e.hold(sync.Key{Space: name.Space, Doc: name.Doc})
			d.mu.Lock()
			if serr := d.settled(e.run); serr != nil {
				err = serr
			} else if d.full != nil {
				err = d.renew(e.run, err)
			} else {
				err = d.read(e.run) // which sets it aside
			}
			d.mu.Unlock()
			e.release(d)
		}
		if errors.Is(err, persist.ErrNoSpace) {
			e.refused(err)
			return size, true
		}
		if err != nil && !errors.Is(err, persist.ErrNotFound) && e.run.Err() == nil {
			e.opts.Log.Warn("a document was checked and does not read", "doc", sync.Key{Space: name.Space, Doc: name.Doc}.Doc.Short(), "err", err)
		}
	}
	return size, false
}
