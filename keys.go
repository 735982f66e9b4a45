package tombolo

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tombolo/doc"
	"tombolo/doc/core"
	"tombolo/p2p"
	"tombolo/persist/sealed"
)

// A sealed directory shows nobody without its secret what documents there are, what they are called, who this device is or whom it knows: the
// store's records go through persist/sealed, and so do the small files beside it. The data key lies in the file keys, under each of several
// secrets.

var (
	// ErrSealed says that a directory is sealed and Options.Unlock was not given.
	ErrSealed = errors.New("tombolo: the directory is sealed; open it with its passphrase, key file or recovery key (Options.Unlock)")
	// ErrNotSealed says that Options.Unlock was given for a directory that has data in the open. It is not converted: the disk would keep what was
	// written before.
	ErrNotSealed = errors.New("tombolo: the directory is not sealed, and existing data is not sealed in place; open it without a secret, or make a backup and restore it into a sealed directory")
	// ErrKeysLost says that a directory is sealed and its file keys is not there.
	ErrKeysLost = errors.New("tombolo: the directory is sealed and its file 'keys' is missing; put it back from a backup: without it nothing in there can be read")
)

// Sealed reports whether dir is a sealed directory: one to be opened with Options.Unlock. [sealed.Slots] says which kinds of secrets open it.
func Sealed(dir string) bool {
	for _, name := range []string{sealed.FileName, sealed.CopyName} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// Unlock gives the secret that opens a sealed directory: [sealed.Passphrase] of what a person typed, [sealed.KeyFile], [sealed.RecoveryKey]. It is
// called once, in [Open], and only where a secret is needed. With a directory that holds no data yet, the secret is what seals it; that there is no
// recovery key then is what [Seal] is for. Its error is that of Open.
type Unlock func(ctx context.Context) (sealed.Secret, error)

// Seal makes dir, which holds nothing yet, a sealed directory: from now on [Open] needs Options.Unlock with secret, or with the recovery key that it
// returns. Show its Text once, say that it is to be kept on paper, and that with every secret lost the data is lost: no one can help. More secrets
// are added, changed and removed by [sealed.Keys]. Errors: [sealed.ErrWeak], [InUseError], and a text for a directory in use already.
func Seal(dir string, secret sealed.Secret) (recovery sealed.Secret, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return recovery, fmt.Errorf("seal %s: %w", dir, err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return recovery, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if Exists(dir) || usedBefore(dir) {
		return recovery, fmt.Errorf("seal %s: it holds a device already; choose another directory", dir)
	}
	recovery = sealed.NewRecoveryKey()
	_, err = sealed.Create(dir, secret, recovery)
	if errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("it was sealed before and never used; open it with that secret, or remove %s and its copy and seal it again", filepath.Join(dir, sealed.FileName))
	}
	if err != nil {
		return sealed.Secret{}, fmt.Errorf("seal %s: %w", dir, err)
	}
	return recovery, nil
}

// openKeys unlocks the keys of a directory, or makes them in one that has never been used; nil for one that is not sealed.
func openKeys(ctx context.Context, dir string, unlock Unlock) (*sealed.Keys, error) {
	there := Sealed(dir)
	switch {
	case there && unlock == nil:
		return nil, fmt.Errorf("open %s: %w", dir, ErrSealed)
	case !there && hidden(dir):
		return nil, fmt.Errorf("open %s: %w", dir, ErrKeysLost)
	case !there && unlock == nil:
		return nil, nil
	case !there && (Exists(dir) || usedBefore(dir)):
		return nil, fmt.Errorf("open %s: %w", dir, ErrNotSealed)
	}
	secret, err := unlock(ctx)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	open := sealed.Open
	if !there {
		open = func(dir string, secret sealed.Secret) (*sealed.Keys, error) { return sealed.Create(dir, secret) }
	}
	keys, err := open(dir, secret)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	return keys, nil
}

// mendKeys puts a keys file that was damaged, or its copy, back from the other.
func (e *Engine) mendKeys() {
	if e.keys == nil {
		return
	}
	problem := e.keys.Problem()
	if problem == nil {
		return
	}
	e.opts.Log.Warn("the keys of this sealed directory were damaged and are put back; look after the disk, and keep a copy of the file elsewhere", "err", problem)
	if err := e.keys.Mend(); err != nil {
		e.opts.Log.Warn("the keys could not be put back; the next start tries again", "err", err)
	}
}

// examineKeys looks at the keys file and its copy, one of which has served.
func (x *examiner) examineKeys(keys *sealed.Keys) {
	if keys == nil {
		return
	}
	if problem := keys.Problem(); problem != nil {
		x.find(SeverityNote, sealed.FileName, fmt.Sprintf("the keys of this sealed directory, or their copy, are damaged: %v", problem), doStart+"; keep a copy elsewhere as well")
	}
}

// hidden reports whether a directory's identity is sealed.
func hidden(dir string) bool {
	for _, name := range []string{identityFile, identityCopyFile} {
		if b, err := readUpTo(filepath.Join(dir, name), maxMembersFile); err == nil && sealed.IsHidden(b) {
			return true
		}
	}
	return false
}

// identityPlace is what a sealed identity is bound to, in whichever file it lies.
const identityPlace = "identity"

// loadIdentity reads a directory's identity, sealed if there are keys.
func loadIdentity(path string, keys *sealed.Keys) (*p2p.Identity, error) {
	return p2p.LoadHidden(path, func(b []byte) ([]byte, error) {
		b, err := reveal(keys, identityPlace, b)
		if err != nil {
			return nil, fmt.Errorf("%w (%w)", p2p.ErrBrokenIdentity, err)
		}
		return b, nil
	})
}

// createIdentity makes a directory's identity, sealed if there are keys.
func (e *Engine) createIdentity(path string) (*p2p.Identity, error) {
	return p2p.CreateHidden(path, e.opts.Rand, func(b []byte) ([]byte, error) { return hide(e.keys, identityPlace, b), nil })
}

// Hide gives the bytes of a small file of the program's own as the disk may have them, where it lies in the engine's directory: sealed, bound to place,
// if the directory is sealed, and else as they are. The same bytes give the same.
func (e *Engine) Hide(place string, b []byte) []byte { return hide(e.keys, ownPlace+place, b) }

// Reveal gives what Hide got. An error wraps [persist.ErrAltered].
func (e *Engine) Reveal(place string, b []byte) ([]byte, error) {
	return reveal(e.keys, ownPlace+place, b)
}

// ownPlace parts the places of programs from those of the engine.
const ownPlace = "own/"

// hide gives the bytes of a file beside the store as the disk may have them: as they are where keys is nil. place is what reveal is asked with.
func hide(keys *sealed.Keys, place string, b []byte) []byte {
	if keys == nil {
		return b
	}
	return keys.Hide(place, b)
}

// reveal is hide backwards. An error wraps persist.ErrAltered.
func reveal(keys *sealed.Keys, place string, b []byte) ([]byte, error) {
	if keys == nil {
		return b, nil
	}
	return keys.Reveal(place, b)
}

// coveredEntry is a note of the black box in a sealed directory: hidden as a whole, in base64, in the place of the sender.
type coveredEntry struct {
	Space doc.SpaceID `cbor:"1,keyasint"`
	Doc   doc.ID      `cbor:"2,keyasint"`
	Hash  [32]byte    `cbor:"3,keyasint"`
	From  string      `cbor:"4,keyasint,omitempty"`
}

const (
	boxPlace = "blackbox"
	maxFrom  = 64 // bytes of a sender in a hidden note, so that the note keeps within the box's own limit; a peer ID has 52
)

// cover is a note as the black box may have it.
func cover(keys *sealed.Keys, what core.Entry) core.Entry {
	if keys == nil {
		return what
	}
	c := coveredEntry{Space: what.Space, Doc: what.Doc, Hash: what.Hash, From: strings.ToValidUTF8(what.From[:min(len(what.From), maxFrom)], "")}
	return core.Entry{From: base64.RawStdEncoding.EncodeToString(keys.Hide(boxPlace, encodeRecord(c)))}
}

// uncovered are the notes that cover made of these keys, as they were.
func (e *Engine) uncovered(notes []core.Entry) (out []core.Entry) {
	if e.keys == nil {
		return notes
	}
	for _, n := range notes {
		var c coveredEntry
		b, err := base64.RawStdEncoding.DecodeString(n.From)
		if err == nil {
			b, err = e.keys.Reveal(boxPlace, b)
		}
		if err == nil {
			err = decodeRecord(b, &c)
		}
		if err != nil {
			e.opts.Log.Warn("a note of the black box does not read; what the last process died of may be tried again", "err", err)
			continue
		}
		out = append(out, core.Entry{Space: c.Space, Doc: c.Doc, Hash: c.Hash, From: c.From})
	}
	return out
}
