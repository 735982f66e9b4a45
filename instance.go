package tombolo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A device is one directory. Where two have the same identity, peers talk to now the one and now the other, and what one of them says to have on
// its disk is not on the other's. So the store keeps a mark of the place it is in: of what a copy of the directory cannot have. Moving the directory
// within its file system keeps it.

// Copied says what a directory is that turns out to be a copy, see [Options].
type Copied int

const (
	// CopiedAsk makes Open return a [CopiedError].
	CopiedAsk Copied = iota
	// CopiedMoved says that the original is gone and never runs again: this is the device now.
	CopiedMoved
	// CopiedNew says that the original lives on. The copy becomes a device of its own: with a new identity, and a new home that takes the
	// documents of the old one. In other spaces it is no member until it is invited.
	CopiedNew
)

// CopiedError reports a directory that was copied from another one, or restored from a copy of its files. Nobody but its owner knows which of the
// two goes on as the device: [Options].Copied answers.
type CopiedError struct {
	Dir   string
	Since time.Time // when the original was opened first, or was last said to have moved
}

func (e *CopiedError) Error() string {
	return fmt.Sprintf("%s is a copy of a device's directory, and a device must not run twice: where the original is gone, open this one as moved; "+
		"where it lives on, open this one as a new device", e.Dir)
}

var keyInstance = []byte("instance") // an instanceRecord

// instanceRecord is the mark. One place of several is enough to be the same: the identity can be put back from its copy, and the store made anew.
type instanceRecord struct {
	Salt   []byte   `cbor:"1,keyasint"`
	Places [][]byte `cbor:"2,keyasint"` // hash of salt and place: identity.key, and the store's directory
	Since  int64    `cbor:"3,keyasint"` // Unix seconds
	Peer   string   `cbor:"4,keyasint"` // whose mark it is
}

// checkInstance asks whether the store is where it was left, and has the directory become another device where that was asked for, or was begun
// before the process ended. Called before the memberships are read.
func (e *Engine) checkInstance(ctx context.Context, dir string) error {
	settings := e.log.Settings()
	begun, bad, err := readSetting[renewalRecord](ctx, settings, keyRenewal)
	if err = errors.Join(err, bad); err != nil {
		return err
	}
	if begun.Peer != "" && e.opts.forking != nil && !begun.Alone {
		return errBegun
	}
	if begun.Peer != "" {
		return e.becomeNew(ctx, dir, begun)
	}
	if e.opts.forking != nil {
		return e.renew(ctx, dir)
	}
	mark, bad, err := readSetting[instanceRecord](ctx, settings, keyInstance)
	if err != nil {
		return err
	}
	if bad != nil {
		mark = instanceRecord{} // it says nothing, and is written again
	}
	if mark.Peer != "" && mark.Peer != string(e.identity.ID()) {
		return nil // no copy, but another device's store: the memberships say so
	}
	here, err := places(dir, mark.Salt)
	if err != nil {
		return fmt.Errorf("find out where the device is: %w", err)
	}
	if len(here) == 0 || slices.EqualFunc(here, mark.Places, bytes.Equal) {
		return nil // this system does not say, or it is where it was
	}
	if mark.elsewhere(here) {
		switch e.opts.Copied {
		case CopiedMoved:
			e.opts.Log.Info("the device has moved here", "dir", dir)
		case CopiedNew:
			return e.renew(ctx, dir)
		default:
			return &CopiedError{Dir: dir, Since: time.Unix(mark.Since, 0)}
		}
	}
	e.markInstance(ctx, dir)
	return nil
}

// markInstance says in the store where it is. That it cannot is no reason not to open: nothing is known then, as before.
func (e *Engine) markInstance(ctx context.Context, dir string) {
	mark := instanceRecord{Salt: make([]byte, 16), Since: e.now().Unix(), Peer: string(e.identity.ID())}
	_, err := io.ReadFull(e.opts.Rand, mark.Salt)
	if err == nil {
		mark.Places, err = places(dir, mark.Salt)
	}
	if err == nil && len(mark.Places) > 0 {
		err = e.log.Settings().Put(ctx, keyInstance, encodeRecord(mark))
	}
	if err != nil {
		e.opts.Log.Warn("a copy of this directory would not be noticed; the next start tries again", "err", err)
	}
}

// elsewhere reports whether a directory that is here is another one than that of the mark.
func (m instanceRecord) elsewhere(here [][]byte) bool {
	same := slices.ContainsFunc(here, func(p []byte) bool {
		return slices.ContainsFunc(m.Places, func(q []byte) bool { return bytes.Equal(p, q) })
	})
	return !same && len(here) > 0 && len(m.Places) > 0
}

// places are where the device is, hidden from whoever reads the store. None where the system does not say.
func places(dir string, salt []byte) ([][]byte, error) {
	var out [][]byte
	for _, name := range []string{identityFile, storeDir} {
		place, err := placeOf(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) && name == storeDir {
			continue // the store is somewhere else
		}
		if err != nil {
			return nil, err
		}
		if place == nil {
			continue
		}
		h := sha256.New()
		for _, part := range [][]byte{[]byte("tombolo place 1"), salt, []byte(name), place, machine()} {
			h.Write([]byte{byte(len(part))})
			h.Write(part)
		}
		out = append(out, h.Sum(nil))
	}
	return out, nil
}

// machine is what tells this computer from others, as far as it says.
func machine() []byte {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil || len(id) > 255 {
		return nil
	}
	return bytes.TrimSpace(id)
}
