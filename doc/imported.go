package doc

import (
	"errors"
	"io"
	"slices"

	"tombolo/doc/opset"
)

// ErrOtherMarks reports changes that bring marks ($m) of their own which stand before those of the document they are to become part of.
var ErrOtherMarks = errors.New("these changes are of another document, whose marks would hide those of this one; give the new document no name, or another ID")

// Imported is a new document with the genesis of app and id, and behind it the changes of an .automerge file, as [ReadSaved] gives them. Where the
// file is of a document with a genesis of its own, every second ID or so is [ErrOtherMarks]: try another. Containers that were removed
// in such a file show up again, empty. The document has a fresh actor.
func Imported(id ID, app string, changes [][]byte, random io.Reader) (*Doc, error) {
	d, err := Load(id, slices.Concat([][]byte{Genesis(id, app)}, changes), random)
	if err != nil {
		return nil, err
	}
	if marks, ok := mapAt(d.set.Now(), opset.Root, marksKey); ok {
		if _, item := d.set.Made(marks); d.set.ID(item).Actor == string(genesisActor(id, app)) {
			return d, nil
		}
	}
	return nil, errors.Join(ErrOtherMarks, d.Close())
}
