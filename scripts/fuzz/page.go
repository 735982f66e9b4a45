package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// page is memory that a child shares with its parent, so that what it counted and where it was survives its death.
type page struct {
	announced atomic.Uint64 // 1 + the case being run; 0 while the child prepares
	atCore    atomic.Uint64 // 1 while bytes of this case are in the core
	peak      atomic.Uint64 // bytes of memory at the most

	inputs   atomic.Uint64
	controls atomic.Uint64 // of them honest
	admitted atomic.Uint64 // cases, besides the controls, of which the gate let something pass
	bombs    atomic.Uint64
	slowest  atomic.Uint64    // nanoseconds that the gate took for one input at the most
	found    [6]atomic.Uint64 // by place in kinds
}

// kinds are all kinds of findings, in the order of the summary.
var kinds = [6]string{aborted, hung, unloadable, refused, unapplied, differs}

func kindNumber(kind string) int {
	for i, k := range kinds {
		if k == kind {
			return i
		}
	}
	return len(kinds) - 1
}

const pageSize = 4096

// newPage makes the file that the memory belongs to; it has no name.
func newPage() (*page, *os.File, error) {
	f, err := os.CreateTemp("", "tombolo-fuzz")
	if err != nil {
		return nil, nil, fmt.Errorf("make the page shared with a child: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, nil, fmt.Errorf("take the name off the page shared with a child: %w", err)
	}
	if err := f.Truncate(pageSize); err != nil {
		return nil, nil, fmt.Errorf("size the page shared with a child: %w", err)
	}
	p, err := mapPage(f)
	return p, f, err
}

func mapPage(f *os.File) (*page, error) {
	b, err := syscall.Mmap(int(f.Fd()), 0, pageSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the page shared between parent and child: %w", err)
	}
	return (*page)(unsafe.Pointer(&b[0])), nil
}
