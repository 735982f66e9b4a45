package doc

import (
	"maps"
	"slices"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// Tx writes to a document inside [Doc.Edit] and reads it with those writes in place. Paths are JSON Pointers, or a plain key for
// the pointer with that one key. A Tx is for one goroutine and ends with the function it was given to.
type Tx struct {
	d       *Doc
	s       *opset.Set
	note    Note
	draft   *opset.Draft  // the change in the making; nil before the first write
	made    []gate.Change // containers created at fixed paths so far
	placed  map[Hash]bool // those of made that the draft will add
	over    bool
	writes  int      // how many so far
	scratch [10]byte // see encode
	failed  error    // a patch was left half done: the edit fails, whatever fn makes of that error
	exact   bool     // a string is no text and a number no counter, see Revert

	maps  map[string]container // see container
	asked bool                 // name and ours are known, see app
	name  string
	ours  bool
}

// Get reads the value at a path, as [Doc.Get] does.
func (tx *Tx) Get(path string) (any, error) {
	if tx.over {
		return nil, errTxOver
	}
	return tx.reader().get(path)
}

// Read decodes the value at a path, as [Doc.Read] does.
func (tx *Tx) Read(path string, into any) error {
	if tx.over {
		return errTxOver
	}
	return tx.reader().read(path, into)
}

// Set makes v the value at a path: a Go value of any type that package value describes. The map or list that holds it must exist; "-" as last
// token appends to a list. What is there already is changed as little as possible: maps by key, lists by element, text by character; keys that
// a struct does not have stay, those that a map does not have go. A plain string set over a [Text] edits the text, a whole number set over
// a [Counter] adds the difference. The path "" takes a map or struct: the whole document.
func (tx *Tx) Set(path string, v any) error {
	if tx.over {
		return errTxOver
	}
	p, err := parsePath(path)
	if err != nil {
		return err
	}
	want, err := wanted(v)
	if err != nil {
		return err
	}
	if err := tx.set(p, want); err != nil {
		return err
	}
	return tx.settle(p)
}

// settle takes away what other devices left beside the value that was set.
func (tx *Tx) settle(p Pointer) error {
	pl, err := tx.place(p)
	if err != nil || pl.root() || !pl.has {
		return nil // at "-" of a list, which appended
	}
	live := tx.s.Now().Conflicts(pl.slot(tx.s))
	if len(live) < 2 {
		return nil
	}
	draft, err := tx.write()
	if err != nil {
		return err
	}
	draft.Withdraw(pl.slot(tx.s), live[:len(live)-1])
	return nil
}

// wanted is v as something to be stored, wholly checked: nothing is written that fails half-way.
func wanted(v any) (value.Value, error) {
	want, err := value.Of(v)
	if err != nil {
		return want, err
	}
	return want, want.Check()
}

// Put makes v, a map or struct, the value of the document by the least difference.
func (tx *Tx) Put(v any) error { return tx.Set("", v) }

func (tx *Tx) set(p Pointer, want value.Value) error {
	if err := checkRoot(p, want); err != nil {
		return err
	}
	if len(p) > 0 && p[len(p)-1] == "-" {
		if l, ok, err := tx.listAt(p[:len(p)-1]); err != nil || ok {
			if err != nil {
				return err
			}
			return tx.insert(l, tx.s.Now().Len(l), want)
		}
	}
	pl, err := tx.place(p)
	if err != nil {
		return err
	}
	if err := tx.prepare(pl, want); err != nil {
		return err
	}
	if pl, err = tx.place(p); err != nil {
		return err
	}
	if err := tx.reveal(p); err != nil {
		return err
	}
	return tx.assign(pl, want)
}

// checkRoot refuses what the root cannot be and the keys that belong to the engine.
func checkRoot(p Pointer, want value.Value) error {
	if len(p) > 0 {
		if err := checkKey(p[len(p)-1]); err != nil {
			return badPath(p, "%v", err)
		}
		return nil
	}
	if want.Kind() != value.Map {
		return badPath(p, "the document itself is a map (a JSON object), not %s", want.Kind())
	}
	for k := range want.Fields {
		if k == marksKey {
			return badPath(Pointer{marksKey}, "the key %s belongs to the engine", marksKey)
		}
	}
	return nil
}

func (tx *Tx) place(p Pointer) (place, error) { return tx.reader().place(p) }

// Remove takes away the value at a path, which must exist. A container at a fixed path (map keys only) is cleared and hidden until
// something is in it again, so that what others add to it at the same time is not lost.
func (tx *Tx) Remove(path string) error {
	if tx.over {
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
	pl, err := tx.reader().find(p)
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
	if pl, err = tx.place(p); err != nil {
		return err
	}
	return tx.take(pl)
}

// take removes what is at a place.
func (tx *Tx) take(pl place) error {
	if tx.clears(pl) {
		return tx.clear(pl)
	}
	draft, err := tx.write()
	if err != nil {
		return err
	}
	draft.Delete(pl.slot(tx.s))
	return nil
}

// clears says whether removing means to clear: containers at fixed paths of our documents. In others nothing can be hidden.
func (tx *Tx) clears(pl place) bool {
	if !pl.fixed || pl.kind(tx.s) == kindNone {
		return false
	}
	_, ours := tx.app()
	return ours
}

// clear empties the container at a fixed path, and those in it, and hides them. The map of marks exists by now.
func (tx *Tx) clear(pl place) error {
	if err := tx.setGone(pl.path, true); err != nil {
		return err
	}
	obj := pl.object(tx.s)
	if pl.kind(tx.s) == kindMap {
		for _, in := range tx.children(pl) {
			if err := tx.take(in); err != nil {
				return err
			}
		}
		return nil
	}
	draft, err := tx.write()
	if err != nil {
		return err
	}
	for _, sl := range slotsOf(tx.s.Now(), obj) {
		draft.Delete(sl)
	}
	return nil
}

// children are the places of what a map holds, by ascending key. The marks are not among them.
func (tx *Tx) children(pl place) []place {
	obj, v := pl.object(tx.s), tx.s.Now()
	found := map[string]place{}
	for sl, item := range v.Keys(obj) {
		k := tx.s.KeyOf(sl)
		if !pl.root() || k != marksKey {
			found[k] = place{path: pl.path.child(k), fixed: pl.fixed, parent: obj, key: k, item: item, has: true}
		}
	}
	out := make([]place, 0, len(found))
	for _, k := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[k])
	}
	return out
}

// slotsOf are the visible elements of a list or text.
func slotsOf(v opset.View, obj opset.Object) []opset.Slot {
	var out []opset.Slot
	for sl := range v.Elements(obj) {
		out = append(out, sl)
	}
	return out
}

// reveal takes the containers on the way to p, and p itself, out of hiding, before something is written there.
func (tx *Tx) reveal(p Pointer) error {
	r := tx.reader()
	for i := 1; r.hiding() && i <= len(p); i++ {
		if r.isGone(p[:i]) {
			if err := tx.setGone(p[:i], false); err != nil {
				return err
			}
		}
	}
	return nil
}
