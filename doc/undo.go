package doc

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"tombolo/doc/opset"
)

// Undo remembers the edits of one user at one document, so that they can be taken back: a stack of steps to undo and one of steps to redo.
// It names changes and values by their lasting names, so it stays good when the document is closed and loaded again. It is safe for use
// from several goroutines. It takes about 50 bytes for each change of the user, and 200 for every value, element or character that was
// brought back; the latter until a new edit finds both stacks empty.
type Undo struct {
	mu     sync.Mutex
	limit  int
	done   [][]Hash // steps to undo, the last one first
	undone [][]Hash // steps to redo: the changes that undid them

	own   map[Hash]bool         // changes of this user
	items map[opset.ID]opset.ID // what was brought back -> what stands for it
	elems map[opset.ID]opset.ID // elements of lists and texts, likewise
	from  map[opset.ID]opset.ID // items, turned round
}

// ErrNoStep reports that there is nothing to undo or to redo.
var ErrNoStep = errors.New("doc: there is no step to undo or redo; ask CanUndo or CanRedo first")

// NewUndo is an empty stack that keeps the newest limit steps; 100 where limit is 0 or less.
func NewUndo(limit int) *Undo {
	if limit <= 0 {
		limit = 100
	}
	u := &Undo{limit: limit, own: map[Hash]bool{}}
	u.forget()
	return u
}

// forget lets go of what only steps need.
func (u *Undo) forget() {
	u.items, u.elems, u.from = map[opset.ID]opset.ID{}, map[opset.ID]opset.ID{}, map[opset.ID]opset.ID{}
}

// Did adds an edit as a step. What was undone before can then be redone no more. Several edits become one step by joining their Changes, in their
// order; an edit without changes is none.
func (u *Undo) Did(e Edited) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(e.Changes) == 0 {
		return
	}
	if u.undone = nil; len(u.done) == 0 {
		u.forget()
	}
	u.done = append(u.done, u.note(e))
	if len(u.done) > u.limit {
		u.done = slices.Delete(u.done, 0, 1)
	}
}

// note remembers that an edit is the user's.
func (u *Undo) note(e Edited) []Hash {
	var step []Hash
	for _, c := range e.Changes {
		u.own[c.Hash] = true
		step = append(step, c.Hash)
	}
	return step
}

// CanUndo says whether there is a step to undo.
func (u *Undo) CanUndo() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.done) > 0
}

// CanRedo says whether there is a step to redo.
func (u *Undo) CanRedo() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.undone) > 0
}

// Undo takes back the newest step of u by a new change. It takes back what the step did and nothing else:
//
//   - What it wrote is replaced by what was shown before, or removed; where somebody has written over it since, it stays.
//   - What it removed comes back in its place, containers as a copy with what others wrote into them meanwhile, unless somebody else removed
//     it, too. What others write into the removed original later is not in the copy.
//   - A container that it made stays as long as something of others is in it.
//   - Increments are taken off the counter. Marks on rich text stay, and so do seeds ([Tx.Seed]) and the document's marks
//     other than name and deletion.
//
// Where all of that was overwritten the edit has no changes; the step is done with all the same. [ErrNoStep] when there is none. On another
// error u is as it was. It costs the operations of the step, what they bring back, and a walk over the changes made since.
func (d *Doc) Undo(u *Undo, note Note) (Edited, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return d.takeBack(u, note, &u.done, &u.undone)
}

// Redo takes back the newest undo, by the same rules, so that the step is done again.
func (d *Doc) Redo(u *Undo, note Note) (Edited, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return d.takeBack(u, note, &u.undone, &u.done)
}

// TakeBack takes back changes that anybody made, such as those of entries of the history, by the rules of [Doc.Undo] and as one step: what was written
// since by others or by other changes of the same writer stays.
func (d *Doc) TakeBack(note Note, changes ...Hash) (Edited, error) {
	u := NewUndo(1)
	for _, h := range changes {
		u.own[h] = true
	}
	u.done = [][]Hash{changes}
	return d.Undo(u, note)
}

// takeBack takes back the last step of a stack and puts the change that did it on the other one.
func (d *Doc) takeBack(u *Undo, note Note, from, to *[][]Hash) (Edited, error) {
	if len(*from) == 0 {
		return Edited{}, ErrNoStep
	}
	step := (*from)[len(*from)-1]
	var t *taking
	e, err := d.Edit(note, func(tx *Tx) error {
		var err error
		if t, err = newTaking(u, tx, step); err != nil {
			return err
		}
		return t.run()
	})
	if err != nil {
		return Edited{}, fmt.Errorf("take back %d changes: %w", len(step), err)
	}
	*from = (*from)[:len(*from)-1]
	if len(e.Changes) > 0 {
		*to = append(*to, u.note(e))
		t.remember()
	}
	return e, nil
}

// now is what stands for an item or element: the copy of a copy, and so on.
func now(links map[opset.ID]opset.ID, id opset.ID) opset.ID {
	for {
		next, ok := links[id]
		if !ok {
			return id
		}
		id = next
	}
}
