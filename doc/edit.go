package doc

import (
	"errors"
	"fmt"
	"time"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// Note is what a change says about itself.
type Note struct {
	Message string    // why, for people; may be empty
	Time    time.Time // when, to the second; the zero time means 1970
	Author  string    // who, as other devices will show it, unchecked; the one of the first edit after opening counts for all; may be empty
}

// Edited is what an edit made.
type Edited struct {
	Changes []gate.Change // new changes in causal order: containers at fixed paths first, then the edit itself; none if nothing changed
	Heads   []Hash        // the version after the edit
}

// Edit runs fn on the document. What fn writes becomes one change, after the changes that create containers at fixed paths. If fn returns an
// error or panics, the document stays as it was. fn must use tx and not the Doc, which is locked meanwhile.
func (d *Doc) Edit(note Note, fn func(*Tx) error) (edited Edited, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.open()
	if err != nil {
		return Edited{}, err
	}
	before := s.Graph().Len()
	tx := &Tx{d: d, s: s, note: note}
	defer func() {
		if tx.over {
			return
		}
		tx.over = true // fn failed, or panicked and the panic goes on
		if tx.draft != nil {
			tx.draft.Discard()
		}
		s.Truncate(before)
	}()
	if err := fn(tx); err != nil {
		return Edited{}, err
	}
	if tx.failed != nil {
		return Edited{}, tx.failed
	}
	if tx.draft != nil {
		draft := tx.draft
		tx.draft = nil // committed or discarded from here on
		c, some, err := draft.Commit(opset.Note{Message: note.Message, Time: note.Time, Author: []byte(note.Author)})
		if err != nil {
			return Edited{}, fmt.Errorf("this edit cannot be one change: %w", err)
		}
		tx.made = append(tx.made, draft.Gathered()...)
		if some {
			tx.made = append(tx.made, c)
		}
	}
	tx.over = true
	return Edited{Changes: tx.made, Heads: s.Graph().Heads()}, nil
}

// write is the draft, open from the first write on.
func (tx *Tx) write() (*opset.Draft, error) {
	tx.writes++
	if tx.draft == nil {
		draft, err := tx.s.Begin(tx.d.actor[:])
		if err != nil {
			return nil, err
		}
		tx.draft = draft
	}
	return tx.draft, nil
}

// ensure creates the container at a fixed path by its own deterministic change. It reports false where that does not help: its
// map is new in this edit, or it was once here and was replaced; an ordinary write then creates the container. Places found before
// are void afterwards.
func (tx *Tx) ensure(path Pointer, k kind) (bool, error) {
	app, ok := tx.app()
	if !ok {
		return false, nil // not one of our documents: it has no genesis
	}
	made := tx.container(app, path, k)
	if !tx.has(made.parent) { // who has the parent has all above it
		if made, ok = tx.inner(app, path, k); !ok {
			return false, nil
		}
	}
	if tx.has(made.hash) {
		return false, nil
	}
	c, err := gate.Parse(made.raw)
	switch {
	case err != nil:
	case tx.draft == nil:
		_, err = tx.s.Add(c)
	default:
		above, there := tx.holder(path)
		if !there || above != opset.Root && tx.maker(above).hash != made.parent {
			return false, nil // the map is another one by now
		}
		err = tx.draft.Place(tx.s.NewKey(above, path[len(path)-1]), c, k.action())
		if tx.placed == nil {
			tx.placed = map[Hash]bool{}
		}
		tx.placed[c.Hash] = true
	}
	if err != nil {
		return false, badPath(path, "it cannot be created: %v", err)
	}
	tx.made = append(tx.made, c)
	return true, nil
}

// has says whether the document has a change, or will have it with this edit.
func (tx *Tx) has(h Hash) bool { return tx.s.Graph().Has(h) || tx.placed[h] }

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
		tx.asked = true
		tx.name = appOf(tx.s.Now())
		tx.ours = tx.s.Graph().Has(hashOf(Genesis(tx.d.id, tx.name)))
	}
	return tx.name, tx.ours
}

var errTxOver = errors.New("doc: this transaction is over")
