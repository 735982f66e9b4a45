package tombolo

import (
	"context"
	"errors"
	"time"
)

// Saving says when what is changed through a handle goes to this device's disk: [Durable], a [Coalesce] or [Never]. It is set for all documents in
// [Options].Save, and for one where it is opened.
type Saving interface {
	OpenOption
	saving() saving
}

// word is a Saving without anything to set.
type word string

const (
	// Durable saves every change before [Handle.Change] returns. It is what happens unless something else is said.
	Durable word = "durable"
	// Never makes an ephemeral document: it has no disk, other devices do not get it, lists do not have it, and it is gone with its last handle. Its
	// handles work like others: Watch tells, Heads and Status show what is in memory, of which no device counts as having it on its disk. Opening
	// a document with Never that is on this device's disk is an error, and so is opening an ephemeral one without.
	Never word = "never"
)

// Coalesce saves changes together. Change and the methods like it return when the document has the change in memory. It is saved when nobody has
// edited for Quiet, when the first unsaved change is Most old, or when 1 MiB waits; earlier when somebody asks for it: [Handle.Flush], [Handle.Wait],
// [Pending.Wait], closing the handle or the engine, a change of a handle that saves at once, or changes of another device, which come behind it in the log. One save is
// under way at a time.
//
// Other devices, watchers and [Handle.Heads] know what is saved. Changes that cannot be saved are undone, as ever: the log says so, and the next
// Change, Flush, Wait or Close of each handle that made some is a [LostError]. Such a Change does nothing else.
type Coalesce struct {
	Quiet time.Duration // zero means 30 seconds
	Most  time.Duration // zero means 2 minutes, or Quiet where that is longer
}

// saving is a Saving in figures.
type saving struct {
	quiet, most time.Duration // zero: at once
	never       bool
}

func (s saving) coalesces() bool { return s.quiet > 0 }

func (w word) saving() saving { return saving{never: w == Never} }

func (c Coalesce) saving() saving {
	if c.Quiet <= 0 {
		c.Quiet = 30 * time.Second
	}
	if c.Most <= 0 {
		c.Most = max(2*time.Minute, c.Quiet)
	}
	return saving{quiet: c.Quiet, most: c.Most}
}

// OpenOption adjusts how one document is opened: a [Saving], or an [Init].
type OpenOption interface{ open(*opening) }

// opening is what the options of one opening come to.
type opening struct {
	saving saving
	init   Init
}

func (w word) open(o *opening)     { o.saving = w.saving() }
func (c Coalesce) open(o *opening) { o.saving = c.saving() }

// opening is the engine's own settings with options over them.
func (e *Engine) opening(options []OpenOption) opening {
	o := opening{saving: e.opts.Save.saving()}
	for _, option := range options {
		if option != nil {
			option.open(&o)
		}
	}
	return o
}

var errNoInit = errors.New("an Init is for documents with a name, which several devices may begin: use it with Open or OpenNamed")

// HasUnsaved says whether changes of the document are not on this device's disk yet: those of [Handle.ChangeAsync] and of handles that [Coalesce],
// and what other devices sent. It is false for an ephemeral document, which never will be, and once the handle is closed.
func (h *Handle) HasUnsaved() bool {
	if h.use() != nil {
		return false
	}
	defer h.e.work.Done()
	d := h.lock()
	defer d.mu.Unlock()
	return len(d.unsaved) > 0 || d.waiting != nil
}

// Flush returns when every change of the document that was made before is on this device's disk, or could not be written: then it is undone, and
// the error says why. When ctx ends first, they may still be written. It is a [LostError] also where changes were lost before.
func (h *Handle) Flush(ctx context.Context) error {
	if err := h.use(); err != nil {
		return err
	}
	defer h.e.work.Done()
	d := h.lock()
	d.send()
	p := d.underWay()
	d.mu.Unlock()
	err := p.Wait(ctx)
	d = h.lock()
	defer d.mu.Unlock()
	if lost := h.tellLost(); lost != nil {
		return lost
	}
	return err
}

// Pending is a change on its way to the disk.
type Pending struct {
	s     *save
	later bool // it is saved with others
}

// Wait returns when the change is on this device's disk, or could not be written: then it is undone. A change that waits for others is saved now. When
// ctx ends first, the change may still be written.
func (p *Pending) Wait(ctx context.Context) error {
	if p.s == nil {
		return nil // nothing changed
	}
	if p.later {
		p.s.ask()
	}
	select {
	case <-p.s.done:
		return p.s.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask sends a save that waits. When Close has begun, that does.
func (s *save) ask() {
	if s.d.e.use() != nil {
		return
	}
	defer s.d.e.work.Done()
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if s.d.waiting == s {
		s.d.send()
	}
}

// wait sees a change through to the disk, or as far as the handle that made it goes.
func wait(ctx context.Context, change func() (*Pending, error)) error {
	p, err := change()
	if err != nil || p.later {
		return err
	}
	return p.Wait(ctx)
}
