package tombolo

import (
	"context"
	"errors"
	"fmt"
	gosync "sync"
	"time"

	"tombolo/doc"
	"tombolo/doc/core"
	"tombolo/persist"
	"tombolo/sync"
)

// Nothing on the way of an edit needs Automerge's own core; reading and writing .automerge files does, and malformed bytes end the process there.
// What the core has is noted in a file. A note that is found at the next start says what was to blame: those bytes are quarantined, so that the
// core never gets them again and the engine works without them.

// QuarantinedError reports bytes that are kept from Automerge's core, because an earlier process ended while the core had them.
type QuarantinedError struct {
	Space doc.SpaceID
	Doc   doc.ID    // what they were to become, or were exported from
	From  string    // the device that sent them; empty for this one
	Hash  [32]byte  // as of [core.Digest]
	Since time.Time // when that was found
}

func (e *QuarantinedError) Error() string {
	from := "this device"
	if e.From != "" {
		from = e.From
	}
	return fmt.Sprintf("this program ended while Automerge's core was reading these bytes (document %s, from %s), so the core does not get them again; "+
		"use an older copy or another device; if something else ended the program, Pardon lets them through", e.Doc.Short(), from)
}

// keyQuarantine and the digest of bytes lead to a quarantineRecord.
const keyQuarantine = "quarantine/"

type quarantineRecord struct {
	Space doc.SpaceID `cbor:"1,keyasint"`
	Doc   doc.ID      `cbor:"2,keyasint"`
	From  string      `cbor:"3,keyasint,omitempty"`
	Since int64       `cbor:"4,keyasint"` // Unix milliseconds
}

// blackBox is the notes, and what earlier ones led to.
type blackBox struct {
	file *core.FileBox

	mu          gosync.Mutex
	quarantined map[[32]byte]quarantineRecord
}

// openBox reads the quarantine, and adds to it what the last process died of.
func (e *Engine) openBox(ctx context.Context, path string) error {
	b := &e.box
	b.quarantined = map[[32]byte]quarantineRecord{}
	for entry, err := range e.log.Settings().List(ctx, []byte(keyQuarantine)) {
		if err != nil {
			return err
		}
		var r quarantineRecord
		hash := entry.Key[len(keyQuarantine):]
		if err := decodeRecord(entry.Value, &r); err != nil || len(hash) != 32 {
			return fmt.Errorf("read what is kept from Automerge's core: %w", errors.Join(err, errCodec))
		}
		b.quarantined[[32]byte(hash)] = r
	}
	file, left, err := core.OpenBox(path)
	if err != nil {
		return err
	}
	b.file = file
	if n := file.Torn(); n > 0 {
		e.opts.Log.Warn("the black box was damaged; what the last process died of may be tried again", "notes", n)
	}
	var batch persist.Batch
	left = e.uncovered(left)
	for _, l := range left {
		r := quarantineRecord{Space: l.Space, Doc: l.Doc, From: l.From, Since: e.now().UnixMilli()}
		b.quarantined[l.Hash] = r
		batch.Put(quarantineKey(l.Hash), encodeRecord(r))
		e.opts.Log.Warn("the last process ended while Automerge's core was reading a document; these bytes are kept from it now", "doc", r.Doc.Short(),
			"peer", r.From, "err", r.error(l.Hash))
	}
	if len(left) == 0 {
		return nil
	}
	if err := e.log.Settings().Apply(ctx, &batch); err != nil {
		for _, l := range left {
			err = errors.Join(err, file.Before(cover(e.keys, l))) // for the next start
		}
		return fmt.Errorf("quarantine what ended the last process: %w", err)
	}
	return nil
}

func quarantineKey(hash [32]byte) []byte { return append([]byte(keyQuarantine), hash[:]...) }

func (r quarantineRecord) error(hash [32]byte) error {
	return &QuarantinedError{Space: r.Space, Doc: r.Doc, From: r.From, Hash: hash, Since: time.UnixMilli(r.Since)}
}

// Pardon lets bytes through to Automerge's core again, by the Hash of their [QuarantinedError]: for the case that the process was ended by something
// else at that moment. Bytes that are not quarantined stay so.
func (e *Engine) Pardon(ctx context.Context, hash [32]byte) error {
	if err := e.use(); err != nil {
		return err
	}
	defer e.work.Done()
	if err := e.log.Settings().Delete(ctx, quarantineKey(hash)); err != nil {
		return fmt.Errorf("pardon what is kept from Automerge's core: %w", err)
	}
	e.box.mu.Lock()
	defer e.box.mu.Unlock()
	delete(e.box.quarantined, hash)
	return nil
}

// noted is the box for one call to the core about a document: its Before refuses what is quarantined.
type noted struct {
	e   *Engine
	key sync.Key
}

func (n noted) Before(what core.Entry) error {
	b := &n.e.box
	b.mu.Lock()
	r, ok := b.quarantined[what.Hash]
	b.mu.Unlock()
	if ok {
		return r.error(what.Hash)
	}
	return b.file.Before(cover(n.e.keys, n.about(what)))
}

func (n noted) After(what core.Entry) error {
	return n.e.box.file.After(cover(n.e.keys, n.about(what)))
}

func (n noted) about(what core.Entry) core.Entry {
	what.Space, what.Doc = n.key.Space, n.key.Doc
	return what
}
