package doc

import (
	"errors"
	"io"
	"maps"
	"slices"

	"tombolo/doc/opset"
)

// ErrNoMarks reports changes that took away the marks ($m) of the document they are to become part of.
var ErrNoMarks = errors.New("the file was made of this very document and its marks ($m) were removed by another program; import it under another name, or without one")

// Imported is a new document with the genesis of app and id, and behind it the changes of an .automerge file, as [ReadSaved] gives them. One change
// more gives it name, unless that is empty, and has its marks stand for those that a file of another document brings; note is
// what that change says. The document has the value of the file, and a fresh actor.
func Imported(id ID, app, name string, changes [][]byte, note Note, random io.Reader) (*Doc, error) {
	d, err := Load(id, slices.Concat([][]byte{Genesis(id, app)}, changes), random)
	if err != nil {
		return nil, err
	}
	_, err = d.Edit(note, func(tx *Tx) error {
		if err := tx.ownMarks(string(genesisActor(id, app))); err != nil || name == "" {
			return err
		}
		return tx.SetName(name)
	})
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// ownMarks takes away the marks that are not by the document's genesis, which is its first change. What they hide stays hidden.
func (tx *Tx) ownMarks(genesis string) error {
	v := tx.s.Now()
	slot := tx.s.NewKey(opset.Root, marksKey)
	var own, others []opset.Item
	for _, item := range v.Conflicts(slot) {
		if tx.s.ID(item).Actor == genesis {
			own = append(own, item)
		} else {
			others = append(others, item)
		}
	}
	switch {
	case len(own) == 0:
		return ErrNoMarks
	case len(others) == 0:
		return nil
	}
	gone := goneOf(tx.s.Without([]int{0}))
	draft, err := tx.write()
	if err != nil {
		return err
	}
	draft.Withdraw(slot, others)
	for _, path := range slices.Sorted(maps.Keys(gone)) {
		p, err := ParsePointer(path)
		if err != nil {
			continue // somebody else's key
		}
		if err := tx.setGone(p, true); err != nil {
			return err
		}
	}
	return nil
}
