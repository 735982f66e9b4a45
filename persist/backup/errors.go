package backup

import (
	"errors"
	"fmt"
)

var (
	// ErrKey says that a passphrase or key does not open an archive.
	ErrKey = errors.New("backup: the passphrase or key does not open it: try another one; or its first bytes are damaged")
	// ErrNotBackup says that a file is something else than a backup.
	ErrNotBackup = errors.New("backup: this is no backup; choose a file that 'backup' wrote")
)

// DamagedError says that an archive was cut off or altered.
type DamagedError struct{ Err error }

// Error says how it was noticed.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("backup: it is damaged or cut off: %v; use another copy of it, or an older backup", e.Err)
}

// Unwrap gives how it was noticed.
func (e *DamagedError) Unwrap() error { return e.Err }
