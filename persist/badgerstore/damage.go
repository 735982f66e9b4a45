package badgerstore

import (
	"fmt"
	"path/filepath"
	"strings"
)

// DamagedError reports a directory that Badger would open with data missing,
// deleting what it no longer knows, or that would end the process. Nothing in
// it was changed.
type DamagedError struct {
	Dir  string
	File string // the name of the damaged or missing file
	What string // what is wrong with it
}

// Error says what is wrong and what to do.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("badgerstore: %s is damaged: %s: %s; copy the directory, then repair it (peer doctor --repair), restore a backup, or start an empty store and let peers fill it",
		e.Dir, e.File, e.What)
}

// ShortenedError reports that a store was opened although a part of what it had
// acknowledged is missing. All that reads is there.
type ShortenedError struct {
	Dir  string
	Lost uint64   // acknowledged commits (Apply) that are missing as a whole; 0: none, or not known
	What []string // what is damaged: file, and in words
	Kept []string // copies of the damaged files, as they were found
}

// Error says what is missing, where the damaged files are, and what gives the
// data back.
func (e *ShortenedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "badgerstore: %s is not as it was left", e.Dir)
	if e.Lost > 0 {
		fmt.Fprintf(&b, ": %d acknowledged commits are missing", e.Lost)
	}
	if len(e.What) > 0 {
		fmt.Fprintf(&b, ": %s", strings.Join(e.What, ", "))
	}
	if len(e.Kept) > 0 {
		fmt.Fprintf(&b, "; the damaged files are kept in %s", filepath.Join(e.Dir, damagedName))
	}
	b.WriteString("; synchronise with your other devices, which give back what they have, or restore a backup")
	return b.String()
}
