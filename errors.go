package tombolo

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed is returned by every method of an Engine or Handle once its Close has begun.
	ErrClosed = errors.New("tombolo: closed")
	// ErrNotFound reports a document that this device does not have. Another device may have it.
	ErrNotFound = errors.New("no such document on this device")
	// ErrReadOnly reports a write to a space in which this device is only a reader.
	ErrReadOnly = errors.New("this device may only read in this space; ask its owner for a writer's invitation")
	// ErrOffline reports that something needs the network and [Options].Offline was set.
	ErrOffline = errors.New("this device is open without a network")
)

// InUseError reports a directory that another process has open.
type InUseError struct {
	Dir string
	PID int // of the owner; 0 if it could not be read
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("%s is in use by process %d; stop that process, or choose another directory", e.Dir, e.PID)
}
