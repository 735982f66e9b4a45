package mirror

import (
	"context"
	"errors"
	"slices"
)

// foreign is what somebody else wrote into the place.
type foreign struct {
	data     []byte
	tag, sum string
}

// look gives what somebody else wrote into the place, nil if it has what was mirrored last.
func (m *Mirror) look(ctx context.Context) (*foreign, error) {
	data, tag, err := m.place.Read(ctx, m.tag)
	if errors.Is(err, ErrUnchanged) && m.tag != "" {
		return nil, m.bad
	}
	m.tag, m.bad = "", nil
	if err != nil {
		return nil, err
	}
	theirs := &foreign{data, tag, sumOf(data)}
	if next := m.known.Next; next != nil && next.Sum == theirs.sum { // a save got so far and no further
		if err := m.keep(ctx, next, nil); err != nil {
			return nil, err
		}
	}
	if last := m.known.Last; last != nil && last.Sum == theirs.sum {
		m.tag = tag
		return nil, nil
	}
	return theirs, nil
}

func (m *Mirror) loadNow(ctx context.Context) error {
	theirs, err := m.look(ctx)
	if err != nil || theirs == nil {
		return err
	}
	return m.take(ctx, theirs)
}

// take merges what somebody else wrote, and remembers which version it made.
func (m *Mirror) take(ctx context.Context, theirs *foreign) error {
	heads, err := m.form.take(ctx, m, theirs)
	if bad, ok := errors.AsType[*BadError](err); ok {
		m.tag, m.bad = theirs.tag, bad // there is no use in reading it again
		return err
	}
	if err != nil {
		m.merged = false
		return err
	}
	if err := m.keep(ctx, &mirrored{theirs.sum, heads}, nil); err != nil {
		return err
	}
	m.tag, m.merged = theirs.tag, true
	m.opts.OnDone(Done{Loaded: true, Bytes: len(theirs.data)})
	return nil
}

// attempts is how often a save looks again because somebody else wrote between its look and its write.
const attempts = 3

func (m *Mirror) saveNow(ctx context.Context) (err error) {
	for range attempts {
		if err = m.saveOnce(ctx); !errors.Is(err, ErrChanged) {
			return err
		}
		m.tag = ""
	}
	return err
}

func (m *Mirror) saveOnce(ctx context.Context) error {
	theirs, err := m.look(ctx)
	there := !errors.Is(err, ErrNotThere)
	if err != nil && there {
		return err
	}
	if theirs != nil && m.loads() {
		if err := m.take(ctx, theirs); err != nil {
			return err
		}
		theirs = nil
	}
	last := m.known.Last
	if there && theirs == nil && last != nil && slices.Equal(last.Heads, m.h.Heads()) {
		return nil
	}
	data, heads, err := m.form.give(ctx, m.h)
	if err != nil {
		return err
	}
	now := &mirrored{sumOf(data), heads}
	switch {
	case theirs != nil && theirs.sum != now.Sum:
		return ErrUnread
	case theirs != nil:
		m.tag = theirs.tag
		return m.keep(ctx, now, nil)
	case there && last != nil && last.Sum == now.Sum: // the version changed and the value did not
		return m.keep(ctx, now, nil)
	}
	if err := m.keep(ctx, last, now); err != nil {
		return err
	}
	tag, err := m.place.Write(ctx, data, m.tag)
	if err != nil {
		return err
	}
	m.tag = tag
	if err := m.keep(ctx, now, nil); err != nil {
		return err
	}
	m.opts.OnDone(Done{Bytes: len(data)})
	return nil
}
