package core

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Box notes what goes into the core. Its Before must have made the note where it survives the death of the process when it returns; an
// error keeps the bytes out of the core. After takes back one note of the same entry. Both are called from several goroutines at once.
type Box interface {
	Before(what Entry) error
	After(what Entry) error
}

// Entry says which bytes the core had when the process died.
type Entry struct {
	Doc   [16]byte
	Space [16]byte
	Hash  [32]byte // Digest of what FromChanges, Load or Add was given
	From  string   // the sender's name, empty for a file of this device; a FileBox keeps its first 255 bytes
}

// Digest names bytes in an [Entry]: the SHA-256 of a single piece, and for several the SHA-256 of their lengths (8 bytes each, little-endian)
// and contents in turn. A change within a batch has no digest of its own: after a death by a batch, add its changes one by one.
func Digest(pieces ...[]byte) (sum [32]byte) {
	if len(pieces) == 1 {
		return sha256.Sum256(pieces[0])
	}
	h := sha256.New()
	var length [8]byte
	for _, p := range pieces {
		binary.LittleEndian.PutUint64(length[:], uint64(len(p)))
		h.Write(length[:])
		h.Write(p)
	}
	return [32]byte(h.Sum(nil))
}

// noted runs call, which gives pieces to the core, between Before and After.
func (o Options) noted(pieces [][]byte, call func() error) (err error) {
	if o.Box == nil {
		return call()
	}
	what := Entry{Doc: o.Doc, Space: o.Space, Hash: Digest(pieces...), From: o.From}
	if err := o.Box.Before(what); err != nil {
		return refused(err)
	}
	// A panic that somebody recovers is no death: the note goes in that case too.
	defer func() {
		if after := o.Box.After(what); after != nil && err == nil {
			err = &refusal{fmt.Errorf("core: done, but its note stays in the black box, which will blame it at the next start: %w", after)}
		}
	}()
	return call()
}
