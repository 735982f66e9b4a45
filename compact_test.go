package tombolo_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"tombolo"
	"tombolo/persist"
	"tombolo/persist/memstore"
)

// compactable is a store in memory that knows its size, and how to become smaller.
type compactable struct {
	persist.Store
	size    uint64
	sizeErr error
	err     error
	noRoom  error // what Apply gives
	onSize  func()
}

func (s *compactable) Size() (uint64, error) {
	if s.onSize != nil {
		s.onSize()
	}
	return s.size, s.sizeErr
}

func (s *compactable) Compact(_ context.Context, tell func(done, total uint64)) error {
	if s.err != nil {
		return s.err
	}
	tell(1, 2)
	s.size /= 2
	tell(2, 2)
	return nil
}

func (s *compactable) Apply(ctx context.Context, b *persist.Batch) error {
	if s.noRoom != nil {
		return s.noRoom
	}
	return s.Store.Apply(ctx, b)
}

func TestCompact(t *testing.T) {
	store := &compactable{Store: memstore.New(), size: 1000}
	e := open(t, t.TempDir(), tombolo.Options{Offline: true, Store: store})
	large := grown(t, e, "large", 200)
	hash, err := large.Hash()
	must(t, err)
	told := map[string]bool{}
	tell := func(doing string, done, total uint64) { told[fmt.Sprint(doing, " ", done, "/", total)] = true }
	r, err := e.Compact(t.Context(), tell)
	if must(t, err); r != (tombolo.CompactReport{Before: 1000, After: 500, Packed: 1}) {
		t.Errorf("%+v", r)
	}
	if !told["packing documents 1/1"] || !told["giving space back 1/2"] || !told["giving space back 2/2"] {
		t.Errorf("told: %v", told)
	}
	s, err := e.Stats(t.Context(), 0, nil)
	if must(t, err); s.Bytes.Loose != 0 || s.Bytes.Packed == 0 || s.Disk != 500 {
		t.Errorf("afterwards: %+v", s)
	}
	if now, err := large.Hash(); err != nil || now != hash {
		t.Errorf("the document changed: %v", err)
	}
	if r, err = e.Compact(t.Context(), nil); err != nil || r.Packed != 0 {
		t.Errorf("again: %+v, %v", r, err)
	}
}

// Without room on the disk nothing can be packed, and what the store gives back is all the more needed.
func TestCompactWithoutRoom(t *testing.T) {
	store := &compactable{Store: memstore.New(), size: 1000}
	e := open(t, t.TempDir(), tombolo.Options{Offline: true, Store: store})
	grown(t, e, "large", 200)
	store.noRoom = &persist.NoSpaceError{}
	r, err := e.Compact(t.Context(), nil)
	if !errors.Is(err, persist.ErrNoSpace) || r.After != 500 || r.Packed != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	store.noRoom = nil
}

func TestCompactFails(t *testing.T) {
	store := &compactable{Store: memstore.New()}
	e := open(t, t.TempDir(), tombolo.Options{Offline: true, Store: store})
	fire := errors.New("on fire")
	store.err = fire
	if _, err := e.Compact(t.Context(), nil); !errors.Is(err, fire) {
		t.Errorf("the store fails: %v", err)
	}
	store.err, store.sizeErr = nil, fire
	if _, err := e.Compact(t.Context(), nil); !errors.Is(err, fire) {
		t.Errorf("its size fails: %v", err)
	}
	store.sizeErr = nil
	grown(t, e, "large", 200)
	ctx, cancel := context.WithCancel(t.Context())
	store.onSize = cancel
	if r, err := e.Compact(ctx, nil); !errors.Is(err, context.Canceled) || r.Packed != 0 {
		t.Errorf("interrupted: %+v, %v", r, err)
	}
	store.onSize = nil
	must(t, e.Close())
	if _, err := e.Compact(t.Context(), nil); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// A damaged document is left as it is, and does not keep the others from being packed.
func TestCompactPassesDamageOver(t *testing.T) {
	store := memstore.New()
	e := open(t, t.TempDir(), tombolo.Options{Offline: true, Store: store})
	grown(t, e, "one", 200)
	grown(t, e, "two", 200)
	b := &persist.Batch{}
	for entry, err := range store.List(t.Context(), []byte("r")) {
		must(t, err)
		entry.Value[len(entry.Value)-1] ^= 1
		b.Put(entry.Key, entry.Value)
		break
	}
	must(t, store.Apply(t.Context(), b))
	r, err := e.Compact(t.Context(), nil)
	if must(t, err); r.Packed != 1 || r.Skipped != 1 {
		t.Errorf("%+v", r)
	}
}
