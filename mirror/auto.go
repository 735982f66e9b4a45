package mirror

import (
	"context"
	"errors"
	"iter"
	"sync"

	"tombolo/doc"
)

// auto is StartAutoSave or StartAutoLoad at work.
type auto struct {
	ctx    context.Context // ends with Stop
	cancel context.CancelFunc
	done   chan struct{} // closed when it has stopped
	told   string        // the error that was told last
}

// StartAutoSave saves at once, and from then on whenever the document changes or the place was seen to have changed (a removed file is
// written again), until StopAutoSave or Close. ctx covers the first save, whose error it gives. It goes on after errors: what did not work
// is tried again at the next change, and at each Poll.
func (m *Mirror) StartAutoSave(ctx context.Context) error {
	return m.start(ctx, &m.save, m.saveNow, m.saveNow, m.changes, m.looks)
}

// StartAutoLoad loads at once, and from then on whenever the place was seen to have changed, until StopAutoLoad or Close. Where the place
// has nothing at first and the document is empty, the document becomes initial, a map or struct, unless that is nil. ctx covers the first
// load, whose error it gives; it goes on after errors as StartAutoSave does.
func (m *Mirror) StartAutoLoad(ctx context.Context, initial any) error {
	again := func(ctx context.Context) error {
		if err := m.loadNow(ctx); !errors.Is(err, ErrNotThere) {
			return err
		}
		return nil
	}
	first := func(ctx context.Context) error {
		err := m.loadNow(ctx)
		if !errors.Is(err, ErrNotThere) {
			return err
		}
		return m.begin(ctx, initial)
	}
	return m.start(ctx, &m.load, first, again, m.looks)
}

// begin gives an empty document its first value.
func (m *Mirror) begin(ctx context.Context, initial any) error {
	if initial == nil {
		return nil
	}
	return m.h.Change(ctx, "mirror: initial value", func(tx *doc.Tx) error {
		have, err := tx.Get("")
		if v, ok := have.(map[string]any); err != nil || !ok || len(v) > 0 {
			return err
		}
		return tx.Put(initial)
	})
}

// StopAutoSave ends StartAutoSave: a save at work is broken off, or done when it returns.
func (m *Mirror) StopAutoSave() { m.stop(&m.save) }

// StopAutoLoad ends StartAutoLoad: a load at work is broken off, or done when it returns.
func (m *Mirror) StopAutoLoad() { m.stop(&m.load) }

// loads says whether StartAutoLoad is on.
func (m *Mirror) loads() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.load != nil
}

// start runs first, and again at each piece of news. Where it was started already, it only runs first.
func (m *Mirror) start(ctx context.Context, at **auto, first, again func(context.Context) error, sources ...func(context.Context) iter.Seq[struct{}]) error {
	m.mu.Lock()
	if m.run.Err() != nil {
		m.mu.Unlock()
		return ErrClosed
	}
	if *at != nil {
		m.mu.Unlock()
		return m.inTurn(ctx, first)
	}
	a := &auto{done: make(chan struct{})}
	a.ctx, a.cancel = context.WithCancel(m.run)
	*at = a
	m.mu.Unlock()

	var news []iter.Seq[struct{}] // listened to from before the first run, so that nothing is missed
	for _, source := range sources {
		news = append(news, source(a.ctx))
	}
	err := m.inTurn(ctx, first)
	if err != nil {
		a.told = err.Error()
	}
	go m.keepAt(a, again, news)
	return err
}

func (m *Mirror) stop(at **auto) {
	m.mu.Lock()
	a := *at
	*at = nil
	m.mu.Unlock()
	if a != nil {
		a.cancel()
		<-a.done
	}
}

// keepAt works at each piece of news. What comes while it works is one more piece.
func (m *Mirror) keepAt(a *auto, work func(context.Context) error, news []iter.Seq[struct{}]) {
	defer close(a.done)
	wake := make(chan struct{}, 1)
	var ended sync.WaitGroup
	defer ended.Wait()
	for _, source := range news {
		ended.Go(func() {
			for range source {
				select {
				case wake <- struct{}{}:
				default:
				}
			}
		})
	}
	for {
		select {
		case <-a.ctx.Done():
			return
		case <-wake:
			m.tell(a, m.inTurn(a.ctx, work))
		}
	}
}

// tell reports an error once.
func (m *Mirror) tell(a *auto, err error) {
	if err == nil {
		a.told = ""
		return
	}
	if a.ctx.Err() != nil || err.Error() == a.told {
		return
	}
	a.told = err.Error()
	m.opts.Log.Warn("a mirror does not work; it goes on trying", "doc", m.h.URL().Doc.Short(), "err", err)
	if m.opts.OnError != nil {
		m.opts.OnError(err)
	}
}

// changes are those of the document.
func (m *Mirror) changes(ctx context.Context) iter.Seq[struct{}] {
	events := m.h.Watch(ctx)
	return func(yield func(struct{}) bool) {
		for range events {
			if !yield(struct{}{}) {
				return
			}
		}
	}
}

// looks are the moments at which the place may have changed.
func (m *Mirror) looks(ctx context.Context) iter.Seq[struct{}] {
	if news := m.place.Watch(ctx); news != nil {
		return news
	}
	return func(yield func(struct{}) bool) {
		for m.opts.Poll(ctx) == nil && yield(struct{}{}) {
		}
	}
}
