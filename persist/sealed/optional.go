package sealed

import (
	"context"
	"errors"

	"tombolo/persist"
)

// What stores may have beside the methods of persist.Store, persist/badgerstore
// for one. A store that lies around another passes them on.
type (
	checker   interface{ Check(context.Context) error }
	roomer    interface{ Room() error }
	sizer     interface{ Size() (uint64, error) }
	compacter interface {
		Compact(ctx context.Context, tell func(done, total uint64)) error
	}
)

// ErrNoCompact says that the inner store has no way to give space back.
var ErrNoCompact = errors.New("sealed: the store below cannot be made smaller")

// Room says whether the inner store has room for writes: nil, or what it would
// refuse them with (*persist.NoSpaceError). A store that cannot tell has room.
func (s *Store) Room() error {
	if s.closed.Load() {
		return persist.ErrClosed
	}
	if inner, ok := s.inner.(roomer); ok {
		return inner.Room()
	}
	return nil
}

// Size returns the bytes that the inner store takes up on the disk, zero for one
// that cannot tell.
func (s *Store) Size() (uint64, error) {
	if s.closed.Load() {
		return 0, persist.ErrClosed
	}
	if inner, ok := s.inner.(sizer); ok {
		return inner.Size()
	}
	return 0, nil
}

// Compact has the inner store give back the space of what was deleted, and
// calls tell as it does; tell may be nil as far as the inner store allows it.
// ErrNoCompact says that it cannot.
func (s *Store) Compact(ctx context.Context, tell func(done, total uint64)) error {
	if err := s.live(ctx); err != nil {
		return err
	}
	if inner, ok := s.inner.(compacter); ok {
		return inner.Compact(ctx, tell)
	}
	return ErrNoCompact
}
