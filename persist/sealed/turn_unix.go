//go:build unix

package sealed

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// takeTurn waits until no other process alters the keys file at path, and keeps
// them out until Close. The lock is on the file, which whoever had the turn
// before has replaced: then it is the new one's.
func takeTurn(path string) (io.Closer, error) {
	for {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		err = flock(f)
		var held, there os.FileInfo
		if err == nil {
			held, err = f.Stat()
		}
		if err == nil {
			there, err = os.Stat(path)
		}
		if err == nil && os.SameFile(held, there) {
			return f, nil
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
}

func flock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
