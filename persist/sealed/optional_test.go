package sealed_test

import (
	"context"
	"errors"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
	"tombolo/persist/sealed"
)

// roomy is a store that knows its room and can be made smaller.
type roomy struct {
	persist.Store
	full error
}

func (r roomy) Room() error { return r.full }

func (r roomy) Compact(_ context.Context, tell func(done, total uint64)) error {
	tell(1, 2)
	return r.full
}

func TestWhatTheInnerStoreCan(t *testing.T) {
	full := errors.New("full")
	told := uint64(0)
	tell := func(done, total uint64) { told += done + total }

	s := sealed.New(memstore.New(), newKeys(t))
	wantNothing(t, s.Room())
	wantErr(t, s.Compact(ctx, tell), sealed.ErrNoCompact)

	s = sealed.New(roomy{memstore.New(), full}, newKeys(t))
	wantErr(t, s.Room(), full)
	wantErr(t, s.Compact(ctx, tell), full)
	if told != 3 {
		t.Fatalf("told %d, want 1 of 2", told)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	wantErr(t, s.Compact(over, tell), context.Canceled)
	wantNothing(t, s.Close())
	wantErr(t, s.Room(), persist.ErrClosed)
	wantErr(t, s.Compact(ctx, tell), persist.ErrClosed)
}
