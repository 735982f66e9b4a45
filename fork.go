package tombolo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"tombolo/doc"
	"tombolo/persist/sealed"
)

// ForkOptions adjusts [Fork]. The zero value makes a fork and says what is in it.
type ForkOptions struct {
	// Device is how the fork is opened: Name for the new device, Unlock for a sealed one, App and Schemas of the program that is to be tried; the rest
	// is as in [Options], and Offline is understood. nil is a good choice.
	Device *Options
	// DryRun has the fork removed again when Check has seen it.
	DryRun bool
	// Check is called with each document of the fork that opens, one after the other. Its error is in the report, and does not end the fork. It may
	// write: what it writes is in the fork, or nowhere. nil: nothing is checked.
	Check func(ctx context.Context, h *Handle) error
	// Progress is told how far it is: "copy" in bytes, then "check" in documents. nil: nobody.
	Progress func(doing string, done, total uint64)
}

// Forked is the outcome of [Fork].
type Forked struct {
	Device    Device           `json:"device"`            // that the fork is; of a dry run, that it was
	Dir       string           `json:"dir"`               // where it is, or would be
	DryRun    bool             `json:"dryRun"`            // it is not there any more
	Documents []ForkedDocument `json:"documents"`         // in the order of their IDs
	LeftOut   []string         `json:"leftOut,omitempty"` // URLs in the original of documents that are not in the fork, since the home has one of the same ID
}

// Fork makes a new device of a copy of the device in the directory from, in a directory that is not there yet or empty: to try a new version of a program
// on real data. The fork can never sync with the original or with those it syncs with: it has an identity of its own and one new space, its home,
// which has all documents with their IDs and their whole history; it knows no other device, has no memberships and no invitations, and the
// others know nothing of it. To take along what was tried, invite it: where it joins with [JoinOptions].Adopt, its documents and the originals of the same
// IDs become one again, with what both have. Where it joins without, they stay apart.
//
// No byte of from changes. It must not be open meanwhile: an [InUseError] names the process that has it. Fork needs room for a second copy, which is
// made beside, as to.forking, and gets its name when it is complete and durable; an attempt that was interrupted leaves no device, and the next one
// begins anew.
func Fork(ctx context.Context, from, to string, opts ForkOptions) (_ Forked, err error) {
	out := Forked{Dir: filepath.Clean(to), DryRun: opts.DryRun, Documents: []ForkedDocument{}}
	if opts.Device != nil && opts.Device.Store != nil {
		return out, errors.New("a fork has its store in its directory: leave out Options.Store")
	}
	from, to, err = forkDirs(from, to)
	if err != nil {
		return out, err
	}
	temp := forkingDir(to)
	attempt, err := beginAttempt(temp)
	if err != nil {
		return out, fmt.Errorf("fork %s: %w", from, err)
	}
	defer attempt.Close()
	if err = copyDevice(ctx, from, temp, opts.Progress); err == nil {
		err = forked(ctx, temp, opts, &out)
	}
	if err == nil && !opts.DryRun {
		if err = takePlace(temp, to); err == nil {
			return out, syncDir(filepath.Dir(to))
		}
	}
	if err != nil {
		err = fmt.Errorf("fork %s: %w", from, err)
	}
	return out, errors.Join(err, os.RemoveAll(temp))
}

