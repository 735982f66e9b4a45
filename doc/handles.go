package doc

import (
	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// List writes to the list at a path. Reading it is [Tx.Get] or [Tx.Read].
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
	return l.put(v, func(n int) (int, error) { return at, l.within(at, n+1) })
}

func (l List) within(at, limit int) error {
	if at < 0 || at >= limit {
		return &PathError{Path: l.path, Reason: "the index is outside the list"}
	}
	return nil
}

func (l List) put(v any, where func(n int) (int, error)) error {
	want, err := wanted(v)
	if err != nil {
		return err
	}
	pl, err := l.tx.create(l.path, kindList)
	if err != nil {
		return err
	}
	obj := pl.object(l.tx.s)
	at, err := where(l.tx.s.Now().Len(obj))
	if err != nil {
		return err
	}
	return l.tx.insert(obj, at, want)
}

// Delete removes n elements from index at on.
func (l List) Delete(at, n int) error {
	obj, size, err := l.there()
	if err != nil {
		return err
	}
	if n < 0 || at < 0 || at > size || n > size-at {
		return &PathError{Path: l.path, Reason: "the elements to delete are not all in the list"}
	}
	draft, err := l.tx.write()
	if err != nil {
		return err
	}
	for range n {
		sl, _ := l.tx.s.Now().Index(obj, at)
		draft.Delete(sl)
	}
	return nil
}

// Reinsert takes the element at index from out and inserts a copy of its value so that it stands at index to. It is not a move: the copy is a new
// element, what others do to the old one at the same time is not in it, and if two devices reinsert one element there are two of it.
func (l List) Reinsert(from, to int) error {
	obj, size, err := l.there()
	if err != nil {
		return err
	}
	if err := l.within(from, size); err != nil {
		return err
	}
	if err := l.within(to, size); err != nil {
		return err
	}
	_, item := l.tx.reader().element(obj, from)
	v, err := wanted(l.tx.s.Now().Value(item))
	if err != nil {
		return err
	}
	if err := l.Delete(from, 1); err != nil {
		return err
	}
	return l.tx.insert(obj, to, v)
}

// there is the list, which must exist, and its length.
func (l List) there() (opset.Object, int, error) {
	if l.tx.over {
		return 0, 0, errTxOver
	}
	p, err := parsePath(l.path)
	if err != nil {
		return 0, 0, err
	}
	obj, ok, err := l.tx.listAt(p)
	if err == nil && !ok {
		err = badPath(p, "there is no list")
	}
	if err != nil {
		return 0, 0, err
	}
	return obj, l.tx.s.Now().Len(obj), nil
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
	if _, err := wanted(s); err != nil {
		return err
	}
	pl, err := t.tx.create(t.path, kindText)
	if err != nil {
		return err
	}
	return t.tx.splice(pl.object(t.tx.s), pl.path, at, del, s)
}

// Add increments the counter at a path, which must exist (Set it to a [Counter] first). Increments of several devices add up.
func (tx *Tx) Add(path string, by int64) error {
	if tx.over {
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
	if !pl.has || tx.kindAt(pl) != value.CounterKind {
		return badPath(p, "it is not a counter")
	}
	return tx.increment(pl.slot(tx.s), by)
}

// create is the place of the container of kind k at a path, created if nothing is there.
func (tx *Tx) create(path string, k kind) (place, error) {
	if tx.over {
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
	if !pl.has || pl.hidden && pl.kind(tx.s) != k {
		empty, err := value.Of(map[kind]any{kindMap: map[string]any{}, kindList: []any{}, kindText: Text("")}[k])
		if err != nil {
			return place{}, err
		}
		if err := tx.set(p, empty); err != nil {
			return place{}, err
		}
	}
	if err := tx.reveal(p); err != nil {
		return place{}, err
	}
	if pl, err = tx.place(p); err != nil {
		return place{}, err
	}
	if pl.kind(tx.s) != k {
		return place{}, badPath(p, "it is %s, not a %s", tx.reader().word(pl), k)
	}
	return pl, nil
}

// listAt reports whether a list stands at p, and gives it, taken out of hiding.
func (tx *Tx) listAt(p Pointer) (opset.Object, bool, error) {
	pl, err := tx.place(p)
	if err != nil {
		return 0, false, err
	}
	if pl.kind(tx.s) != kindList || pl.hidden {
		return 0, false, nil
	}
	return pl.object(tx.s), true, tx.reveal(p)
}
