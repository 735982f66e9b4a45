package tombolo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	gosync "sync"

	"github.com/fxamacker/cbor/v2"

	"tombolo/doc"
	"tombolo/p2p"
	"tombolo/persist"
	"tombolo/persist/sealed"
	"tombolo/space"
)

// A device that lost its store can have all documents back from its peers, if it knows who they are and they know it. Both lie outside of the
// store as well: who they are in the file memberships, what they know it by in a second copy of the identity. In a
// sealed directory both are sealed, too. With a store of the program's own no memberships are written: that one may hide names.

// Files beside the store for the case that others are lost.
const (
	membersFile      = "memberships"
	identityCopyFile = "identity.copy" // the same bytes as identity.key, as secret
)

// memberRecords is what the file memberships holds, behind a codec byte and the CRC-32C of codec byte and body.
type memberRecords struct {
	Self   string        `cbor:"1,keyasint"` // the device's peer ID: records of another device are of no use
	Home   doc.SpaceID   `cbor:"2,keyasint"`
	Name   string        `cbor:"3,keyasint"`           // of the device
	Spaces [][][]byte    `cbor:"4,keyasint"`           // the membership records of each space
	Addrs  []peerAddress `cbor:"5,keyasint,omitempty"` // where peers were reached last
}

type peerAddress struct {
	Peer  string   `cbor:"1,keyasint"`
	Addrs []string `cbor:"2,keyasint"`
}

const (
	codecMembers    = 1
	maxMembersFile  = 64 << 20 // no device is in so many spaces; a bound keeps a wrong file from filling memory
	membersSealSize = 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errMembersFile says that the file memberships is not what was written.
var errMembersFile = errors.New("the copy of this device's memberships is damaged")

func (r memberRecords) encode() ([]byte, error) {
	body, err := cbor.Marshal(r)
	if err != nil {
		return nil, err
	}
	sum := crc32.Update(crc32.Checksum([]byte{codecMembers}, castagnoli), castagnoli, body)
	return append(binary.BigEndian.AppendUint32([]byte{codecMembers}, sum), body...), nil
}

func decodeMembers(b []byte) (memberRecords, error) {
	var r memberRecords
	if len(b) < membersSealSize {
		return r, errMembersFile
	}
	body := b[membersSealSize:]
	if binary.BigEndian.Uint32(b[1:]) != crc32.Update(crc32.Checksum(b[:1], castagnoli), castagnoli, body) {
		return r, errMembersFile
	}
	if b[0] != codecMembers {
		return r, fmt.Errorf("read the copy of this device's memberships: %w", errCodec)
	}
	if err := cbor.Unmarshal(body, &r); err != nil {
		return r, fmt.Errorf("%w: %w", errMembersFile, err)
	}
	return r, nil
}

// readMembersFile reads the copy in a directory: fs.ErrNotExist where there is none, errMembersFile for one that is damaged.
func readMembersFile(dir string, keys *sealed.Keys) (memberRecords, error) {
	b, err := readUpTo(filepath.Join(dir, membersFile), maxMembersFile)
	if err != nil {
		return memberRecords{}, err
	}
	if b, err = reveal(keys, membersFile, b); err != nil {
		return memberRecords{}, fmt.Errorf("%w: %w", errMembersFile, err)
	}
	return decodeMembers(b)
}

// readUpTo reads a small file.
func readUpTo(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		return nil, errMembersFile
	}
	return b, err
}

// spaces opens the records of all spaces; those that do not verify are left out, and are in the error.
func (r memberRecords) spaces() (map[doc.SpaceID]*space.Members, error) {
	out := map[doc.SpaceID]*space.Members{}
	var errs error
	for _, records := range r.Spaces {
		s, err := space.Open(records, verify)
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("read the copy of this device's memberships: %w", err))
			continue
		}
		out[doc.SpaceID(s.ID())] = s
	}
	return out, errs
}

// membersCopy keeps the file as the store's records are.
type membersCopy struct {
	dir  string // empty: no copy is kept
	mu   gosync.Mutex
	last []byte // what the file holds, as far as this engine wrote it
}

// keepMembers writes the copy after home, name, membership records or addresses have changed in the store. That it fails is no reason to fail
// what changed them: the next start writes it. Called without mem.mu.
func (e *Engine) keepMembers(ctx context.Context) {
	if e.copied.dir == "" {
		return
	}
	if err := e.writeMembers(ctx); err != nil && e.run.Err() == nil {
		e.opts.Log.Warn("the copy of this device's memberships could not be written; the next start tries again", "err", err)
	}
}

func (e *Engine) writeMembers(ctx context.Context) error {
	c := &e.copied
	c.mu.Lock()
	defer c.mu.Unlock()
	e.mem.mu.Lock()
	r := memberRecords{Self: string(e.identity.ID()), Home: e.mem.home, Name: e.mem.name}
	for _, id := range e.mem.ids() {
		r.Spaces = append(r.Spaces, e.mem.spaces[id].Records())
	}
	e.mem.mu.Unlock()
	for entry, err := range e.log.Settings().List(ctx, []byte(keyAddrs)) {
		if err != nil {
			return err
		}
		at := peerAddress{Peer: string(entry.Key[len(keyAddrs):])}
		if entry.Err != nil || decodeRecord(entry.Value, &at.Addrs) != nil {
			continue // the next connection finds them again
		}
		r.Addrs = append(r.Addrs, at)
	}
	b, err := r.encode()
	if err != nil {
		return err
	}
	if b = hide(e.keys, membersFile, b); bytes.Equal(b, c.last) {
		return nil
	}
	if err := replaceFile(filepath.Join(c.dir, membersFile), b); err != nil {
		return err
	}
	c.last = b
	return nil
}

