package persist

import (
	"errors"
	"fmt"
)

// Sentinels of this package and of every Store. They are compared with
// errors.Is, since most travel up wrapped in what was being done.
var (
	// ErrNotFound says that nothing lies under a key, that a document is not
	// in the log, or that a cache is missing, torn or out of date.
	ErrNotFound = errors.New("persist: not found")
	// ErrClosed comes from every method once Close has begun.
	ErrClosed = errors.New("persist: closed")
	// ErrNoSpace is what a NoSpaceError unwraps to.
	ErrNoSpace = errors.New("persist: not enough free disk space")
	// ErrTooLarge says that a value, batch, change, pack, header or cache is
	// over its limit (MaxValue, MaxBatch, MaxRecord, MaxHeader, MaxCache).
	ErrTooLarge = errors.New("persist: too large")
	// ErrKey says that a key in a batch is empty, over MaxKey or begins with '!'.
	ErrKey = errors.New("persist: a key has 1 to 512 bytes and does not begin with '!'")
	// ErrLocked says that another process, or this one, has the store open.
	ErrLocked = errors.New("persist: the store is open elsewhere; close the other program that uses it")
	// ErrExists comes from Log.Move when the new name is taken.
	ErrExists = errors.New("persist: a document of that name exists")
	// ErrAltered says that a value is not what was written under its key.
	ErrAltered = errors.New("persist: altered on disk, or read with the wrong keys; fetch it from a peer or a backup")
	// ErrSealed says that a store holds sealed records, and that it was opened
	// as if it did not.
	ErrSealed = errors.New("persist: the store is sealed; open it with its keys")
	// ErrForeign says that a store holds data, but not a log's.
	ErrForeign = errors.New("persist: the store holds other data than a document log, or is damaged; choose an empty place, or repair it (peer doctor --repair)")
	// ErrCodec says that a Codec did not give back the bytes it was given, so
	// that packing stopped with nothing changed.
	ErrCodec = errors.New("persist: the codec does not give back the changes it packed; nothing was changed")
	// ErrInvalid says that an Append contradicts itself; see its fields.
	ErrInvalid = errors.New("persist: an append carries changes or one pack with its count, no empty change")
)

// NoSpaceError reports that a write was refused, with nothing written, because
// the file system is nearly full. errors.Is(err, ErrNoSpace) matches it.
type NoSpaceError struct {
	Free uint64 // bytes the file system has left
	Need uint64 // bytes it must have left for the write to go ahead
}

// Error says what is free, what is needed and what to do.
func (e *NoSpaceError) Error() string {
	return fmt.Sprintf("persist: the disk is nearly full: %d MiB free, %d MiB needed; free some disk space, then try again", e.Free>>20, e.Need>>20)
}

// Unwrap returns ErrNoSpace.
func (e *NoSpaceError) Unwrap() error { return ErrNoSpace }

// TooNewError reports data written by a newer program. Nothing was touched.
type TooNewError struct {
	What        string // what was read: "store format", "record codec", "header"
	Have, Known uint64 // its number and the highest this program reads; zero where there is none
}

// Error says what is too new, and to update.
func (e *TooNewError) Error() string {
	return fmt.Sprintf("persist: %s %d is newer than this program knows (%d); update the program", e.What, e.Have, e.Known)
}

// OutOfStepError reports that an append (or a cache) builds on another state
// than the document is in when its turn comes. Nothing was written. It is what
// the appends behind a failed one get: load the document again and redo the edit.
type OutOfStepError struct {
	Name  Name
	After uint64 // the Last the append builds on
	Last  uint64 // the Last of the document, zero when there is none
}

// Error says which numbers differ.
func (e *OutOfStepError) Error() string {
	return fmt.Sprintf("persist: document %x is at change %d, not %d; load it again", e.Name.Doc, e.Last, e.After)
}

// DamagedError reports that bytes the log had acknowledged are missing or
// altered. Whatever can still be read stays where it is.
type DamagedError struct {
	Name Name   // the zero Name for damage outside documents
	Seq  uint64 // sequence number of the first change affected, zero for the header
	What string // what is missing or wrong
}

// Error says what is missing and what heals it.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("persist: document %x is damaged at change %d: %s; fetch it from a peer or a backup", e.Name.Doc, e.Seq, e.What)
}
