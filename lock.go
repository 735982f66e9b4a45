package tombolo

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// dirLock is an engine's hold on its directory: a file with its process ID, locked as long as the process lives.
type dirLock struct{ f *os.File }

// lockDir takes hold of dir, or says who has it.
func lockDir(dir string) (*dirLock, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
		return nil, inUse(f, dir)
	}
	if err := errors.Join(f.Truncate(0), write(f, strconv.Itoa(os.Getpid())+"\n")); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), f.Close())
	}
	return &dirLock{f}, nil
}

// inUse is the error about a directory whose lock file another process has locked.
func inUse(f *os.File, dir string) error {
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return fmt.Errorf("read who has %s: %w", dir, err)
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text))) // 0: the owner has not written it yet
	return &InUseError{Dir: dir, PID: pid}
}

func write(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

// Close lets go of the directory. The file stays: removing it could take another process's lock away.
func (l *dirLock) Close() error { return l.f.Close() }