// replaceFile gives a file other contents, all or none of them.
func replaceFile(path string, b []byte) (err error) {
	temp := path + ".new"
	if err := removeIfThere(temp); err != nil { // of an attempt that was interrupted
		return err
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// storedMemberships is what openMemberships found in the store.
type storedMemberships struct {
	bad map[doc.SpaceID]error // spaces whose records do not read
	err error                 // home or name do not read
}

func (s storedMemberships) problem() error {
	return errors.Join(append(slices.Collect(maps.Values(s.bad)), s.err)...)
}

// restoreMembers compares what the store says with the copy. What the store lost comes back from the copy, with a warning: the home and the
// name where the store has none, spaces it does not have, and records it does not have. An error says that something is missing in both.
func (e *Engine) restoreMembers(ctx context.Context, found storedMemberships) error {
	whole := e.mem.spaces[e.mem.home] != nil && found.problem() == nil
	kept, err := memberRecords{}, fs.ErrNotExist
	if e.copied.dir != "" {
		kept, err = readMembersFile(e.copied.dir, e.keys)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nowhere(found.problem())
	case err != nil && whole:
		e.opts.Log.Warn("the copy of this device's memberships did not read and is written again", "err", err)
		return nil
	case err != nil:
		return errors.Join(found.problem(), fmt.Errorf("the store has lost this device's memberships, and the file %s does not read: restore a backup, "+
			"or move that file away to begin without documents: %w", membersFile, err))
	case kept.Self != string(e.identity.ID()) && whole:
		return nil // put there by hand; written again
	case kept.Self != string(e.identity.ID()):
		return errors.Join(found.problem(), fmt.Errorf("the file %s belongs to another device: give back its %s", membersFile, identityFile))
	}
	spaces, err := kept.spaces()
	if err != nil {
		return errors.Join(found.problem(), err)
	}
	return e.takeBack(ctx, found, kept, spaces)
}

// keyLost leads to a lostRecord from when memberships were taken back until a repair takes note: documents may be gone as well.
var keyLost = []byte("lost")

type lostRecord struct {
	Since int64 `cbor:"1,keyasint"` // Unix milliseconds
}

// nowhere says what to do about a record that neither the store nor the copy has.
func nowhere(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; the file %s does not have it either: restore a backup, or join again in another directory", err, membersFile)
}

// takeBack gives the store what only the copy has.
func (e *Engine) takeBack(ctx context.Context, found storedMemberships, kept memberRecords, spaces map[doc.SpaceID]*space.Members) error {
	m := &e.mem
	var b persist.Batch
	if m.spaces[m.home] == nil && spaces[m.home] == nil && spaces[kept.Home] != nil {
		m.home = kept.Home
		b.Put(keyHome, encodeRecord(m.home))
	}
	if m.name == "" {
		m.name = kept.Name
		b.Put(keyName, encodeRecord(m.name))
	}
	for id, s := range spaces {
		if m.spaces[id] == nil && id == kept.Home && m.home != id {
			continue // left for another home, and the process ended before the copy said so
		}
		news, err := m.merge(id, s)
		if err != nil {
			return errors.Join(found.problem(), err)
		}
		if news {
			b.Put(spaceKey(id), encodeRecord(m.spaces[id].Records()))
		}
	}
	for id, err := range found.bad {
		if m.spaces[id] == nil {
			return nowhere(err)
		}
	}
	if b.Len() == 0 {
		return found.err
	}
	for _, at := range kept.Addrs {
		key := addrsKey(p2p.PeerID(at.Peer))
		if _, err := e.log.Settings().Get(ctx, key); errors.Is(err, persist.ErrNotFound) {
			b.Put(key, encodeRecord(at.Addrs))
		}
	}
	b.Put(keyLost, encodeRecord(lostRecord{Since: e.now().UnixMilli()}))
	if err := e.log.Settings().Apply(ctx, &b); err != nil {
		return fmt.Errorf("take the memberships back from their copy: %w", err)
	}
	e.opts.Log.Warn("the store had lost memberships: they were taken back from the copy beside it; documents come back from other devices, "+
		"see 'peer doctor'", "err", found.problem())
	return nil
}

// merge adds the records of a space, and reports whether there were new ones.
func (m *memberships) merge(id doc.SpaceID, s *space.Members) (bool, error) {
	have := m.spaces[id]
	if have == nil {
		m.spaces[id] = s
		return true, nil
	}
	changed := false
	for _, raw := range s.Records() {
		news, err := have.Add(raw)
		if err != nil {
			return false, err
		}
		changed = changed || news
	}
	return changed, nil
}

// usedBefore reports whether a directory was a device's, whatever became of its identity.
func usedBefore(dir string) bool {
	for _, name := range []string{storeDir, membersFile, identityCopyFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// keepIdentity sees to it that there is a second copy of the identity, which this engine has opened.
func keepIdentity(dir string) error {
	key, err := readUpTo(filepath.Join(dir, identityFile), maxMembersFile)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, identityCopyFile)
	if st, err := os.Lstat(path); err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o077 == 0 { // it is as secret
		if have, err := readUpTo(path, maxMembersFile); err == nil && bytes.Equal(have, key) {
			return nil
		}
	}
	return replaceFile(path, key)
}
