package doc

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"tombolo/doc/gate"
)

// ErrNotSame reports a function given to [Init] that does not write the same every time.
var ErrNotSame = errors.New("what a document begins with must be the same on every device: it has random values, or the time of now; take them out, or write them in a later change")

// Init gives the changes of a new document that begins with what fn writes: the genesis, containers at fixed paths, and one change that follows from app, id
// and what is written. Devices that run the same fn apart make the same changes, so that together they have each item once; another fn makes
// another change beside it, and nothing is lost. The change says no time, no message and no author.
//
// fn runs three times. What it writes otherwise the second time is [ErrNotSame], and so is a time within a minute of now. A whole number that stands for
// the time, or anything else that is the same in all runs and not on all devices, cannot be told.
func Init(id ID, app string, now time.Time, fn func(*Tx) error) ([][]byte, error) {
	draft := digest("tombolo init draft 1", []byte(app), id[:])
	first, value, err := initBy(draft[:16], id, app, fn)
	if err != nil {
		return nil, err
	}
	again, _, err := initBy(draft[:16], id, app, fn)
	if err != nil {
		return nil, err
	}
	if len(first) == 0 && len(again) == 0 {
		return [][]byte{Genesis(id, app)}, nil
	}
	if !slices.EqualFunc(first, again, func(a, b gate.Change) bool { return a.Hash == b.Hash }) || saysNow(value, now) {
		return nil, ErrNotSame
	}
	last := first[len(first)-1]
	if !bytes.Equal(last.Actor, draft[:16]) {
		return initial(id, app, first), nil // containers alone
	}
	// IDs of new records follow from the actor, and the actor from what is written: so the records of two versions of the program differ, too.
	actor := digest("tombolo init 1", []byte(app), id[:], last.Hash[:])
	final, _, err := initBy(actor[:16], id, app, fn)
	if err != nil {
		return nil, err
	}
	if len(final) != len(first) || final[len(final)-1].Ops != last.Ops {
		return nil, ErrNotSame
	}
	return initial(id, app, final), nil
}

// initBy runs fn on a document that has its genesis alone, for an actor. It gives the value too.
func initBy(actor []byte, id ID, app string, fn func(*Tx) error) ([]gate.Change, any, error) {
	d, err := New(id, bytes.NewReader(actor))
	if err != nil {
		return nil, nil, err
	}
	defer d.Close()
	if _, err := d.Apply(Genesis(id, app)); err != nil {
		return nil, nil, err
	}
	edited, err := d.Edit(Note{}, fn)
	if err != nil {
		return nil, nil, fmt.Errorf("write what a document begins with: %w", err)
	}
	v, err := d.Get("")
	return edited.Changes, v, err
}

// saysNow reports whether a value has a time within a minute of now.
func saysNow(v any, now time.Time) bool {
	switch v := v.(type) {
	case time.Time:
		return now.Sub(v).Abs() < time.Minute
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return saysNow(e, now) })
	case map[string]any:
		for _, e := range v {
			if saysNow(e, now) {
				return true
			}
		}
	}
	return false
}

func initial(id ID, app string, changes []gate.Change) [][]byte {
	out := [][]byte{Genesis(id, app)}
	for _, c := range changes {
		out = append(out, c.Raw)
	}
	return out
}
