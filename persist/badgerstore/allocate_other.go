//go:build !linux

package badgerstore

import "os"

// allocate gives f size bytes of disk.
func allocate(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for ; size > 0; size -= int64(len(zeros)) {
		if _, err := f.Write(zeros); err != nil {
			return err
		}
	}
	return nil
}
