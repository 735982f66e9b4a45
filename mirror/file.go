package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// File is the place in a file: JSON, or the whole document with its history where the name ends in .automerge. A file is written beside its place, flushed and
// renamed, so it is always whole; it keeps its mode, a new one is for its owner only. A symbolic link stays one. The state is in ".NAME.tombolo"
// beside it.
//
// Between the last look and the renaming there is a moment, of microseconds, in which what another program writes is overwritten; and a program that
// goes on writing into a file it opened before writes into one that is gone. Editors do neither for long.
func File(path string) Place { return &file{path: path} }

// privateMode is the mode of new files: documents are for their owner.
const privateMode = 0o600

// settled is how old a file's time must be for it to name its content: a write in the same tick of the file system's clock would not show.
const settled = 2 * time.Second

type file struct {
	path string

	mu   sync.Mutex
	seen fs.FileInfo // of the content that tag names, if its time was settled then
	tag  string
}

func (p *file) Name() string { return filepath.Base(p.path) }

func (p *file) Read(_ context.Context, known string) ([]byte, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	info, err := os.Stat(p.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", ErrNotThere
	case err != nil:
		return nil, "", err
	case !info.Mode().IsRegular():
		return nil, "", fmt.Errorf("%s is not a file; name one", p.path)
	case known != "" && known == p.tag && p.seen != nil && sameFile(p.seen, info):
		return nil, known, ErrUnchanged
	}
	p.seen, p.tag = nil, ""
	now := time.Now()
	f, err := os.Open(p.path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	data, err := readAll(f)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", p.path, err)
	}
	p.tag = sumOf(data)
	if now.Sub(info.ModTime()) > settled {
		p.seen = info
	}
	if p.tag == known {
		return nil, known, ErrUnchanged
	}
	return data, p.tag, nil
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err == nil && len(data) > MaxBytes {
		err = errTooLarge
	}
	return data, err
}

func sameFile(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func (p *file) Write(ctx context.Context, data []byte, tag string) (string, error) {
	before, err := p.matches(ctx, tag)
	if err != nil {
		return "", err
	}
	path, mode := p.path, fs.FileMode(privateMode)
	if before != nil {
		mode = before.Mode().Perm()
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return "", err
		}
	}
	err = replace(path, data, mode, func() error {
		now, err := os.Stat(p.path)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case (now == nil) != (before == nil), now != nil && !sameFile(before, now):
			return ErrChanged
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return sumOf(data), nil
}

// matches is what the file is now, nil for none, if it has what tag names.
func (p *file) matches(ctx context.Context, tag string) (fs.FileInfo, error) {
	before, err := os.Stat(p.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	_, now, err := p.Read(ctx, "")
	switch {
	case errors.Is(err, ErrNotThere):
		before = nil
	case err != nil:
		return nil, err
	}
	if now != tag {
		return nil, ErrChanged
	}
	return before, nil
}

// Watch is nil: a file is polled, which finds what every kind of file system does.
func (p *file) Watch(context.Context) iter.Seq[struct{}] { return nil }

// State is in a file beside.
func (p *file) State() State {
	return StateFile(filepath.Join(filepath.Dir(p.path), "."+filepath.Base(p.path)+".tombolo"))
}

// replace puts a file with data and mode in the place of another, whole and durable, if last, which may be nil, does not object at the last
// moment.
func replace(path string, data []byte, mode fs.FileMode, last func() error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if last != nil {
		if err := last(); err != nil {
			return err
		}
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a renaming durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
