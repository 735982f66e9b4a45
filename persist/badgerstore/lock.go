package badgerstore

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"tombolo/persist"
)

// lockName is the file that tells who has the store. Badger gives it the same
// name; what locks is the directory itself.
const lockName = "LOCK"

// LockedError reports that another process, or this one, has the store open.
// errors.Is(err, persist.ErrLocked) matches it.
type LockedError struct {
	Dir string
	PID int // of the owner; 0 when it has not said so yet
}

// Error names the owner, and says to close it.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("badgerstore: %s is open in another program; close that one first", e.Dir)
	}
	return fmt.Sprintf("badgerstore: %s is open in process %d; close that one first", e.Dir, e.PID)
}

// Unwrap returns persist.ErrLocked.
func (e *LockedError) Unwrap() error { return persist.ErrLocked }

// writeOwner says in dir that this process has it. A leftover of a process that
// was killed is overwritten; it means nothing without the lock.
func writeOwner(dir string) error {
	return os.WriteFile(filepath.Join(dir, lockName), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600)
}

// owner returns the process ID in dir, 0 when there is none.
func owner(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, lockName))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}

// removeOwner takes back what writeOwner said.
func removeOwner(dir string) error { return ignoreGone(os.Remove(filepath.Join(dir, lockName))) }
