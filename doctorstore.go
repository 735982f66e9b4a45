package tombolo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tombolo/doc"
	"tombolo/p2p"
	"tombolo/persist"
	"tombolo/persist/sealed"
	"tombolo/sync"
)

// RepairOptions adjusts [Repair].
type RepairOptions struct {
	Accept []doc.URL // quarantined documents to go on with as they are, see [Engine.Accept]
	Attending
}

// Repair mends what it can in the directory of a device that no engine has open, and then examines it. Nothing that does not read is deleted or
// overwritten: it is moved aside, under a name that says so.
//
// An identity that does not read is put back from its copy. A store that does not open makes room for an empty one; memberships come from their
// copy, or from the old files, which are then searched for all changes that still read. Documents that do not read are set aside, and what can be
// read of them is kept. What is missing after that comes from other devices, when the engine is opened beside them.
//
// It may be interrupted at any time, by the end of the process too, and run again. opts is as for [Open]; the network stays off. Errors are those of
// Open, for what keeps the engine from opening even so.
func Repair(ctx context.Context, dir string, opts *Options, how RepairOptions) (Diagnosis, error) {
	o := opts.withDefaults()
	if o.Store != nil {
		return Diagnosis{}, errors.New("Repair is for the store in the directory, not for Options.Store")
	}
	if !Exists(dir) {
		return Diagnosis{}, fmt.Errorf("there is no device in %s", dir)
	}
	r := repair{dir: dir, opts: o}
	if err := r.files(ctx); err != nil {
		return Diagnosis{}, fmt.Errorf("repair %s: %w", dir, err)
	}
	if err := r.documents(ctx, how); err != nil {
		return Diagnosis{Repaired: r.did}, fmt.Errorf("repair %s: %w", dir, err)
	}
	d, err := Examine(ctx, dir, opts, how.Attending)
	d.Repaired = r.did
	return d, err
}

// repair is one Repair under way.
type repair struct {
	dir  string
	opts Options
	did  []string
}

func (r *repair) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.did = append(r.did, text)
	r.opts.Log.Info("repaired", "what", text)
}

// files mends what keeps the engine from opening.
func (r *repair) files(ctx context.Context) (err error) {
	lock, err := lockDir(r.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := os.RemoveAll(filepath.Join(r.dir, salvageDir)); err != nil { // of a repair that was interrupted
		return err
	}
	keys, err := openKeys(ctx, r.dir, r.opts.Unlock)
	if err != nil {
		return err
	}
	if err := r.identity(keys); err != nil {
		return err
	}
	return r.store(ctx, keys)
}

// identity puts the copy in the place of an identity that cannot be used.
func (r *repair) identity(keys *sealed.Keys) error {
	path, copied := filepath.Join(r.dir, identityFile), filepath.Join(r.dir, identityCopyFile)
	_, err := loadIdentity(path, keys)
	if err == nil {
		return nil
	}
	if errors.Is(err, p2p.ErrNoIdentity) {
		err = errMissing
	}
	if _, cerr := loadIdentity(copied, keys); cerr != nil {
		return fmt.Errorf("the identity of this device cannot be used, and there is no good copy of it: restore %s from a backup: %w", identityFile, err)
	}
	key, err := readUpTo(copied, maxMembersFile)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		aside, err := r.moveAside(identityFile)
		if err != nil {
			return err
		}
		if err := os.Chmod(filepath.Join(r.dir, aside), 0o600); err != nil { // it may be whole, and have been open to others
			return err
		}
		r.say("the damaged %s was moved to %s", identityFile, aside)
	}
	if err := replaceFile(path, key); err != nil {
		return err
	}
	r.say("the identity was put back from %s", identityCopyFile)
	return nil
}

// moveAside renames a file or folder of the directory to a name of its own.
func (r *repair) moveAside(name string) (string, error) {
	for n := 1; ; n++ {
		to := fmt.Sprintf("%s.damaged-%d", name, n)
		if _, err := os.Lstat(filepath.Join(r.dir, to)); err == nil {
			continue
		}
		if err := os.Rename(filepath.Join(r.dir, name), filepath.Join(r.dir, to)); err != nil {
			return "", err
		}
		return to, syncDir(r.dir)
	}
}

