package tombolo

import (
	"context"
	"slices"
	gosync "sync"
	"time"

	"tombolo/doc"
	"tombolo/sync"
)

// A document that was purged and is restored from a backup has nothing of its deletion, which other devices still have. When they bring that, it is
// taken back here, once: whoever restored the document knew that it was deleted. Until then this device remembers which changes deleted it.

// keyRestored, a space and a document lead to a restoredRecord.
const keyRestored = "restored/"

type restoredRecord struct {
	By []byte `cbor:"1,keyasint"` // the changes that deleted it, 32 bytes each
}

// restorations are the documents whose deletion is to be taken back. Its lock may be taken while the core's is held, not the other way round.
type restorations struct {
	mu gosync.Mutex
	of map[sync.Key][]doc.Hash
}

func restoredKey(key sync.Key) []byte {
	return slices.Concat([]byte(keyRestored), key.Space[:], key.Doc[:])
}

func (e *Engine) openRestorations(ctx context.Context) error {
	e.restored.of = map[sync.Key][]doc.Hash{}
	for entry, err := range e.log.Settings().List(ctx, []byte(keyRestored)) {
		if err != nil {
			return err
		}
		rest := entry.Key[len(keyRestored):]
		var r restoredRecord
		if err := decodeRecord(entry.Value, &r); err != nil || len(rest) != 32 || len(r.By)%32 != 0 {
			e.opts.Log.Warn("a document that was restored may be deleted once more by what another device brings", "err", errCodec)
			continue
		}
		key := sync.Key{Space: doc.SpaceID(rest[:16]), Doc: doc.ID(rest[16:])}
		for by := range slices.Chunk(r.By, 32) {
			e.restored.of[key] = append(e.restored.of[key], doc.Hash(by))
		}
	}
	return nil
}

// expectDeletion remembers what deleted a document that is about to be restored after it was purged.
func (e *Engine) expectDeletion(ctx context.Context, key sync.Key) error {
	t, ok := e.tomb(key)
	if !ok {
		return nil
	}
	var r restoredRecord
	for _, h := range t.by {
		r.By = append(r.By, h[:]...)
	}
	if err := e.log.Settings().Put(ctx, restoredKey(key), encodeRecord(r)); err != nil {
		return err
	}
	e.restored.mu.Lock()
	defer e.restored.mu.Unlock()
	e.restored.of[key] = t.by
	return nil
}

// deletionCame takes note that another device has exactly what this one has of a document, so the deletion may have come. Called with the core's
// lock held.
func (e *Engine) deletionCame(key sync.Key) {
	e.restored.mu.Lock()
	_, ok := e.restored.of[key]
	e.restored.mu.Unlock()
	if ok {
		e.enqueue(key, restoredJob{})
	}
}

// restoredJob asks whether the deletion of a restored document is here.
type restoredJob struct{}

// stayRestored takes a deletion back that came after the document was restored, and no other one.
func (d *document) stayRestored(ctx context.Context) {
	d.e.restored.mu.Lock()
	by, ok := d.e.restored.of[d.key]
	d.e.restored.mu.Unlock()
	if !ok {
		return
	}
	done, err := d.takeDeletionBack(ctx, by)
	if err == nil && done {
		err = d.e.log.Settings().Delete(ctx, restoredKey(d.key))
	}
	if err != nil {
		d.e.opts.Log.Warn("a restored document is deleted by what another device brought; the next comparison tries again to bring it back",
			"doc", d.key.Doc.Short(), "err", err)
		return
	}
	if done {
		d.e.restored.mu.Lock()
		defer d.e.restored.mu.Unlock()
		delete(d.e.restored.of, d.key)
	}
}

// takeDeletionBack reports whether the deletion is here, and with it what takes it back.
func (d *document) takeDeletionBack(ctx context.Context, by []doc.Hash) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.settled(ctx); err != nil {
		return false, err
	}
	if err := d.read(ctx); err != nil {
		return false, err
	}
	if len(d.graph.Missing(by)) > 0 {
		return false, nil
	}
	deletion, err := d.full.Deletion()
	if err != nil {
		return false, err
	}
	if deletion.Time.IsZero() || slices.ContainsFunc(deletion.By, func(h doc.Hash) bool { return !slices.Contains(by, h) }) {
		return true, nil // somebody has taken it back, or has deleted it anew
	}
	_, err = d.markNow(ctx, "restore", time.Time{})
	return err == nil, err
}
