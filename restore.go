package tombolo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"tombolo/doc"
	"tombolo/p2p"
	"tombolo/persist"
	"tombolo/persist/backup"
	"tombolo/persist/badgerstore"
	"tombolo/persist/sealed"
)

// ErrNoIdentity says that a backup cannot be restored as the same device.
var ErrNoIdentity = errors.New("the backup has no identity, since it was made without: restore it as a new device")

// RestoreOptions adjusts [Restore]. The zero value makes a new device.
type RestoreOptions struct {
	// SameDevice gives the directory the identity of the device that made the backup, which must be gone and never run again. Other devices
	// know it and bring what was written since.
	SameDevice bool
	// Device is how the directory is opened: Name for a new device, Unlock to make a sealed one; Offline is understood. nil is a good choice.
	Device *Options
	// Prepare is called with the directory that is being made, while it is empty: to seal it, see [Seal]. nil: nothing is done.
	Prepare func(dir string) error
	// Progress is told how many documents are done, of about how many; nil: nobody.
	Progress func(done, total uint64)
}

// Restored is the outcome of [Restore].
type Restored struct {
	Device    Device    `json:"device"` // that the directory is now
	Dir       string    `json:"dir"`
	Created   time.Time `json:"created"` // of the backup
	Documents uint64    `json:"documents"`
	Unread    uint64    `json:"unread,omitempty"` // entries that were damaged when the backup was made, and are not in it
}

// Restore makes a device of a backup, which [UnsealBackup] gives, in a directory that is not there yet or empty. A new device has an identity and a
// home of its own; the documents of the old device's home move there. Documents of other spaces can be read, and take part again when this
// device is invited; the same goes for the new home and the old one, whose documents merge by their IDs ([JoinOptions].Adopt).
//
// The directory is made beside, as dir.restoring, and gets its name when it is complete and durable: an attempt that was interrupted leaves no
// device, and the next one begins anew. ErrNoIdentity and the errors of [VerifyBackup] leave nothing behind. Where dir is a link to an empty
// directory, the device goes there. What has the name dir.restoring and is no attempt is an error, and stays.
func Restore(ctx context.Context, r io.Reader, dir string, opts RestoreOptions) (Restored, error) {
	out := Restored{Dir: filepath.Clean(dir)}
	dir, err := realDir(dir)
	if err != nil {
		return Restored{}, err
	}
	if err := mayRestore(dir); err != nil {
		return Restored{}, err
	}
	a, err := backup.NewReader(r)
	if err != nil {
		return Restored{}, err
	}
	defer a.Close()
	if opts.SameDevice && a.Head().Identity == nil {
		return Restored{}, ErrNoIdentity
	}
	temp := dir + ".restoring"
	attempt, err := beginAttempt(temp)
	if err != nil {
		return Restored{}, fmt.Errorf("restore %s: %w", dir, err)
	}
	defer attempt.Close()
	err = restore(ctx, a, temp, opts, &out)
	if err == nil {
		err = takePlace(temp, dir)
	}
	if err != nil {
		return Restored{}, errors.Join(fmt.Errorf("restore %s: %w", dir, err), os.RemoveAll(temp))
	}
	return out, syncDir(filepath.Dir(dir))
}

// realDir is where a device goes: the same wherever the process is, and not in the place of a link.
func realDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
		return dir, nil
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", fmt.Errorf("%s leads nowhere; remove it, or name another directory: %w", dir, err)
	}
	return real, nil
}

// beginAttempt makes an empty directory, of what an interrupted attempt left as well, and holds it until the file is closed: against others at
// every step, which the engine's own lock is not. What is no attempt stays as it is.
func beginAttempt(temp string) (_ *os.File, err error) {
	if err := os.MkdirAll(filepath.Dir(temp), 0o700); err != nil {
		return nil, err
	}
	if err := os.Mkdir(temp, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	notOurs := fmt.Errorf("%s is in the way, and not what an earlier attempt left; move it away, or name another directory", temp)
	f, err := os.OpenFile(temp, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENOTDIR) {
		return nil, notOurs
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) { // others: a file system without locks
		return nil, &InUseError{Dir: temp}
	}
	entries, err := os.ReadDir(temp)
	if err != nil {
		return nil, errors.Join(notOurs, err)
	}
	ours := func(e os.DirEntry) bool { return e.Name() == lockFile } // the first thing in it
	if len(entries) > 0 && !slices.ContainsFunc(entries, ours) {
		return nil, notOurs
	}
	lock, err := lockDir(temp)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if !ours(entry) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(temp, entry.Name())))
		}
	}
	return f, errors.Join(err, lock.Close())
}

