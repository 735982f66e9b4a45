package tombolo

import (
	"errors"
	"sync/atomic"

	"tombolo/persist"
)

// A disk that is nearly full is not written to: the store refuses what would leave too little to survive with, and everything that was
// acknowledged stays readable. From then on edits are refused before they are made, until there is room again. The status, and the sweep, find out
// before anybody tries.

// StoreStatus says whether this device's store takes changes.
type StoreStatus struct {
	State string `json:"state"`          // "ready", or "read-only" while the disk is nearly full
	Free  uint64 `json:"free,omitempty"` // bytes that are free, while read-only
	Need  uint64 `json:"need,omitempty"` // bytes that must be, while read-only
}

// States of a store and of a document.
const (
	StateReady       = "ready"
	StateLoading     = "loading"     // it is being read; its last value may be there already
	StateReadOnly    = "read-only"   // no edits: the disk is nearly full, this device is a reader, or this program must not write to it
	StateQuarantined = "quarantined" // a part does not read on this device's disk, see [DamagedError]
)

// disk is whether the store refused a write for want of room.
type disk struct{ full atomic.Bool }

// roomy is a store that knows whether it has room: nil, or a *persist.NoSpaceError.
type roomy interface{ Room() error }

// lookForRoom asks the store whether it would take a write, which nobody may have tried yet.
func (e *Engine) lookForRoom() error {
	if store, can := e.store.(roomy); can {
		e.refused(store.Room())
	}
	return e.room()
}

// room is nil unless the store was found without room, and still is. It costs nothing while there is room.
func (e *Engine) room() error {
	if !e.disk.full.Load() {
		return nil
	}
	err := e.store.(roomy).Room()
	if err != nil {
		return err
	}
	if e.disk.full.CompareAndSwap(true, false) {
		e.opts.Log.Info("there is room on the disk again; changes are taken")
		e.news()
	}
	return nil
}

// refused looks whether a write failed, or would, for want of room.
func (e *Engine) refused(err error) {
	if _, can := e.store.(roomy); !can || !errors.Is(err, persist.ErrNoSpace) {
		return
	}
	if e.disk.full.CompareAndSwap(false, true) {
		e.opts.Log.Error("the disk is nearly full: documents can be read, and take no changes until there is room", "err", err)
		e.news()
	}
}

// news wakes everyone who waits for [Engine.News].
func (e *Engine) news() {
	e.core.mu.Lock()
	defer e.core.mu.Unlock()
	e.core.tell()
}

func (e *Engine) storeStatus() StoreStatus {
	err := e.lookForRoom()
	if err == nil {
		return StoreStatus{State: StateReady}
	}
	s := StoreStatus{State: StateReadOnly}
	if short, ok := errors.AsType[*persist.NoSpaceError](err); ok {
		s.Free, s.Need = short.Free, short.Need
	}
	return s
}
