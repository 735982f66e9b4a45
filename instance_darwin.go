package tombolo

import (
	"encoding/binary"
	"os"
	"syscall"
)

// placeOf is what a copy of a file does not share with it: its number, and the time it was made.
func placeOf(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, nil
	}
	b := binary.BigEndian.AppendUint64(nil, st.Ino)
	b = binary.BigEndian.AppendUint64(b, uint64(st.Birthtimespec.Sec))
	return binary.BigEndian.AppendUint32(b, uint32(st.Birthtimespec.Nsec)), nil
}
