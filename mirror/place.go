package mirror

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Place is where a document is mirrored to: a value of bytes that is read and written as a whole. A Mirror makes one call at a
// time, beside Watch; the places of this package take several.
type Place interface {
	// Name is what messages and the document's history call the place. It says nothing secret. A name that ends in .automerge asks for that
	// format.
	Name() string
	// Read gives what is there and a tag that names it: the tag of other bytes is another one. known is the tag of what was seen last, or
	// empty; it is ErrUnchanged if that is still there. It is ErrNotThere if there is nothing.
	Read(ctx context.Context, known string) (data []byte, tag string, err error)
	// Write puts data there if the place still has what tag names, or nothing where tag is empty, and ErrChanged otherwise. It does all of
	// it or nothing, as far as the place can. It gives the new tag, empty if it is not known. After another error the data may be there or
	// not.
	Write(ctx context.Context, data []byte, tag string) (newTag string, err error)
	// Watch yields whenever something may have changed since the call, until ctx ends. It is nil for a place that has to be polled.
	Watch(ctx context.Context) iter.Seq[struct{}]
}

var (
	// ErrNotThere is of a place that has nothing.
	ErrNotThere = errors.New("mirror: there is nothing at the place; save first")
	// ErrUnchanged is of a place that has what was seen last.
	ErrUnchanged = errors.New("mirror: the place is unchanged")
	// ErrChanged is of a place that somebody else writes at the same time.
	ErrChanged = errors.New("mirror: somebody else wrote the place meanwhile; try again")
	// ErrUnread is returned by Save when the place has what was never loaded.
	ErrUnread = errors.New("mirror: somebody else wrote the place, and saving would overwrite that; load first, or have StartAutoLoad do it")
	// ErrClosed is returned by every method once Close was called.
	ErrClosed = errors.New("mirror: closed")
)

// BadError reports that what a place has cannot be the document. It is neither loaded nor overwritten.
type BadError struct {
	Place string // its name
	Err   error  // what is wrong with it
}

// Error says what is wrong and what helps.
func (e *BadError) Error() string {
	return fmt.Sprintf("mirror: what is in %s is no document, and is left alone: %v; correct it, or remove it to have it written again", e.Place, e.Err)
}

// Unwrap gives what is wrong.
func (e *BadError) Unwrap() error { return e.Err }

// MaxBytes bounds what a File or a URL gives.
const MaxBytes = 64 << 20

var errTooLarge = fmt.Errorf("more than %d MiB; mirror a smaller document", MaxBytes>>20)
