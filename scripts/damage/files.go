package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
)

// kind is a kind of file in a device's directory.
type kind struct {
	name    string
	pattern string
	why     string // why nothing is missing without it, where that is so
}

var kinds = []kind{
	{"identity.key", "identity.key", ""},
	{"identity.copy", "identity.copy", "a second copy, written again"},
	{"memberships", "memberships", "a copy of what the store has, written again"},
	{"lock", "lock", "names the owner of the directory; what locks is the kernel"},
	{"blackbox", "blackbox", "notes for the case of a crash, made again"},
	{"peer.sock", "peer.sock", "a socket, made at each start"},
	{"MANIFEST", "store/MANIFEST", ""},
	{"*.sst", "store/*.sst", ""},
	{"*.mem", "store/*.mem", ""},
	{"*.vlog", "store/*.vlog", "no value is ever written to it"},
	{"KEYREGISTRY", "store/KEYREGISTRY", "Badger's keys, of which this store uses none"},
	{"DISCARD", "store/DISCARD", "statistics of the value log, which is empty"},
	{"ballast", "store/ballast", "room for a full disk, with nothing in it"},
	{"commits", "store/commits", "a second count of the commits, written again"},
	{"store", "store", ""},
	{"LOCK", "store/LOCK", "names the owner of the store; what locks is the kernel"},
}

// damage is one way to spoil a file. places are where, as parts of the bytes in use; one that spoils all has one.
type damage struct {
	name   string
	places []float64
	do     func(b []byte, used int, place float64) []byte // nil: the file is removed
}

var damages = []damage{
	{"bit flip", []float64{0.02, 0.5, 0.99}, func(b []byte, used int, place float64) []byte {
		if used > 0 {
			b[min(int(place*float64(used)), used-1)] ^= 0x10
		}
		return b
	}},
	{"truncation", []float64{0, 0.5, 0.99}, func(b []byte, used int, place float64) []byte { return b[:int(place*float64(used))] }},
	{"zeros", []float64{0, 0.5}, func(b []byte, used int, place float64) []byte {
		from := int(place * float64(used))
		clear(b[from:min(len(b), from+max(4096, used/4))])
		return b
	}},
	{"removal", []float64{0}, nil},
}

// spoil damages a file. Sockets can only be removed, or replaced by a file of nothing; folders only be removed.
func (d damage) spoil(path string, place float64) error {
	if d.do == nil {
		return os.RemoveAll(path)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	used := len(bytes.TrimRight(b, "\x00"))
	if used == 0 {
		used = len(b)
	}
	return os.WriteFile(path, d.do(b, used, place), info.Mode().Perm())
}

// snapshot is a directory as it was.
type snapshot struct {
	dir      string
	files    map[string]savedFile
	identity string // another name of the file that identity.key is: with a new file, and a new folder of the store, the directory is a copy of itself
}

type savedFile struct {
	mode os.FileMode
	b    []byte
}

func takeSnapshot(dir, identity string) (snapshot, error) {
	s := snapshot{dir: dir, files: map[string]savedFile{}, identity: identity}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		f := savedFile{mode: info.Mode()}
		if info.Mode().IsRegular() {
			if f.b, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		s.files[name] = f
		return nil
	})
	if err != nil {
		return s, err
	}
	return s, os.Link(filepath.Join(dir, identityName), identity)
}

const (
	identityName = "identity.key"
	storeName    = "store"
)

// emptied removes what is in a folder, but for one name.
func emptied(dir, but string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if entry.Name() != but {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
		}
	}
	return err
}

// restore makes the directory what it was. The folder of the store stays the same one where it is there.
func (s snapshot) restore() error {
	if err := emptied(s.dir, storeName); err != nil {
		return err
	}
	if err := emptied(filepath.Join(s.dir, storeName), ""); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for name, f := range s.files {
		if f.mode.IsDir() {
			if err := os.MkdirAll(filepath.Join(s.dir, name), 0o700); err != nil {
				return err
			}
		}
	}
	for name, f := range s.files {
		path := filepath.Join(s.dir, name)
		var err error
		switch {
		case name == identityName:
			err = errors.Join(os.WriteFile(s.identity, f.b, f.mode.Perm()), os.Link(s.identity, path))
		case f.mode.IsRegular():
			err = writeSparse(path, f)
		case f.mode&fs.ModeSocket != 0:
			err = makeSocket(path)
		}
		if err != nil {
			return fmt.Errorf("put back %s: %w", name, err)
		}
	}
	return nil
}

// writeSparse writes a file, and leaves holes where it ends in zeros: a log and the ballast are zeros for the most part.
func writeSparse(path string, f savedFile) error {
	if err := os.WriteFile(path, bytes.TrimRight(f.b, "\x00"), f.mode.Perm()); err != nil {
		return err
	}
	return os.Truncate(path, int64(len(f.b)))
}

// makeSocket leaves a socket that nobody listens on, as a process that was killed does.
func makeSocket(path string) error {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}), syscall.Close(fd))
}

// largeDocument is 1 MiB that does not compress, the same at every run.
func largeDocument(i int) string {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	b := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8(seed).Read(b) // never fails
	return fmt.Sprintf(`{"large":{"$bytes":%q}}`, base64.StdEncoding.EncodeToString(b))
}
