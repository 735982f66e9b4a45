package tombolo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"tombolo/persist/backup"
	"tombolo/sync"
)

// BackupKey closes backups and opens them: a passphrase, or keys of the age program. It prints as [hidden].
type BackupKey = backup.Key

// SealBackup gives a writer that encrypts a backup into w for whoever has the key. The backup is whole when its Close has returned nil.
func SealBackup(w io.Writer, key BackupKey) (io.WriteCloser, error) { return backup.Seal(w, key) }

// UnsealBackup gives what SealBackup was given. Errors: [backup.ErrKey], [backup.ErrNotBackup]. What was changed or cut off further on shows when
// it is read.
func UnsealBackup(r io.Reader, key BackupKey) (io.Reader, error) { return backup.Unseal(r, key) }

// BackupOptions adjusts [Engine.Backup]. The zero value is a good backup.
type BackupOptions struct {
	Identity bool                     // put this device's secret key in: whoever opens the backup can then be this device
	Progress func(done, total uint64) // is told how many documents are written, of about how many; nil: nobody
}

// BackupSummary says what a backup holds.
type BackupSummary struct {
	Device    Device    `json:"device"`           // that wrote it
	Created   time.Time `json:"created"`          // to the second
	Identity  bool      `json:"identity"`         // it can be restored as the same device
	Documents uint64    `json:"documents"`        // with their history
	Bytes     uint64    `json:"bytes"`            // of the store, before compression
	Unread    uint64    `json:"unread,omitempty"` // entries that the store found damaged, and that are not in the backup
}

// Backup writes everything this device keeps to w: documents with their history, memberships and settings, as they are on disk at one moment,
// however much is edited meanwhile. Edits that wait to be saved are saved first. Caches, invitations, and what is known of other devices' disks stay out. What w gets is compressed and not
// encrypted: give it a writer of [SealBackup], or use [WriteBackup], which makes a file.
func (e *Engine) Backup(ctx context.Context, w io.Writer, opts BackupOptions) (BackupSummary, error) {
	if err := e.use(); err != nil {
		return BackupSummary{}, err
	}
	defer e.work.Done()
	self := e.Self()
	head := backup.Head{Created: e.now(), Peer: self.Peer, Name: self.Name}
	if opts.Identity {
		var err error
		if head.Identity, err = e.identity.Export(); err != nil {
			return BackupSummary{}, fmt.Errorf("write a backup: %w", err)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.run, cancel)()
	if err := e.settle(ctx); err != nil {
		return BackupSummary{}, fmt.Errorf("write a backup: %w", err)
	}
	for range e.log.Docs() {
		head.Documents++
	}
	sum, err := backup.Write(ctx, w, e.store, head, &backup.Options{Leave: isOwnSetting, Progress: ofTotal(opts.Progress, head.Documents)})
	if err != nil {
		return BackupSummary{}, errors.Join(e.isClosed(), err)
	}
	return summaryOf(head, sum), nil
}

// settle has all documents save what waits to be saved.
func (e *Engine) settle(ctx context.Context) error {
	e.docsMu.Lock()
	keys := slices.Collect(maps.Keys(e.documents))
	e.docsMu.Unlock()
	for _, key := range keys {
		if err := e.settleOne(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) settleOne(ctx context.Context, key sync.Key) error {
	d := e.hold(key)
	defer e.release(d)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settled(ctx)
}

// ofTotal tells progress in documents, of a number that was counted before.
func ofTotal(tell func(done, total uint64), total uint64) func(uint64) {
	if tell == nil {
		return nil
	}
	return func(done uint64) { tell(done, max(done, total)) }
}

func summaryOf(head backup.Head, sum backup.Summary) BackupSummary {
	return BackupSummary{
		Device:    Device{Peer: head.Peer, Name: head.Name},
		Created:   head.Created.Truncate(time.Second),
		Identity:  head.Identity != nil,
		Documents: sum.Documents,
		Bytes:     sum.Bytes,
		Unread:    sum.Damaged,
	}
}

// WriteBackup makes an encrypted file of a backup, which must not be there yet. write gives the backup, such as
//
//	func(w io.Writer) error { _, err := engine.Backup(ctx, w, opts); return err }
//
// The file is written beside, as path.part, read again while it is written, made durable, and only then given its name: where it was interrupted
// there is no file of that name, and the next attempt begins anew. Two of them at once for one file are refused.
func WriteBackup(ctx context.Context, path string, key BackupKey, write func(w io.Writer) error) (sum BackupSummary, err error) {
	part := path + ".part"
	f, err := openPart(part)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, f.Close()) }() // which is when others may write there
	if err = isFree(path); err == nil {
		sum, err = sealTo(ctx, f, key, write)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = isFree(path) // it took a while
	}
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return BackupSummary{}, errors.Join(err, os.Remove(part))
	}
	return sum, syncDir(filepath.Dir(path))
}

func isFree(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already; choose another name, or remove it first", path)
	}
	return nil
}

// openPart opens a file to be written, for nobody else. One that was left by a process that died is taken over, and no other.
func openPart(part string) (*os.File, error) {
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) { // other errors: a file system without locks, such as a memory stick's
		return nil, errors.Join(fmt.Errorf("%s is being written by another process; wait until it is done", part), f.Close())
	}
	if !isBegun(f) {
		return nil, errors.Join(fmt.Errorf("%s is in the way, and no backup that was begun; move it away, or choose another name", part), f.Close())
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// isBegun reports whether a file is empty or begins as backups do.
func isBegun(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	begins := make([]byte, min(info.Size(), int64(len(backup.Intro))))
	_, err = f.ReadAt(begins, 0)
	return err == nil && strings.HasPrefix(backup.Intro, string(begins))
}

// sealTo encrypts what write gives, and reads it on the way.
func sealTo(ctx context.Context, w io.Writer, key BackupKey, write func(io.Writer) error) (BackupSummary, error) {
	sealed, err := backup.Seal(w, key)
	if err != nil {
		return BackupSummary{}, err
	}
	r, read := io.Pipe()
	type result struct {
		sum BackupSummary
		err error
	}
	checked := make(chan result, 1)
	go func() {
		sum, err := readThrough(ctx, r)
		r.CloseWithError(errors.Join(errors.New("what was written is no backup"), err)) // whoever still writes
		checked <- result{sum, err}
	}()
	err = write(io.MultiWriter(sealed, read))
	read.CloseWithError(err) // nil: the end
	got := <-checked
	if err == nil {
		err = got.err
	}
	if err != nil {
		return BackupSummary{}, err // closing sealed would make a whole file of a half
	}
	return got.sum, sealed.Close()
}

// readThrough reads a backup to its end.
func readThrough(ctx context.Context, r io.Reader) (BackupSummary, error) {
	a, err := backup.NewReader(r)
	if err != nil {
		return BackupSummary{}, err
	}
	defer a.Close()
	for _, err := range a.Entries(ctx) {
		if err != nil {
			return BackupSummary{}, err
		}
	}
	return summaryOf(a.Head(), a.Summary()), nil
}
