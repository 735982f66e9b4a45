package tombolo

import (
	"context"
	"errors"
	"fmt"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// adopt makes a space the home and moves the documents of the old home into it. The old home goes last: when the move is interrupted,
// it still has what was not moved, and joining again with Adopt goes on.
func (e *Engine) adopt(ctx context.Context, to doc.SpaceID) (int, error) {
	from := e.Home().id
	if from == to {
		return 0, nil
	}
	moved, err := e.moveDocuments(ctx, from, to)
	if err != nil {
		return 0, err
	}
	e.mem.mu.Lock()
	old := e.mem.spaces[from]
	e.mem.home = to
	delete(e.mem.spaces, from) // from here on nobody makes a document in it
	e.mem.mu.Unlock()
	late, err := e.moveDocuments(ctx, from, to) // made while the others moved
	if err == nil {
		var b persist.Batch
		b.Put(keyHome, encodeRecord(to))
		b.Delete(spaceKey(from))
		err = e.log.Settings().Apply(ctx, &b)
	}
	if err != nil {
		e.mem.mu.Lock()
		e.mem.home, e.mem.spaces[from] = from, old
		e.mem.mu.Unlock()
		return 0, fmt.Errorf("change the home: %w", err)
	}
	e.keepMembers(ctx)
	return moved + late, nil
}

// moveDocuments gives all documents of one space to another. Where the other has a document too, both histories merge.
func (e *Engine) moveDocuments(ctx context.Context, from, to doc.SpaceID) (int, error) {
	names := map[doc.ID]bool{}
	for name := range e.names() {
		if name.Space == from {
			names[name.Doc] = true
		}
	}
	e.docsMu.Lock()
	for key := range e.documents { // some are only on their way to the disk
		if key.Space == from {
			names[key.Doc] = true
		}
	}
	e.docsMu.Unlock()
	moved := 0
	for id := range names {
		did, err := e.moveDocument(ctx, sync.Key{Space: from, Doc: id}, sync.Key{Space: to, Doc: id})
		if err != nil {
			return 0, fmt.Errorf("move document %s: %w", id.Short(), err)
		}
		if did {
			moved++
		}
	}
	return moved, nil
}

// moveDocument reports whether there was something to move. Nothing else locks two documents at once, and joining is held.
func (e *Engine) moveDocument(ctx context.Context, from, to sync.Key) (bool, error) {
	d := e.hold(from)
	defer e.release(d)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.read(ctx); err != nil {
		return false, err
	}
	if err := d.settled(ctx); err != nil { // with what reading it salvaged
		return false, err
	}
	if d.full == nil {
		return false, errors.New("what was changed last could not be written, the log says why; try again")
	}
	empty := d.graph.Len() == 0
	if empty && e.patient(from) == nil {
		return false, e.movePatient(ctx, from, to)
	}
	heir := e.hold(to)
	defer e.release(heir)
	heir.mu.Lock()
	defer heir.mu.Unlock()
	if err := heir.settled(ctx); err != nil {
		return false, err
	}
	var err error
	if !empty {
		err = e.log.Move(ctx, d.name(), heir.name())
	}
	switch {
	case empty:
	case errors.Is(err, persist.ErrExists):
		err = e.mergeInto(ctx, d, heir)
	case err == nil:
		heir.discard() // it was nothing; what it is now is read at the next use
		heir.heads, heir.durable = d.heads, d.durable
		e.step(sync.Changed{Key: to, After: heir.heads})
	}
	if err != nil {
		return false, err
	}
	if err := e.movePatient(ctx, from, to); err != nil {
		return false, err
	}
	if e.patient(to) != nil {
		heir.enqueue(healJob{}) // together they may have everything
	}
	e.bequeath(d, heir)
	e.forget(from)
	return true, nil
}

// mergeInto adds the changes of d to the document that the other space has already, and then removes d. Called with both locked; heir
// is not while it waits for the disk.
func (e *Engine) mergeInto(ctx context.Context, d, heir *document) error {
	var changes [][]byte
	for raw, err := range e.log.Changes(ctx, d.name(), 1) {
		if err != nil {
			return err
		}
		changes = append(changes, raw)
	}
	if err := heir.read(ctx); err != nil {
		return err
	}
	before := heir.graph.Heads()
	applied, err := heir.full.Apply(changes...)
	if err != nil {
		return err
	}
	if len(applied.New) > 0 {
		s := &save{before: before}
		for _, c := range applied.New {
			s.changes = append(s.changes, c.Raw)
		}
		heir.submit(s, heir.marks())
	}
	p := heir.underWay()
	heir.mu.Unlock()
	err = p.Wait(ctx)
	heir.mu.Lock()
	if err != nil {
		return err
	}
	if news := heir.durable - d.durable; news > 0 {
		d.tell(Event{Changes: news, Remote: true})
	}
	return e.log.Remove(ctx, d.name())
}

// bequeath gives the handles and watchers of d, which is no more, to heir. Called with both locked.
func (e *Engine) bequeath(d, heir *document) {
	for w := range d.watchers {
		heir.watchers[w] = struct{}{}
	}
	clear(d.watchers)
	e.docsMu.Lock()
	heir.holds += d.handles
	d.holds -= d.handles
	delete(e.documents, d.key)
	e.docsMu.Unlock()
	heir.handles += d.handles
	d.discard()
	d.heir, d.handles = heir, 0
}