// forkDirs checks that the one directory has a device, and that the other one is free and apart from it.
func forkDirs(from, to string) (string, string, error) {
	real, err := filepath.Abs(from)
	if err == nil {
		real, err = filepath.EvalSymlinks(real)
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil && !Exists(real) {
		return "", "", fmt.Errorf("there is no device in %s to fork; name the directory that the program keeps its data in", from)
	}
	if err != nil {
		return "", "", err
	}
	if to, err = realDir(to); err == nil {
		to, err = unlinked(to)
	}
	if err != nil {
		return "", "", err
	}
	if rel, err := filepath.Rel(real, to); err == nil && filepath.IsLocal(rel) {
		return "", "", fmt.Errorf("%s is in %s, of which no byte is to change; fork into another directory", to, from)
	}
	if forkingDir(to) == real { // it would be taken for what an attempt left
		return "", "", fmt.Errorf("a fork to %s is made in %s, of which no byte is to change; fork into another directory", to, from)
	}
	return real, to, mayRestore(to)
}

// forkingDir is where a fork is made.
func forkingDir(to string) string { return to + ".forking" }

// unlinked is an absolute path without symbolic links, as far as it is there.
func unlinked(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if dir := filepath.Dir(path); errors.Is(err, fs.ErrNotExist) && dir != path {
		if real, err = unlinked(dir); err == nil {
			real = filepath.Join(real, filepath.Base(path))
		}
	}
	return real, err
}

// copyDevice copies what makes a device: its store, its identity, which the fork gives up, and the keys of a sealed one. Nothing else may have the
// original open, and nothing in it changes.
func copyDevice(ctx context.Context, from, to string, tell func(string, uint64, uint64)) (err error) {
	held, err := holdDir(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	c := copier{tell: tell}
	for _, name := range []string{identityFile, sealed.FileName, sealed.CopyName} {
		if err := c.plan(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	if len(c.files) == 0 || c.files[0].from != filepath.Join(from, identityFile) {
		return fmt.Errorf("%s has no %s: 'peer doctor --repair' puts back the copy beside it", from, identityFile)
	}
	store, err := filepath.EvalSymlinks(filepath.Join(from, storeDir))
	if err != nil {
		return fmt.Errorf("there are no documents in %s: %w", from, err)
	}
	err = filepath.WalkDir(store, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() == ballastFile {
			return err
		}
		rel, err := filepath.Rel(store, path)
		if err != nil {
			return err
		}
		at := filepath.Join(to, storeDir, rel)
		if entry.IsDir() {
			return os.MkdirAll(at, 0o700)
		}
		return c.plan(path, at)
	})
	if err == nil {
		err = c.copy(ctx)
	}
	if err == nil {
		err = held.still()
	}
	return err
}

// ballastFile is what a store keeps to have room in need; a copy lays down its own.
const ballastFile = "ballast"

// copier copies files.
type copier struct {
	files []copiedFile
	bytes uint64 // of all
	tell  func(doing string, done, total uint64)
}

type copiedFile struct{ from, to string }

// plan takes note of a file that is to be copied; of one that is not there, or no plain file, it does not.
func (c *copier) plan(from, to string) error {
	info, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	c.bytes += uint64(info.Size())
	c.files = append(c.files, copiedFile{from, to})
	return nil
}

// copyChunk is how much is copied between two looks at the context.
const copyChunk = 64 << 20

func (c *copier) copy(ctx context.Context) error {
	done := uint64(0)
	for _, f := range c.files {
		if err := f.copy(ctx, func(n int64) {
			if done += uint64(n); c.tell != nil {
				c.tell("copy", done, max(done, c.bytes))
			}
		}); err != nil {
			return err
		}
	}
	dirs := map[string]bool{}
	for _, f := range c.files {
		dirs[filepath.Dir(f.to)] = true
	}
	for dir := range dirs {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

func (f copiedFile) copy(ctx context.Context, copied func(n int64)) error {
	in, err := os.Open(f.from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(f.to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	for err == nil {
		if err = ctx.Err(); err == nil {
			var n int64
			n, err = io.CopyN(out, in, copyChunk) // from file to file, which the system may do without reading them
			copied(n)
		}
	}
	if errors.Is(err, io.EOF) {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// heldDir keeps other processes from opening a device's directory, without writing there: an engine's own hold writes its process ID.
type heldDir struct {
	path string
	f    *os.File // nil where the directory has no lock file, because nobody has opened it where it is
}

func holdDir(dir string) (heldDir, error) {
	h := heldDir{path: filepath.Join(dir, lockFile)}
	f, err := os.Open(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return h, fmt.Errorf("lock %s: %w", dir, err)
		}
		return h, inUse(f, dir)
	}
	h.f = f
	return h, nil
}

// still is an error where the directory was opened meanwhile, which only a directory without a lock file can be.
func (h heldDir) still() error {
	if h.f != nil {
		return nil
	}
	if _, err := os.Lstat(h.path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, &InUseError{Dir: filepath.Dir(h.path)})
	}
	return nil
}

func (h heldDir) Close() error {
	if h.f == nil {
		return nil
	}
	return h.f.Close()
}

// forked makes the copy in dir a device of its own, and says what is in it.
func forked(ctx context.Context, dir string, opts ForkOptions, out *Forked) (err error) {
	device := opts.Device.withDefaults()
	device.Offline = true
	device.forking = &forking{}
	e, err := Open(ctx, dir, &device)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	out.Device = e.Self()
	for _, u := range device.forking.leftOut {
		out.LeftOut = append(out.LeftOut, u.String())
	}
	slices.SortFunc(out.LeftOut, strings.Compare)
	return e.checkFork(ctx, opts, out)
}

// forking has a directory become a device that has nothing to do with others, and takes note of what it leaves out.
type forking struct{ leftOut []doc.URL }
