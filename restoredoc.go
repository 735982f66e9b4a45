package tombolo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/persist/backup"
	"tombolo/sync"
)

// RestoredDocument is the outcome of [Engine.RestoreDocument].
type RestoredDocument struct {
	URL     doc.URL    `json:"url"`
	Changes int        `json:"changes"` // that this device did not have
	Heads   []doc.Hash `json:"-"`       // the version of the backup, which the document's value is now
}

// RestoreDocument makes a document again what it was in a backup, which [UnsealBackup] gives, and returns when that is on this device's disk. The
// backup's changes are added where they are missing, so that a document comes back that this device does not have any more; what was written
// since is taken back by a change like others, so other devices follow and do not undo it, and the history has all of it. What they wrote and this
// device does not have yet is not taken back: connect first. Where it was deleted, that is taken back too. The document is looked for
// by its URL, and by its ID where the backup has it in one other space: a device restored as a new one has another home. [ErrNotFound] where the
// backup does not have it.
func (e *Engine) RestoreDocument(ctx context.Context, r io.Reader, u doc.URL) (RestoredDocument, error) {
	if err := e.use(); err != nil {
		return RestoredDocument{}, err
	}
	defer e.work.Done()
	if err := e.mayWrite(u.Space); err != nil {
		return RestoredDocument{}, err
	}
	was, err := fromBackup(ctx, r, u)
	if err != nil {
		return RestoredDocument{}, fmt.Errorf("restore %s: %w", u, err)
	}
	key := sync.Key{Space: u.Space, Doc: u.Doc}
	if err := e.mayGoBack(ctx, key); err != nil {
		return RestoredDocument{}, fmt.Errorf("restore %s: %w", u, err)
	}
	n, err := e.restoreAs(ctx, key, was)
	if err != nil {
		return RestoredDocument{}, fmt.Errorf("restore %s: %w", u, err)
	}
	return RestoredDocument{URL: u, Changes: n, Heads: was.heads}, nil
}

// copied is a document in a backup.
type copied struct {
	changes [][]byte
	heads   []doc.Hash
	deleted bool
	err     error // it does not read; then there is nothing else
}

// fromBackup looks for a document. The backup is read to its end: before that, nothing in it is certain.
func fromBackup(ctx context.Context, r io.Reader, u doc.URL) (copied, error) {
	a, err := backup.NewReader(r)
	if err != nil {
		return copied{}, err
	}
	defer a.Close()
	found := map[doc.SpaceID]copied{}
	d := dissection{want: func(n persist.Name) bool { return n.Doc == u.Doc }}
	d.each = func(name persist.Name, header persist.Header, changes [][]byte, err error) error {
		if name.Space != u.Space && len(found) > 0 {
			found[name.Space] = copied{} // one of several others is not what is looked for
			return nil
		}
		c := copied{changes: changes, heads: hashes(header.Heads), err: err}
		if err == nil {
			c.deleted, c.err = rebuild(name, header, changes)
		}
		found[name.Space] = c
		return nil
	}
	if err := d.documents(ctx, a); err != nil {
		return copied{}, err
	}
	c, ok := found[u.Space]
	if !ok && len(found) == 1 {
		for _, c = range found {
			ok = true
		}
	}
	switch {
	case !ok && len(found) > 1:
		return copied{}, fmt.Errorf("the backup has it in %d other spaces: restore the backup as a new device, and take it from there", len(found))
	case !ok:
		return copied{}, fmt.Errorf("the backup: %w", ErrNotFound)
	case c.err != nil:
		return copied{}, fmt.Errorf("it is damaged in the backup: %w", c.err)
	}
	return c, nil
}

// restoreAs adds what a backup has to a document and goes back to its version. It gives the number of changes that were new.
func (e *Engine) restoreAs(ctx context.Context, key sync.Key, was copied) (int, error) {
	if !was.deleted {
		if err := e.expectDeletion(ctx, key); err != nil {
			return 0, err
		}
	}
	n, err := e.addChanges(ctx, key, was.changes)
	if err != nil {
		return 0, err
	}
	if _, purged := e.tomb(key); purged { // or it would be deleted again; the changes may have come in an attempt that was interrupted
		if err := e.forgetTomb(ctx, key); err != nil {
			return n, err
		}
	}
	h, err := e.open(ctx, key)
	if _, later := errors.AsType[*LayoutError](err); later && n == len(was.changes) {
		return n, nil // nothing of it was here, so it is at that version
	}
	if err != nil {
		return n, err
	}
	edit := func(may func(*document) error, change func(*doc.Doc, doc.Note) (doc.Edited, error)) error {
		return wait(ctx, func() (*Pending, error) { return h.writeIf(ctx, may, "restore", change) })
	}
	if !was.deleted { // the mark is no part of the value
		err = edit((*document).mayWrite, func(full *doc.Doc, note doc.Note) (doc.Edited, error) {
			if marks, err := full.Marks(); err != nil || marks.Deleted.IsZero() {
				return doc.Edited{}, err
			}
			return full.Edit(note, undeleted)
		})
	}
	if err == nil && !slices.Equal(h.Heads(), was.heads) {
		err = edit((*document).mayEdit, func(full *doc.Doc, note doc.Note) (doc.Edited, error) { return full.Revert(was.heads, note) })
	}
	return n, errors.Join(err, h.Close())
}

// mayGoBack says why this program may not change the value of a document that is here, before anything is added to it.
func (e *Engine) mayGoBack(ctx context.Context, key sync.Key) error {
	d := e.hold(key)
	defer e.release(d)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.read(ctx); err != nil {
		return err
	}
	if err := d.isKnown(); err != nil {
		return err
	}
	return d.standing.why
}

func undeleted(tx *doc.Tx) error { return tx.SetDeleted(time.Time{}) }

// addChanges adds changes to a document as far as they are not here, and returns when they are on disk. A quarantined document ends its quarantine:
// with everything it lacked, or else as the backup has it.
func (e *Engine) addChanges(ctx context.Context, key sync.Key, changes [][]byte) (int, error) {
	d := e.hold(key)
	defer e.release(d)
	p, n, err := d.addChanges(ctx, changes)
	if err == nil {
		err = p.Wait(ctx)
	}
	if err != nil || e.patient(key) == nil {
		return n, err
	}
	if d.heal(ctx); e.patient(key) == nil {
		return n, nil
	}
	return n, e.Accept(ctx, doc.URL{Space: key.Space, Doc: key.Doc})
}

func (d *document) addChanges(ctx context.Context, changes [][]byte) (*Pending, int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.read(ctx); err != nil {
		return nil, 0, err
	}
	before := d.graph.Heads()
	applied, err := d.full.Apply(changes...)
	if err != nil {
		return nil, 0, err
	}
	if len(applied.New) == 0 {
		return d.underWay(), 0, nil
	}
	s := &save{before: before}
	for _, c := range applied.New {
		s.changes = append(s.changes, c.Raw)
	}
	return &Pending{s: d.submit(s, d.marks())}, len(applied.New), nil
}
