package sealed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/fxamacker/cbor/v2"

	"tombolo/persist"
)

// FileName is the name of the file with the locked data key.
const FileName = "keys"

const (
	fileVersion = 1
	fileHead    = 5        // version byte, then the CRC-32C of it and the body, big-endian
	maxFile     = 64 << 10 // bytes
	maxSlots    = 64
)

// ErrKeysFile says that the keys file does not read.
var ErrKeysFile = errors.New("sealed: the keys file is damaged; put a copy from a backup in its place (an older one does: the data key never changes)")

// fileRecord is the body of the keys file: CBOR in the core deterministic
// encoding of RFC 8949.
type fileRecord struct {
	ID    []byte       `cbor:"1,keyasint"` // 16 bytes that follow from the data key
	Next  uint64       `cbor:"2,keyasint"` // the number of the next slot
	Slots []slotRecord `cbor:"3,keyasint"`
}

// slotRecord is the data key under one secret.
type slotRecord struct {
	Num     uint64 `cbor:"1,keyasint"`
	Kind    Kind   `cbor:"2,keyasint"`
	Salt    []byte `cbor:"3,keyasint"`
	Passes  uint32 `cbor:"4,keyasint,omitempty"` // of Argon2id, as the next two
	Memory  uint32 `cbor:"5,keyasint,omitempty"` // KiB
	Threads uint8  `cbor:"6,keyasint,omitempty"`
	Locked  []byte `cbor:"7,keyasint,omitempty"` // nonce 24, then the data key in XChaCha20-Poly1305
}

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	enc, _     = cbor.CoreDetEncOptions().EncMode() // the options are constant: no error
	dec, _     = cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	}.DecMode()
)

func (f *fileRecord) encode() ([]byte, error) {
	body, err := enc.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("sealed: encode the keys file: %w", err)
	}
	data := append(make([]byte, fileHead, fileHead+len(body)), body...)
	data[0] = fileVersion
	binary.BigEndian.PutUint32(data[1:], fileSum(data))
	return data, nil
}

// decodeFile reads a keys file. Errors: ErrKeysFile, *persist.TooNewError.
func decodeFile(data []byte) (*fileRecord, error) {
	if len(data) < fileHead || len(data) > maxFile || binary.BigEndian.Uint32(data[1:]) != fileSum(data) {
		return nil, ErrKeysFile
	}
	if data[0] != fileVersion {
		return nil, &persist.TooNewError{What: "keys file", Have: uint64(data[0]), Known: fileVersion}
	}
	f := &fileRecord{}
	if err := dec.Unmarshal(data[fileHead:], f); err != nil {
		if unknown, ok := errors.AsType[*cbor.UnknownFieldError](err); ok {
			return nil, &persist.TooNewError{What: "keys file field", Have: uint64(unknown.Index)}
		}
		return nil, fmt.Errorf("%w: %w", ErrKeysFile, err)
	}
	if len(f.ID) != idSize || len(f.Slots) == 0 || len(f.Slots) > maxSlots {
		return nil, ErrKeysFile
	}
	return f, nil
}

// fileSum is the CRC-32C of a file without the sum itself.
func fileSum(data []byte) uint32 {
	return crc32.Update(crc32.Checksum(data[:1], castagnoli), castagnoli, data[fileHead:])
}

func readFile(path string) (*fileRecord, []byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, nil, err
	}
	r, err := decodeFile(data)
	return r, data, err
}

// writeOnce puts data at path, durably, unless something is there. Linking,
// unlike renaming, fails when the name is taken.
func writeOnce(path string, data []byte) error {
	return writeFile(path, data, os.Link)
}

// replace puts data at path, durably: there is the old file or the new one.
func replace(path string, data []byte) error {
	return writeFile(path, data, os.Rename)
}

// writeFile writes a file with mode 0600 beside path and has place put it there.
func writeFile(path string, data []byte, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after a rename there is none
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// create writes a new file with mode 0600 in its own place: key files go to USB
// sticks too, whose file systems know no links. Half of one is noticed by its
// size.
func create(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes what was done to the names in dir durable.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // a directory cannot be synced there
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