// takePlace gives a directory its name, which an empty one may have.
func takePlace(temp, dir string) error {
	if err := mayRestore(dir); err != nil {
		return err
	}
	if err := removeIfThere(dir); err != nil {
		return err
	}
	return os.Rename(temp, dir)
}

// mayRestore checks that there is nothing in dir that a device could be mixed up with.
func mayRestore(dir string) error {
	if Exists(dir) {
		return fmt.Errorf("there is a device in %s already; name another directory, or move that one away", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty; name another directory", dir)
	}
	return nil
}

// restore makes the device in temp, and opens it once.
func restore(ctx context.Context, a *backup.Reader, temp string, opts RestoreOptions, out *Restored) error {
	device := opts.Device.withDefaults()
	device.Offline = true
	if device.Store != nil {
		return errors.New("a backup is restored into the store of a directory: leave out Options.Store")
	}
	if opts.Prepare != nil {
		if err := opts.Prepare(temp); err != nil {
			return err
		}
	}
	if err := fill(ctx, a, temp, device, opts); err != nil {
		return err
	}
	// Opening finishes what becomes a new device, and shows that it can be opened.
	e, err := Open(ctx, temp, &device)
	if err != nil {
		return err
	}
	out.Device, out.Created, out.Documents, out.Unread = e.Self(), a.Head().Created, a.Summary().Documents, a.Summary().Damaged
	return e.Close()
}

// fill gives an empty directory an identity and a store.
func fill(ctx context.Context, a *backup.Reader, dir string, device Options, opts RestoreOptions) (err error) {
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	keys, err := openKeys(ctx, dir, device.Unlock)
	if err != nil {
		return err
	}
	if err := fillIdentity(a.Head(), dir, device, keys, opts.SameDevice); err != nil {
		return err
	}
	var store persist.Store
	if store, err = badgerstore.Open(filepath.Join(dir, storeDir), &badgerstore.Options{Log: device.Log}); err != nil {
		return err
	}
	if keys != nil {
		store = sealed.New(store, keys)
	}
	return errors.Join(fillStore(ctx, a, store, opts), store.Close())
}

func fillIdentity(head backup.Head, dir string, device Options, keys *sealed.Keys, same bool) error {
	path := filepath.Join(dir, identityFile)
	conceal := func(b []byte) ([]byte, error) { return hide(keys, identityPlace, b), nil }
	if !same {
		_, err := p2p.CreateHidden(path, device.Rand, conceal)
		return err
	}
	id, err := p2p.ImportHidden(path, head.Identity, conceal)
	if err == nil && string(id.ID()) != head.Peer {
		err = fmt.Errorf("the backup is of %s, and its identity of %s", head.Peer, id.ID())
	}
	return err
}

// fillStore puts the entries of a backup into an empty store: as they are for the same device, else without what goes with its identity, and with
// the order to become a new device.
func fillStore(ctx context.Context, a *backup.Reader, store persist.Store, opts RestoreOptions) error {
	tell := ofTotal(opts.Progress, a.Head().Documents)
	f := filler{store: store}
	renewal := renewalRecord{Peer: a.Head().Peer}
	done, last := uint64(0), uint64(0)
	for entry, err := range a.Entries(ctx) {
		if err != nil {
			return err
		}
		if key, ok := persist.SettingOf(entry.Key); ok {
			if string(key) == string(keyHome) {
				if err := decodeRecord(entry.Value, &renewal.Home); err != nil {
					return fmt.Errorf("read which space is the home: %w", err)
				}
			}
			if isOwnSetting(key) || !opts.SameDevice && isDeviceSetting(key) {
				continue
			}
		}
		if err := f.add(ctx, entry); err != nil {
			return err
		}
		if num, ok := persist.RecordOf(entry.Key); ok && num != last {
			if done, last = done+1, num; tell != nil {
				tell(done)
			}
		}
	}
	if renewal.Home == (doc.SpaceID{}) {
		return errNoHome
	}
	if renewal.Peer == "" { // it would not be known what belongs to whom
		return errors.New("the backup does not say which device made it")
	}
	if !opts.SameDevice {
		if err := f.add(ctx, persist.SettingEntry(keyRenewal, encodeRecord(renewal))); err != nil {
			return err
		}
	}
	return f.flush(ctx)
}
