package tombolo

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// placeOf is what a copy of a file does not share with it: its number, and the time it was made, which no program can choose. nil where the file
// system keeps no such time, since numbers alone are given out again. The device's number is left out: some systems give another one at every start.
// So a snapshot of a whole file system is not told from it, except on another machine.
func placeOf(path string) ([]byte, error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		return nil, fmt.Errorf("look at %s: %w", path, err)
	}
	if st.Mask&unix.STATX_BTIME == 0 || st.Mask&unix.STATX_INO == 0 {
		return nil, nil
	}
	b := binary.BigEndian.AppendUint64(nil, st.Ino)
	b = binary.BigEndian.AppendUint64(b, uint64(st.Btime.Sec))
	return binary.BigEndian.AppendUint32(b, st.Btime.Nsec), nil
}
