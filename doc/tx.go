package doc

import (
	"errors"
	"maps"
	"slices"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
)

// Tx writes to a document inside [Doc.Edit] and reads it with those writes in place. Paths are JSON Pointers, or a plain key for
// the pointer with that one key. A Tx is for one goroutine and ends with the function it was given to.
type Tx struct {
	d       *Doc
	note    Note
	before  int           // changes in the document when the edit began
	changes []gate.Change // made so far
	touched bool          // the core was written to: an error must be taken back
	pending bool          // writes wait for the next flush
	closed  bool
	writes  int   // how many so far
	failed  error // a patch was left half done: the edit fails, whatever fn makes of that error

	gone  map[string]bool      // see reader
	maps  map[string]container // see container
	asked bool                 // name and ours are known, see app
	name  string
	ours  bool
}

var errTxOver = errors.New("doc: this transaction is over")

func (tx *Tx) write() {
	tx.touched, tx.pending = true, true
	tx.writes++
}

// Get reads the value at a path, as [Doc.Get] does.
func (tx *Tx) Get(path string) (any, error) {
	if tx.closed {
		return nil, errTxOver
	}
	p, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	return tx.get(p)
}

// Set makes v the value at a path. The map or list that holds it must exist; "-" as last token appends to a list. What is there
// already is changed as little as possible: maps by key, lists by element, text by character. A plain string set over a [Text]
// edits the text, a whole number set over a [Counter] adds the difference. The path "" takes a map: the whole document.
func (tx *Tx) Set(path string, v any) error {
	if tx.closed {
		return errTxOver
	}
	p, err := parsePath(path)
	if err != nil {
		return err
	}
	if v, err = normalize(v); err != nil {
		return err
	}
	return tx.set(p, v)
}

// Put makes v, a map, the whole value of the document by the least difference.
func (tx *Tx) Put(v any) error { return tx.Set("", v) }

func (tx *Tx) set(p Pointer, v any) error {
	if err := checkRoot(p, v); err != nil {
		return err
	}
	if len(p) > 0 && p[len(p)-1] == "-" {
		if l, ok, err := tx.listAt(p[:len(p)-1]); err != nil || ok {
			if err != nil {
				return err
			}
			return tx.insert(l, l.Len(), v)
		}
	}
	pl, err := tx.place(p)
	if err != nil {
		return err
	}
	if err := tx.prepare(pl, v); err != nil {
		return err
	}
	if pl, err = tx.place(p); err != nil {
		return err
	}
	if err := tx.reveal(p); err != nil {
		return err
	}
	return tx.assign(pl, v)
}

// checkRoot refuses what the root cannot be and the keys that belong to the engine.
func checkRoot(p Pointer, v any) error {
	if len(p) > 0 {
		return checkKeyAt(p)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return badPath(p, "the document itself is a map (a JSON object), not %s", kindName(v))
	}
	if _, ok := m[marksKey]; ok {
		return badPath(Pointer{marksKey}, "the key %s belongs to the engine", marksKey)
	}
	return nil
}

func checkKeyAt(p Pointer) error {
	if err := checkKey(p[len(p)-1]); err != nil {
		return badPath(p, "%v", err)
	}
	return nil
}

// Remove takes away the value at a path, which must exist. A container at a fixed path (map keys only) is cleared and hidden until
// something is in it again, so that what others add to it at the same time is not lost.
func (tx *Tx) Remove(path string) error {
	if tx.closed {
		return errTxOver
	}
	p, err := parsePath(path)
	if err != nil {
		return err
	}
	return tx.remove(p)
}

func (tx *Tx) remove(p Pointer) error {
	if len(p) == 0 {
		return badPath(p, "the document itself cannot be removed; set it to {} to empty it")
	}
	pl, err := tx.find(p)
	if err != nil {
		return err
	}
	if tx.clears(pl) {
		if err := tx.makeGone(); err != nil {
			return err
		}
	}
	// What holds it may be shown only because it is not empty.
	if err := tx.reveal(p[:len(p)-1]); err != nil {
		return err
	}
	return tx.take(pl)
}

// take removes what is at a place.
func (tx *Tx) take(pl place) error {
	if tx.clears(pl) {
		return tx.clear(pl)
	}
	return tx.erase(pl)
}

// clears says whether removing means to clear: containers at fixed paths of our documents. In others nothing can be hidden.
func (tx *Tx) clears(pl place) bool {
	if !pl.fixed || kindOf(pl.now) == kindNone {
		return false
	}
	_, ours := tx.app()
	return ours
}

// erase deletes the key or element itself.
func (tx *Tx) erase(pl place) error {
	tx.write()
	if pl.l != nil {
		return pl.l.Delete(pl.idx)
	}
	return pl.m.Delete(pl.key)
}

// clear empties the container at a fixed path, and those in it, and hides them.
func (tx *Tx) clear(pl place) error {
	if err := tx.setGone(pl.path, true); err != nil {
		return err
	}
	switch pl.now.Kind() {
	case automerge.KindMap:
		values, err := pl.now.Map().Values()
		if err != nil {
			return err
		}
		for _, k := range slices.Sorted(maps.Keys(values)) {
			inner := place{path: pl.path.child(k), fixed: true, m: pl.now.Map(), key: k, now: values[k]}
			if err := tx.take(inner); err != nil {
				return err
			}
		}
	case automerge.KindList:
		l := pl.now.List()
		for i := l.Len() - 1; i >= 0; i-- {
			if err := tx.erase(place{l: l, idx: i}); err != nil {
				return err
			}
		}
	case automerge.KindText:
		return tx.splice(pl.now.Text(), pl.path, 0, pl.now.Text().Len(), "")
	}
	return nil
}

// reveal takes the containers on the way to p, and p itself, out of hiding, before something is written there.
func (tx *Tx) reveal(p Pointer) error {
	r, err := tx.reader()
	if err != nil {
		return err
	}
	for i := 1; i <= len(p); i++ {
		if r.isGone(p[:i]) {
			if err := tx.setGone(p[:i], false); err != nil {
				return err
			}
		}
	}
	return nil
}
