package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tombolo/persist"
)

// CopyName is the name of the second copy of the keys file. A single flipped bit
// in the only one would lose all data. The copy serves where the file itself is
// missing or does not read; both hold the same bytes.
const CopyName = "keys.copy"

// load reads the keys file in dir, or else its copy. problem says what is wrong
// with the two where one of them serves. The error is that of the file.
func load(dir string) (f *fileRecord, problem, err error) {
	path := filepath.Join(dir, FileName)
	f, raw, err := openFile(path)
	if _, newer := errors.AsType[*persist.TooNewError](err); newer {
		return nil, nil, err
	}
	if err != nil {
		f, _, cerr := openFile(filepath.Join(dir, CopyName))
		if cerr != nil {
			return nil, nil, err
		}
		return f, fmt.Errorf("sealed: %s serves for %s, which does not read: %w", CopyName, FileName, err), nil
	}
	switch have, err := os.ReadFile(filepath.Join(dir, CopyName)); {
	case err != nil:
		problem = fmt.Errorf("sealed: there is no second copy of the keys file: %w", err)
	case !bytes.Equal(have, raw):
		problem = fmt.Errorf("sealed: %s is not what %s is", CopyName, FileName)
	}
	return f, problem, nil
}

// Problem says what was wrong with the keys file or its copy when these Keys
// were opened; nil: nothing, or it is mended since.
func (k *Keys) Problem() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.problem
}

// Mend makes the keys file and its copy whole and alike, from the one that
// reads; from the file where both do. So call it when these keys have opened
// the store: somebody may have put the file of another one there. A keys file
// that does not read is put aside as keys.damaged-1 (or the next free number).
// Without a Problem it does nothing.
func (k *Keys) Mend() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.problem == nil {
		return nil
	}
	if err := k.mend(); err != nil {
		return fmt.Errorf("sealed: mend the keys file: %w", err)
	}
	k.problem = nil
	return nil
}

func (k *Keys) mend() error {
	copied := filepath.Join(filepath.Dir(k.path), CopyName)
	f, raw, err := openFile(k.path)
	if err == nil {
		if !bytes.Equal(f.ID, k.id) {
			return ErrOtherKeys
		}
		return replace(copied, raw)
	}
	f, raw, cerr := openFile(copied)
	if cerr != nil {
		return err
	}
	if !bytes.Equal(f.ID, k.id) {
		return ErrOtherKeys
	}
	if err := putAside(k.path); err != nil {
		return err
	}
	return writeOnce(k.path, raw)
}

// putAside gives a file, if there is one, a name that no other has.
func putAside(path string) error {
	for n := 1; ; n++ {
		to := fmt.Sprintf("%s.damaged-%d", path, n)
		if _, err := os.Lstat(to); err == nil {
			continue
		}
		if err := os.Rename(path, to); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
}
