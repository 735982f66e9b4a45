package doc

import (
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
		if rerr := d.restore(tx.before); rerr != nil && err == nil {
			err = rerr // fn panicked: the panic goes on, the document is closed
		}
	}()
	if err := fn(tx); err != nil {
		return Edited{}, err
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
	app, ok := tx.d.app()
	if !ok {
		return false, nil // not one of our documents: it has no genesis
	}
	for i := 1; i < len(path); i++ {
		if i == 1 && path[0] == marksKey {
			continue
		}
		if !tx.d.graph.Has(containerAt(tx.d.id, app, path[:i], kindMap).hash) {
			return false, nil
		}
	}
	c := containerAt(tx.d.id, app, path, k)
	if tx.d.graph.Has(c.hash) {
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

// app is the application in the document's genesis.
func (d *Doc) app() (string, bool) {
	marks, err := d.marks()
	if err != nil || !d.graph.Has(hashOf(Genesis(d.id, marks.App))) {
		return "", false
	}
	return marks.App, true
}