// store moves a store aside that does not open.
func (r *repair) store(ctx context.Context, keys *sealed.Keys) error {
	path := filepath.Join(r.dir, storeDir)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	open, err := openForReading(ctx, path, keys, r.opts)
	if err == nil {
		return open.Close()
	}
	if !isBroken(err) {
		return err
	}
	_, members := readMembersFile(r.dir, keys)
	if members != nil {
		if err := r.membersFrom(ctx, path, keys); err != nil {
			return fmt.Errorf("the store does not open, and this device's memberships are neither in the file %s nor in what can be read of the store: restore a backup: %w",
				membersFile, errors.Join(members, err))
		}
		r.say("this device's memberships were found in the damaged store")
	}
	aside, err := r.moveAside(storeDir)
	if err != nil {
		return err
	}
	r.say("the store did not open and was moved to %s", aside)
	return nil
}

// membersFrom writes the copy of the memberships from what can be read of a store.
func (r *repair) membersFrom(ctx context.Context, path string, keys *sealed.Keys) error {
	identity, err := loadIdentity(filepath.Join(r.dir, identityFile), keys)
	if err != nil {
		return err
	}
	_, err = r.withSalvaged(ctx, path, keys, func(log *persist.Log) error {
		e := &Engine{opts: r.opts, log: log, identity: identity, keys: keys, copied: membersCopy{dir: r.dir}}
		found, err := e.readMemberships(ctx)
		if err == nil && e.mem.spaces[e.mem.home] == nil {
			err = errors.Join(found.problem(), errNoHome)
		}
		if err != nil {
			return err
		}
		return e.writeMembers(ctx)
	})
	return err
}

// documents opens the engine, which repairs more, and has it read every document.
func (r *repair) documents(ctx context.Context, how RepairOptions) (err error) {
	o := r.opts
	o.Offline = true
	e, err := Open(ctx, r.dir, &o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	for _, d := range putAside(r.dir) {
		if d.salvaged() {
			continue
		}
		if err := r.takeFrom(ctx, e, d); err != nil {
			return fmt.Errorf("salvage %s: %w", d.name, err)
		}
	}
	before := len(e.quarantined())
	var names []persist.Name
	for name := range e.log.Docs() {
		names = append(names, name)
	}
	for i, name := range names {
		if how.Progress != nil {
			how.Progress(uint64(i), uint64(len(names)))
		}
		if err := e.readThrough(ctx, sync.Key{Space: name.Space, Doc: name.Doc}); err != nil {
			return err
		}
	}
	if n := len(e.quarantined()) - before; n > 0 {
		r.say("%s did not read: set aside, with what could be read kept", number(n, "document"))
	}
	if err := r.orphans(ctx, e); err != nil {
		return err
	}
	for _, u := range how.Accept {
		if err := e.Accept(ctx, u); err != nil {
			return err
		}
		r.say("%s is accepted as it is", u)
	}
	if err := r.acceptLost(ctx, e); err != nil {
		return err
	}
	return r.acceptStore(ctx, e)
}

// acceptLost takes note that the store had lost memberships.
func (r *repair) acceptLost(ctx context.Context, e *Engine) error {
	_, err := e.log.Settings().Get(ctx, keyLost)
	if errors.Is(err, persist.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = e.log.Settings().Delete(ctx, keyLost)
	}
	if err == nil {
		r.say("noted: the store was empty, or had lost memberships; they were taken back from the copy")
	}
	return err
}

// orphans brings back what documents lost with their headers.
func (r *repair) orphans(ctx context.Context, e *Engine) error {
	t := taking{e: e, docs: map[sync.Key]bool{}}
	if err := t.takeOrphans(ctx, e.log); err != nil {
		return err
	}
	if t.changes > 0 {
		r.say("found again: %s of %s whose headers were lost", number(t.changes, "change"), number(len(t.docs), "document"))
	}
	return nil
}

// readThrough reads a document, which sets it aside where that fails, and gives it up again. What a newer version wrote stays as it is.
func (e *Engine) readThrough(ctx context.Context, key sync.Key) error {
	d := e.hold(key)
	defer d.unload()
	defer e.release(d)
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.read(ctx)
	if err == nil {
		err = d.settled(ctx)
	}
	if _, newer := errors.AsType[*persist.TooNewError](err); newer {
		return nil
	}
	return err
}

// acceptStore has a store that complained take itself for what it should be.
func (r *repair) acceptStore(ctx context.Context, e *Engine) error {
	store, can := e.store.(interface {
		Check(context.Context) error
		Accept(context.Context) error
	})
	if !can {
		return nil
	}
	complaint := store.Check(ctx)
	if complaint == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	if err := store.Accept(ctx); err != nil {
		return err
	}
	r.say("noted: %v", complaint)
	return nil
}
