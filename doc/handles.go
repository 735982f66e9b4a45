package doc

import (
	"github.com/automerge/automerge-go"
)

// List writes to the list at a path. Reading it is [Tx.Get].
type List struct {
	tx   *Tx
	path string
}

// List names the list at a path. Appending or inserting creates it where nothing is.
func (tx *Tx) List(path string) List { return List{tx, path} }

// Append adds values at the end.
func (l List) Append(values ...any) error {
	for _, v := range values {
		if err := l.put(v, func(n int) (int, error) { return n, nil }); err != nil {
			return err
		}
	}
	return nil
}

// Insert adds a value before index at, 0 ≤ at ≤ length.
func (l List) Insert(at int, v any) error {
	return l.put(v, func(n int) (int, error) {
		if at < 0 || at > n {
			return 0, &PathError{Path: l.path, Reason: "the index to insert at is outside the list"}
		}
		return at, nil
	})
}

func (l List) put(v any, where func(n int) (int, error)) error {
	v, err := normalize(v)
	if err != nil {
		return err
	}
	pl, err := l.tx.open(l.path, kindList)
	if err != nil {
		return err
	}
	list := pl.now.List()
	at, err := where(list.Len())
	if err != nil {
		return err
	}
	return l.tx.insert(list, at, v)
}

// TextRef writes to the collaborative text at a path.
type TextRef struct {
	tx   *Tx
	path string
}

// Text names the collaborative text at a path. Splicing creates it where nothing is.
func (tx *Tx) Text(path string) TextRef { return TextRef{tx, path} }

// Splice removes del characters at position at and inserts s there. Positions count Unicode code points.
func (t TextRef) Splice(at, del int, s string) error {
	if _, err := normalize(s); err != nil {
		return err
	}
	pl, err := t.tx.open(t.path, kindText)
	if err != nil {
		return err
	}
	return t.tx.splice(pl.now.Text(), pl.path, at, del, s)
}

// Add increments the counter at a path, which must exist (Set it to a [Counter] first). Increments of several devices add up.
func (tx *Tx) Add(path string, by int64) error {
	if tx.closed {
		return errTxOver
	}
	p, err := parsePath(path)
	if err != nil {
		return err
	}
	pl, err := tx.place(p)
	if err != nil {
		return err
	}
	if pl.now.Kind() != automerge.KindCounter {
		return badPath(p, "it is not a counter")
	}
	tx.write()
	return pl.now.Counter().Inc(by)
}

// open is the place of the container of kind k at a path, created if nothing is there.
func (tx *Tx) open(path string, k kind) (place, error) {
	if tx.closed {
		return place{}, errTxOver
	}
	p, err := parsePath(path)
	if err != nil {
		return place{}, err
	}
	pl, err := tx.place(p)
	if err != nil {
		return place{}, err
	}
	if pl.now.Kind() == automerge.KindVoid || pl.hidden && kindOf(pl.now) != k {
		if err := tx.set(p, map[kind]any{kindList: []any{}, kindText: Text("")}[k]); err != nil {
			return place{}, err
		}
		if pl, err = tx.place(p); err != nil {
			return place{}, err
		}
	}
	if kindOf(pl.now) != k {
		return place{}, badPath(p, "it is %s, not a %s", kindWord(pl.now), k)
	}
	return pl, tx.reveal(p)
}

// listAt reports whether a list stands at p, and gives it, taken out of hiding.
func (tx *Tx) listAt(p Pointer) (*automerge.List, bool, error) {
	pl, err := tx.place(p)
	if err != nil {
		return nil, false, err
	}
	if pl.now.Kind() != automerge.KindList || pl.hidden {
		return nil, false, nil
	}
	return pl.now.List(), true, tx.reveal(p)
}
