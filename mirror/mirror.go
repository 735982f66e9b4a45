package mirror

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"tombolo"
)

// Mirror keeps one document and one place alike.
type Mirror struct {
	h     *tombolo.Handle
	place Place
	state State
	form  form
	opts  Options

	run    context.Context // ends with Close
	cancel context.CancelFunc
	mu     sync.Mutex // guards save and load
	save   *auto      // nil while off
	load   *auto

	turn      chan struct{} // holds a token while a save or a load is at work, which alone uses what follows
	remembers bool          // known was read
	known     record
	tag       string // of what the place had when it was seen last, if that was dealt with; empty otherwise
	bad       error  // what was wrong with it
	merged    bool   // every load so far got to its end, as far as this device's disk knows
}

// Options adjusts a Mirror. The zero value is a good mirror.
type Options struct {
	// State keeps what was mirrored last; nil means the place's own (File, Memory), and for a place without that it ends with the Mirror.
	State State
	// Poll waits until a place without Watch should be looked at again, or until ctx ends, which is its error; nil means
	// Every(time.Second). It is called from two goroutines, for StartAutoSave and for StartAutoLoad.
	Poll func(ctx context.Context) error
	// OnError hears what went wrong in StartAutoSave and StartAutoLoad, the same error once in a row. It must not call the Mirror. nil:
	// only Log does.
	OnError func(error)
	// OnDone hears of each load that merged something and each save that wrote something, when it is durable. It must not call the Mirror.
	// nil: nobody does.
	OnDone func(Done)
	// Log receives what OnError hears, and what was merged without a version to compare with; nil discards it.
	Log *slog.Logger
}

// Done is a load or a save that did something.
type Done struct {
	Loaded bool // the document has what the place has; otherwise the place has what the document has
	Bytes  int  // at the place
}

// New is a mirror of the document that h has open and a place. It does nothing until it is told to. h must stay open until Close, and is
// not closed by it. opts may be nil.
func New(h *tombolo.Handle, place Place, opts *Options) (*Mirror, error) {
	if h == nil || place == nil {
		return nil, errors.New("mirror: it takes an open document and a place, for example mirror.File(\"notes.json\")")
	}
	m := &Mirror{h: h, place: place, form: formOf(place.Name()), turn: make(chan struct{}, 1)}
	if opts != nil {
		m.opts = *opts
	}
	if m.opts.Poll == nil {
		m.opts.Poll = Every(time.Second)
	}
	if m.opts.OnDone == nil {
		m.opts.OnDone = func(Done) {}
	}
	if m.opts.Log == nil {
		m.opts.Log = slog.New(slog.DiscardHandler)
	}
	m.opts.Log = m.opts.Log.With("part", "mirror")
	if m.state = m.opts.State; m.state == nil {
		m.state = forgetful{}
		if s, ok := place.(stateful); ok {
			m.state = s.State()
		}
	}
	m.run, m.cancel = context.WithCancel(context.Background())
	return m, nil
}

// Every polls at an interval.
func Every(interval time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		t := time.NewTimer(interval)
		defer t.Stop()
		select {
		case <-t.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Save makes the place show the document as it is on this device's disk. Where somebody else wrote the place since, it loads that first
// while StartAutoLoad is on, and is ErrUnread otherwise.
func (m *Mirror) Save(ctx context.Context) error { return m.inTurn(ctx, m.saveNow) }

// Load merges what somebody else wrote into the place into the document. It returns when that is on this device's disk. It is ErrNotThere
// where there is nothing.
func (m *Mirror) Load(ctx context.Context) error { return m.inTurn(ctx, m.loadNow) }

// inTurn lets a save or a load work alone.
func (m *Mirror) inTurn(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(m.run, func() { cancel(ErrClosed) })()
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-m.turn }()
	if m.run.Err() != nil { // Close may have had its turn before
		return ErrClosed
	}
	if !m.remembers {
		if err := m.remember(ctx); err != nil {
			return err
		}
	}
	err := work(ctx)
	if err != nil && m.run.Err() != nil {
		return ErrClosed
	}
	return err
}

// Close ends the mirror: what it is doing is broken off, or done when Close returns. It does not save: call Save before, where the place
// has to have the last change. The document is not closed. A second Close does nothing.
func (m *Mirror) Close() error {
	m.cancel()
	m.StopAutoSave()
	m.StopAutoLoad()
	m.turn <- struct{}{} // a Save or Load by hand has ended
	<-m.turn
	return nil
}
