package doc

import (
	"errors"
	"fmt"
	"time"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// Note is what a change says about itself.
type Note struct {
	Message string    // why, for people; may be empty
	Time    time.Time // when, to the second; the zero time means 1970
}

// Edited is what an edit made.
type Edited struct {
	Changes []gate.Change // new changes in causal order: containers at fixed paths first, then the edit itself; none if nothing changed
	Heads   []Hash        // the version after the edit
}

// Edit runs fn on the document. What fn writes becomes one change (after the changes that create containers, and in more than one
// where fn writes before it needs a new container at a fixed path). If fn returns an error or panics, the document stays as it was.
// fn must use tx and not the Doc, which is locked meanwhile.
func (d *Doc) Edit(note Note, fn func(*Tx) error) (edited Edited, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.core == nil {
		return Edited{}, ErrClosed
	}
	tx := &Tx{d: d, note: note, before: d.graph.Len()}
	done := false
	defer func() {
		tx.closed = true
		if done || !tx.touched {
			return
		}
		if rerr := d.restore(tx.before); rerr != nil {
			err = errors.Join(err, rerr) // where fn panicked, the panic goes on
		}
	}()
	if err := fn(tx); err != nil {
		return Edited{}, err
	}
	if tx.failed != nil {
		return Edited{}, tx.failed
	}
	if err := tx.flush(); err != nil {
		return Edited{}, err
	}
	done = true
	return Edited{Changes: tx.changes, Heads: d.graph.Heads()}, nil
}

// flush turns the writes since the last flush into a change.
func (tx *Tx) flush() error {
	if !tx.pending {
		return nil
	}
	tx.pending = false
	hash, err := tx.d.core.Commit(tx.note.Message, automerge.CommitOptions{Time: commitTime(tx.note.Time)})
	if err != nil {
		if err.Error() == "Commit is empty" { // every write was of the value already there
			return nil
		}
		return fmt.Errorf("commit: %w", err)
	}
	raw, err := tx.d.change(Hash(hash))
	if err != nil {
		return err
	}
	return tx.admit(raw)
}

// admit records a change that the core has. Our own changes pass the same rules as those of others.
func (tx *Tx) admit(raw []byte) error {
	c, err := gate.Parse(raw)
	if err != nil {
		return fmt.Errorf("this edit cannot be one change, make it in smaller parts: %w", err)
	}
	if _, err := tx.d.graph.Add(c); err != nil {
		return err
	}
	tx.changes = append(tx.changes, c)
	return nil
}

// restore takes the document back to its first n changes. The binding has no rollback, so the core is made anew from its own
// changes: slow on long histories, but only a failed edit pays for it.
func (d *Doc) restore(n int) error {
	d.graph.Truncate(n)
	all, err := d.core.Changes() // commits what fn left behind, under a hash the graph does not know
	if err != nil {
		return d.broken(err)
	}
	var keep []byte
	for _, c := range all {
		if d.graph.Has(Hash(c.Hash())) {
			keep = append(keep, c.Save()...)
		}
	}
	core, err := d.withActor(automerge.New())
	if err != nil {
		return d.broken(err)
	}
	if len(keep) > 0 {
		if err := core.LoadIncremental(keep); err != nil {
			return d.broken(err)
		}
	}
	if !sameHeads(core, d.graph) {
		return d.broken(fmt.Errorf("an edit could not be taken back"))
	}
	d.core = core
	return nil
}

// ensure creates the container at a fixed path by its own deterministic change. It reports false where that does not help: its
// parents were not made this way, or it was once here and was replaced; an ordinary write then creates the container.
func (tx *Tx) ensure(path Pointer, k kind) (bool, error) {
	app, ok := tx.app()
	if !ok {
		return false, nil // not one of our documents: it has no genesis
	}
	c := tx.container(app, path, k)
	if tx.d.graph.Has(c.hash) || !tx.d.graph.Has(c.parent) { // who has the parent has all above it
		return false, nil
	}
	if err := tx.flush(); err != nil {
		return false, err
	}
	tx.touched = true
	if err := tx.d.core.LoadIncremental(c.raw); err != nil {
		return false, fmt.Errorf("create the %s at %s: %w", k, path, err)
	}
	return true, tx.admit(c.raw)
}

// container is containerAt, which costs as much as the path is long, with the maps on the way kept.
func (tx *Tx) container(app string, path Pointer, k kind) container {
	if len(path) == 1 || path[0] == marksKey {
		return containerAt(tx.d.id, app, path, k)
	}
	above := path[:len(path)-1]
	parent, ok := tx.maps[above.String()]
	if !ok {
		parent = tx.container(app, above, kindMap)
		if tx.maps == nil {
			tx.maps = map[string]container{}
		}
		tx.maps[above.String()] = parent
	}
	return containerIn(parent, tx.d.id, app, path, k)
}

// app is the application in the document's genesis; no edit changes it.
func (tx *Tx) app() (string, bool) {
	if !tx.asked {
		marks, err := tx.d.marks()
		tx.asked, tx.name = true, marks.App
		tx.ours = err == nil && tx.d.graph.Has(hashOf(Genesis(tx.d.id, marks.App)))
	}
	return tx.name, tx.ours
}
