package schema

import (
	"errors"
	"fmt"
)

var (
	// ErrNewerWriter says that a document may only be written by newer versions; see [VersionError].
	ErrNewerWriter = errors.New("the document was changed by a newer version of this program in a way that this one would damage")
	// ErrForked says that a version exists in two definitions; see [ForkedError].
	ErrForked = errors.New("the document was written with another definition of the same schema version")
	// ErrNotOurs says that a document belongs to another application or kind.
	ErrNotOurs = errors.New("the document belongs to another application, or has no beginning")
	// ErrInvalid says that stored values do not fit, see [InvalidError].
	ErrInvalid = errors.New("a stored value does not fit")
	// ErrStep says that a function of a step failed, see [StepError].
	ErrStep = errors.New("a step between versions failed")
)

// VersionError says that a document is read-only for this version. It is read and passed on as before.
type VersionError struct {
	Have, Need int // this program's version, and the least that may write
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%v: this is version %d, writing needs version %d; update this program", ErrNewerWriter, e.Have, e.Need)
}

// Unwrap gives [ErrNewerWriter].
func (e *VersionError) Unwrap() error { return ErrNewerWriter }

// ForkedError says that a document was written with a definition of a version that is not this program's. It is read-only here, and passed on
// as before.
type ForkedError struct {
	Version      int    // the first one that differs
	Theirs, Ours string // fingerprints in hex
}

func (e *ForkedError) Error() string {
	return fmt.Sprintf("%v: version %d is %s there and %s here; a released version must not be changed, so give the change a version of its own",
		ErrForked, e.Version, e.Theirs, e.Ours)
}

// Unwrap gives [ErrForked].
func (e *ForkedError) Unwrap() error { return ErrForked }

// StepError says which function of which step failed, and where.
type StepError struct {
	Version int
	Step    string // such as `Map("", "done", "status")`
	Func    string // "Up" or "Down"
	Path    string // of the object in the view; a JSON Pointer
	Err     error  // what it returned, or its panic
}

func (e *StepError) Error() string {
	return fmt.Sprintf("%v: %s of %s in version %d, at %q: %v; nothing was written", ErrStep, e.Func, e.Step, e.Version, e.Path, e.Err)
}

// Unwrap gives [ErrStep] and what the function returned.
func (e *StepError) Unwrap() []error { return []error{ErrStep, e.Err} }

// FieldError is a stored value that does not fit its field. It stays stored.
type FieldError struct {
	Path string // in the view, a JSON Pointer
	Raw  any    // what is stored, in Go form
	Err  error  // why it does not fit
}

func (e FieldError) Error() string {
	return fmt.Sprintf("%s: %v (stored: %v)", e.Path, e.Err, e.Raw)
}

// Unwrap gives why the value does not fit.
func (e FieldError) Unwrap() error { return e.Err }

// InvalidError says that a document cannot be read, since a field with [FailRead] has a value that does not fit.
type InvalidError struct{ Fields []FieldError }

func (e *InvalidError) Error() string {
	return fmt.Sprintf("%v: %v; the value is kept: set another one where the field is stored (View.Path), or by a version that knows it", ErrInvalid, e.Fields[0])
}

// Unwrap gives [ErrInvalid].
func (e *InvalidError) Unwrap() error { return ErrInvalid }

// Report is what reading found besides the value.
type Report struct {
	Invalid []FieldError // values that do not fit: they stay stored, see [Policy]
	// Stale says that a newer version took a step without a way back: what it writes does not show in fields of this version.
	Stale bool
}
