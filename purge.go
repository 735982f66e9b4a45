package tombolo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	gosync "sync"
	"time"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// A purged document leaves a tombstone: the version it had, by which this device stays in step with others that have the same, and the changes that
// deleted it. When a device with another version brings the document back, it comes whole. If that device had not heard of the deletion, this one
// deletes the document again, so that no deletion is lost, and no edit either. It is not purged again: the other device has yet to hear of it.

// keyPurged, a space and a document lead to a tombRecord.
const keyPurged = "purged/"

// maxTombBy is how many changes that deleted a document are remembered. Others are as good: whoever has one of them knows of the deletion.
const maxTombBy = 1000

type tombRecord struct {
	HeadsHash [32]byte `cbor:"1,keyasint"`
	By        []byte   `cbor:"2,keyasint"` // the changes that deleted it, 32 bytes each
	Since     int64    `cbor:"3,keyasint"` // when it was purged, Unix milliseconds
	Deleted   int64    `cbor:"4,keyasint"` // when it was deleted, Unix milliseconds
}

// tomb is what is remembered of a purged document.
type tomb struct {
	headsHash [32]byte
	by        []doc.Hash
	deleted   time.Time
}

// tombs is what is remembered of all purged documents. Its lock may be taken while the core's is held, not the other way round.
type tombs struct {
	mu  gosync.Mutex
	of  map[sync.Key]tomb
	due map[sync.Key]bool // documents that are here again, exactly as another device has them
}

func purgedKey(key sync.Key) []byte {
	return slices.Concat([]byte(keyPurged), key.Space[:], key.Doc[:])
}

// openTombs reads the tombstones and tells the core of documents that are still gone.
func (e *Engine) openTombs(ctx context.Context) error {
	e.tombs.of, e.tombs.due = map[sync.Key]tomb{}, map[sync.Key]bool{}
	for entry, err := range e.log.Settings().List(ctx, []byte(keyPurged)) {
		if err != nil {
			return err
		}
		rest := entry.Key[len(keyPurged):]
		var r tombRecord
		if err := decodeRecord(entry.Value, &r); err != nil || len(rest) != 32 || len(r.By)%32 != 0 {
			e.opts.Log.Warn("a purged document is forgotten; other devices may bring it back", "err", errCodec)
			continue
		}
		t := tomb{headsHash: r.HeadsHash, deleted: time.UnixMilli(r.Deleted).UTC()}
		for by := range slices.Chunk(r.By, 32) {
			t.by = append(t.by, doc.Hash(by))
		}
		key := sync.Key{Space: doc.SpaceID(rest[:16]), Doc: doc.ID(rest[16:])}
		e.tombs.of[key] = t
		if _, here := e.core.versions[key]; !here {
			e.core.core.Bury(key, t.headsHash)
		}
	}
	return nil
}

// copyTombs has what was purged in one space count as purged in another, too. It counts in the first one for the day this device is a member of
// it again. Called before openTombs.
func (e *Engine) copyTombs(ctx context.Context, from, to doc.SpaceID) error {
	b := &persist.Batch{}
	for entry, err := range e.log.Settings().List(ctx, slices.Concat([]byte(keyPurged), from[:])) {
		if err != nil {
			return err
		}
		rest := entry.Key[len(keyPurged)+len(from):]
		if entry.Err != nil || len(rest) != len(doc.ID{}) {
			continue // openTombs says so
		}
		if b.Bytes() > persist.MaxBatch/2 {
			if err := e.log.Settings().Apply(ctx, b); err != nil {
				return err
			}
			b = &persist.Batch{}
		}
		b.Put(purgedKey(sync.Key{Space: to, Doc: doc.ID(rest)}), entry.Value)
	}
	return e.log.Settings().Apply(ctx, b)
}

// tomb is what is remembered of a document that was purged.
func (e *Engine) tomb(key sync.Key) (tomb, bool) {
	e.tombs.mu.Lock()
	defer e.tombs.mu.Unlock()
	t, ok := e.tombs.of[key]
	return t, ok
}

