package badgerstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"tombolo/persist"
)

// A full disk kills a process that uses Badger (SIGBUS from a write to mapped
// memory), and kills it again at the next start. So a write is refused while
// there is still room, and a ballast file is given up to open a store on a
// disk that others have filled.
const (
	// headroom is what must stay free; below it, 200 MB file systems filled to
	// 64 MiB were seen at 24 MB free when Badger compacted at its close.
	headroom = 64 << 20
	// headroomShare of the store's size is added, because compaction writes
	// new tables before it deletes the old ones.
	headroomShare = 8
	// openRoom is what opening takes: two memtables, and the tables they become.
	openRoom = 32 << 20
	// ballastSize makes openRoom on a disk without a free byte.
	ballastSize = openRoom
	ballastName = "ballast"
	// remeasure is after how many bytes written the size is measured again.
	remeasure = 4 << 20
)

// guard decides whether a write may go ahead.
type guard struct {
	dir  string
	free func() (uint64, error)

	mu      sync.Mutex
	size    uint64 // bytes of the tables when last measured
	written int    // bytes since then
}

// admit returns a persist.NoSpaceError when n more bytes would leave too little.
func (g *guard) admit(n int) error {
	free, err := g.free()
	if err != nil {
		return fmt.Errorf("ask for free disk space: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.written -= n; g.written < 0 {
		g.written = remeasure
		if g.size, err = tableBytes(g.dir); err != nil {
			return fmt.Errorf("measure the store: %w", err)
		}
	}
	if need := headroom + g.size/headroomShare + uint64(n); free < need {
		return &persist.NoSpaceError{Free: free, Need: need}
	}
	return nil
}

// makeRoom sees to it that opening does not run into a full disk.
func (g *guard) makeRoom() error {
	free, err := g.free()
	if err != nil {
		return fmt.Errorf("ask for free disk space: %w", err)
	}
	if free >= openRoom {
		return nil
	}
	if err := os.Remove(filepath.Join(g.dir, ballastName)); err == nil {
		if free, err = g.free(); err != nil {
			return fmt.Errorf("ask for free disk space: %w", err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if free < openRoom {
		return &persist.NoSpaceError{Free: free, Need: openRoom}
	}
	return nil
}

// takeBallast lays the ballast file down when it is missing or of another size,
// and there is plenty.
func (g *guard) takeBallast() error {
	path := filepath.Join(g.dir, ballastName)
	if info, err := os.Stat(path); err == nil {
		if info.Size() == ballastSize {
			return nil
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	if g.admit(ballastSize) != nil {
		return nil // a disk this full needs what is left for the data
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(allocate(f, ballastSize), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// tableBytes returns the size of the tables in dir.
func tableBytes(dir string) (uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	var sum uint64
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".sst") {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // compacted away since the directory was read
		}
		if err != nil {
			return 0, err
		}
		sum += uint64(info.Size())
	}
	return sum, nil
}
