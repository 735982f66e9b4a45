package tombolo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	gosync "sync"
	"sync/atomic"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// A directory with the data of another device, by a copy or a restored backup, becomes a device of its own. That it is to stands in the store
// before anything is done, and every start goes on until it is: first what belongs to the old device goes, then the identity is replaced, then a
// home is made as in a new directory, and last the documents move there.

var keyRenewal = []byte("renewal") // a renewalRecord

// renewalRecord says whose data it is.
type renewalRecord struct {
	Peer string      `cbor:"1,keyasint"` // the device it was
	Home doc.SpaceID `cbor:"2,keyasint"` // whose documents move

	Alone bool `cbor:"3,keyasint,omitempty"` // it is a fork: the documents of other spaces move too, and nothing is kept of other devices
}

// isOwnSetting reports whether a setting belongs to one directory and not to a backup of it: acknowledgements are asked for again, and an
// invitation that was used since must not be open again.
func isOwnSetting(key []byte) bool {
	return bytes.Equal(key, keyInstance) || bytes.Equal(key, keyRenewal) || bytes.Equal(key, keyLost) ||
		bytes.HasPrefix(key, []byte(keyInvite)) || bytes.HasPrefix(key, []byte(keyAck))
}

// isDeviceSetting reports whether a setting goes where the identity goes.
func isDeviceSetting(key []byte) bool {
	return isOwnSetting(key) || bytes.Equal(key, keyHome) || bytes.Equal(key, keyName) || bytes.HasPrefix(key, []byte(keyAddrs))
}

var errNoHome = errors.New("it does not say which space is its home")

// renew begins it.
func (e *Engine) renew(ctx context.Context, dir string) error {
	home, bad, err := readSetting[doc.SpaceID](ctx, e.log.Settings(), keyHome)
	if err = errors.Join(err, bad); err == nil && home == (doc.SpaceID{}) {
		err = errNoHome
	}
	r := renewalRecord{Peer: string(e.identity.ID()), Home: home, Alone: e.opts.forking != nil}
	if err == nil {
		err = e.log.Settings().Put(ctx, keyRenewal, encodeRecord(r))
	}
	if err != nil {
		return fmt.Errorf("make the copy a new device: %w", err)
	}
	return e.becomeNew(ctx, dir, r)
}

// becomeNew takes away what goes with the old identity, and replaces that last: where it is replaced, all of this is done.
func (e *Engine) becomeNew(ctx context.Context, dir string, r renewalRecord) error {
	if string(e.identity.ID()) != r.Peer {
		return nil
	}
	err := e.dropSettings(ctx, func(key []byte) bool {
		return isDeviceSetting(key) && !bytes.Equal(key, keyRenewal) || r.Alone && isSharedSetting(key)
	})
	if err == nil {
		err = removeIfThere(filepath.Join(dir, membersFile))
	}
	if err == nil { // or a repair could put the old identity back
		err = removeIfThere(filepath.Join(dir, identityCopyFile))
	}
	if err == nil {
		err = e.replaceIdentity(dir)
	}
	if err != nil {
		return fmt.Errorf("make a new device of the old one's data: %w", err)
	}
	return nil
}

// dropSettings deletes settings.
func (e *Engine) dropSettings(ctx context.Context, drop func(key []byte) bool) error {
	b := &persist.Batch{}
	for entry, err := range e.log.Settings().List(ctx, nil) {
		if err != nil {
			return err
		}
		if !drop(entry.Key) {
			continue
		}
		if b.Bytes() > persist.MaxBatch/2 {
			if err := e.log.Settings().Apply(ctx, b); err != nil {
				return err
			}
			b = &persist.Batch{}
		}
		b.Delete(entry.Key)
	}
	return e.log.Settings().Apply(ctx, b)
}

// replaceIdentity gives the directory a new one.
func (e *Engine) replaceIdentity(dir string) error {
	path := filepath.Join(dir, identityFile)
	temp := path + ".new"
	if err := removeIfThere(temp); err != nil { // of an attempt that was interrupted
		return err
	}
	id, err := e.createIdentity(temp)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return err
	}
	e.identity = id
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// finishRenewal moves the documents of the old home to the new one, before anyone can use them. Documents that do not move, because they do not
// read, stay where they are, and the records of the old home with them. Called when the memberships are read.
func (e *Engine) finishRenewal(ctx context.Context, dir string) error {
	r, bad, err := readSetting[renewalRecord](ctx, e.log.Settings(), keyRenewal)
	if err = errors.Join(err, bad); err != nil || r.Peer == "" {
		return err
	}
	left, err := e.moveAtRest(ctx, r.Home, e.mem.home)
	if err != nil {
		return fmt.Errorf("move the documents to the new home: %w", err)
	}
	if err := e.copyTombs(ctx, r.Home, e.mem.home); err != nil {
		return fmt.Errorf("move the documents to the new home: %w", err)
	}
	if r.Alone {
		if err := e.gather(ctx); err != nil {
			return fmt.Errorf("move the documents of other spaces to the new home: %w", err)
		}
	}
	b := &persist.Batch{}
	b.Delete(keyRenewal)
	if left == 0 {
		b.Delete(spaceKey(r.Home))
	}
	if err := e.log.Settings().Apply(ctx, b); err != nil {
		return fmt.Errorf("move the documents to the new home: %w", err)
	}
	if left == 0 {
		delete(e.mem.spaces, r.Home)
		e.keepMembers(ctx)
	} else {
		e.opts.Log.Warn("damaged documents stay in the old home: 'peer doctor' says which", "documents", left)
	}
	e.markInstance(ctx, dir)
	return nil
}

// moveAtRest moves all documents of a space, and gives the number of those that it could not move. Nothing else has the engine yet.
func (e *Engine) moveAtRest(ctx context.Context, from, to doc.SpaceID) (left int64, err error) {
	names := make(chan persist.Name)
	var movers gosync.WaitGroup
	var stay atomic.Int64
	var failed atomic.Pointer[error]
	for range 64 { // whose writes become durable together
		movers.Go(func() {
			for name := range names {
				if err := e.moveOneAtRest(ctx, name, to); err == nil {
					continue
				} else if staysBehind(err) {
					stay.Add(1)
				} else {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	for name := range e.log.Docs() {
		if name.Space == from && failed.Load() == nil {
			names <- name
		}
	}
	close(names)
	movers.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	for _, key := range e.quarantined() { // of which nothing could be read
		if key.Space == from {
			if err := e.movePatient(ctx, key, sync.Key{Space: to, Doc: key.Doc}); err != nil {
				return 0, err
			}
		}
	}
	return stay.Load(), nil
}

// moveOneAtRest takes along what is set aside of a document: first, since a document that is still there is moved again by the next start.
func (e *Engine) moveOneAtRest(ctx context.Context, name persist.Name, to doc.SpaceID) error {
	if err := e.movePatient(ctx, sync.Key{Space: name.Space, Doc: name.Doc}, sync.Key{Space: to, Doc: name.Doc}); err != nil {
		return err
	}
	return e.log.Move(ctx, name, persist.Name{Space: to, Doc: name.Doc})
}

// staysBehind reports whether a document cannot move, and not the disk.
func staysBehind(err error) bool {
	_, damaged := errors.AsType[*persist.DamagedError](err)
	return damaged || errors.Is(err, persist.ErrExists)
}