// Purge drops everything that this device has on its disk of a deleted document. What no other device has of it is lost; devices that have it keep it,
// and the status on them says that this one has nothing. The document comes back, deleted, if a device is met that has another version of it, such as
// one that was away when it was deleted. It must be closed. A document that is purged already stays so.
func (e *Engine) Purge(ctx context.Context, u doc.URL) error {
	if err := e.use(); err != nil {
		return err
	}
	defer e.work.Done()
	key := sync.Key{Space: u.Space, Doc: u.Doc}
	job := purgeJob{make(chan error, 1)}
	if _, err := e.log.Header(ctx, persist.Name{Space: u.Space, Doc: u.Doc}); errors.Is(err, persist.ErrNotFound) {
		if _, ok := e.tomb(key); ok {
			return nil
		}
		return fmt.Errorf("%s: %w", u, ErrNotFound)
	}
	e.enqueue(key, job)
	select {
	case err := <-job.done:
		if err != nil {
			return fmt.Errorf("purge %s: %w", u, err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// purgeJob waits for its turn among the document's other work, so that the core has no answers that say what was.
type purgeJob struct{ done chan error }

// purge gives up what is on disk of a document that nobody uses.
func (d *document) purge(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for { // what waits gives mu up, and others may open it meanwhile
		if d.handles > 0 {
			return errors.New("it is open; close it first, and what watches it")
		}
		if err := d.read(ctx); err != nil {
			return err
		}
		if d.handles == 0 && len(d.unsaved) == 0 && d.waiting == nil {
			break
		}
		if err := d.settled(ctx); err != nil {
			return err
		}
	}
	if err := d.e.damaged(d.key); err != nil {
		return err
	}
	if d.graph.Len() == 0 {
		return ErrNotFound
	}
	deletion, err := d.full.Deletion()
	if err != nil {
		return err
	}
	if deletion.Time.IsZero() {
		return ErrNotDeleted
	}
	t := tomb{headsHash: doc.HeadsHash(d.key.Doc, d.heads), by: deletion.By[:min(len(deletion.By), maxTombBy)], deleted: deletion.Time}
	r := tombRecord{HeadsHash: t.headsHash, Since: d.e.now().UnixMilli(), Deleted: t.deleted.UnixMilli()}
	for _, h := range t.by {
		r.By = append(r.By, h[:]...)
	}
	// First the tombstone: with a document beside it, it does no harm.
	if err := d.e.log.Settings().Put(ctx, purgedKey(d.key), encodeRecord(r)); err != nil {
		return err
	}
	err = d.e.dropAsides(ctx, d.key) // of earlier damage that was accepted
	if err == nil {
		err = d.e.log.Remove(ctx, d.name())
	}
	if err != nil {
		if _, gone := d.e.log.Header(ctx, d.name()); !errors.Is(gone, persist.ErrNotFound) {
			return errors.Join(err, d.e.log.Settings().Delete(ctx, purgedKey(d.key)))
		}
		d.e.opts.Log.Warn("the bytes of a purged document go at the next start", "doc", d.key.Doc.Short(), "err", err)
	}
	d.discard()
	d.durable, d.heads, d.loose, d.bytes, d.meta, d.value, d.cached = 0, nil, 0, 0, meta{}, nil, doc.Hash{}
	d.e.tombs.mu.Lock()
	d.e.tombs.of[d.key] = t
	d.e.tombs.mu.Unlock()
	d.e.step(sync.Purged{Key: d.key, HeadsHash: t.headsHash})
	return nil
}

// Unpurge forgets that a document was purged: a name can be begun anew, and a device that has the document brings it, deleted as it is there.
// [ErrNotFound] where nothing is known of a purge.
func (e *Engine) Unpurge(ctx context.Context, u doc.URL) error {
	if err := e.use(); err != nil {
		return err
	}
	defer e.work.Done()
	key := sync.Key{Space: u.Space, Doc: u.Doc}
	if _, ok := e.tomb(key); !ok {
		return fmt.Errorf("%s: %w, and it was not purged", u, ErrNotFound)
	}
	if err := e.forgetTomb(ctx, key); err != nil {
		return fmt.Errorf("unpurge %s: %w", u, err)
	}
	e.core.mu.Lock()
	_, here := e.core.versions[key]
	e.core.mu.Unlock()
	if !here {
		e.step(sync.Lost{Key: key}) // the next sessions compare without it
	}
	return nil
}

func (e *Engine) forgetTomb(ctx context.Context, key sync.Key) error {
	if err := e.log.Settings().Delete(ctx, purgedKey(key)); err != nil {
		return err
	}
	e.tombs.mu.Lock()
	defer e.tombs.mu.Unlock()
	delete(e.tombs.of, key)
	delete(e.tombs.due, key)
	return nil
}

// begunHere takes note that this device made a document that it had purged, or restored it: then it is not deleted again. Called with the core's
// lock held.
func (e *Engine) begunHere(key sync.Key) {
	if _, ok := e.tomb(key); ok {
		e.work.Go(func() {
			if err := e.forgetTomb(e.run, key); err != nil {
				e.opts.Log.Warn("a document that was purged and made again may be deleted again", "doc", key.Doc.Short(), "err", err)
			}
		})
	}
}

// cameBack takes note that another device has exactly what this one has of a document, so that all of it is here. Called with the core's lock held.
func (e *Engine) cameBack(key sync.Key) {
	e.tombs.mu.Lock()
	_, ok := e.tombs.of[key]
	_, here := e.core.versions[key]
	news := ok && here && !e.tombs.due[key]
	if news {
		e.tombs.due[key] = true
	}
	e.tombs.mu.Unlock()
	if news {
		e.enqueue(key, reviveJob{})
	}
}

// reviveDue tries again what a full disk, or a reader's role, kept from being done.
func (e *Engine) reviveDue() {
	e.tombs.mu.Lock()
	due := slices.Collect(maps.Keys(e.tombs.due))
	e.tombs.mu.Unlock()
	for _, key := range due {
		if e.mayWrite(key.Space) == nil { // or all of them would be read now and then for nothing
			e.enqueue(key, reviveJob{})
		}
	}
}

// reviveJob asks whether a document that is here again is to be deleted again.
type reviveJob struct{}

// revive deletes a document again that came from a device which had not heard of its deletion, and leaves others as they came.
func (d *document) revive(ctx context.Context) {
	t, ok := d.e.tomb(d.key)
	if !ok {
		return
	}
	again, err := d.deleteAgain(ctx, t)
	if err == nil {
		err = d.e.forgetTomb(ctx, d.key)
	}
	switch {
	case errors.Is(err, ErrReadOnly):
		return // a device that may write does it, or this one when it may
	case err != nil:
		d.e.opts.Log.Warn("a document that was deleted and purged is here again; whether it is to be deleted again is asked later", "doc", d.key.Doc.Short(), "err", err)
	case again:
		d.e.opts.Log.Info("a purged document came from a device that had not heard of its deletion; it is deleted again", "doc", d.key.Doc.Short())
	default:
		d.e.opts.Log.Info("a purged document is here again, as another device has it", "doc", d.key.Doc.Short())
	}
}

// deleteAgain makes the deletion known that a tombstone remembers, where the document does not have it. It reports whether it had to.
func (d *document) deleteAgain(ctx context.Context, t tomb) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.send()
	if err := d.settled(ctx); err != nil {
		return false, err
	}
	if err := d.read(ctx); err != nil {
		return false, err
	}
	if d.graph.Len() == 0 || len(d.graph.Missing(t.by)) == 0 {
		return false, nil
	}
	return d.markNow(ctx, "delete", t.deleted)
}

// markNow marks the document as deleted, or with the zero time as not, and waits until that is on disk. It reports whether it had to. Called with
// mu held.
func (d *document) markNow(ctx context.Context, message string, at time.Time) (bool, error) {
	if err := d.mayWrite(); err != nil {
		return false, err
	}
	s := &save{before: d.graph.Heads()}
	edited, err := d.full.Edit(d.e.note(message), func(tx *doc.Tx) error { return tx.SetDeleted(at) })
	if err != nil || len(edited.Changes) == 0 {
		return false, err
	}
	for _, c := range edited.Changes {
		s.changes = append(s.changes, c.Raw)
	}
	d.submit(s, d.marks())
	if err := d.settled(ctx); err != nil {
		return false, err
	}
	return s.err == nil, s.err
}
