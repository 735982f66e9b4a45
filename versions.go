package tombolo

import (
	"context"
	"fmt"
	"iter"

	"tombolo/doc"
)

// History yields the changes of the document from the newest to the oldest; see [doc.Doc.History] for the order and the cost, and [doc.Entry] for
// what others only claim. It ends with an error when the document left the memory meanwhile, as [Handle.At] says.
func (h *Handle) History() iter.Seq2[doc.Entry, error] {
	return func(yield func(doc.Entry, error) bool) {
		left := 0
		full, err := query(h, func(full *doc.Doc) (*doc.Doc, error) {
			left = full.Len()
			return full, nil
		})
		if err != nil {
			yield(doc.Entry{}, err)
			return
		}
		for e := range full.History() {
			if left--; !yield(e, nil) {
				return
			}
		}
		if left > 0 {
			yield(doc.Entry{}, fmt.Errorf("history of %s: %w", h.URL(), doc.ErrClosed))
		}
	}
}

// At is the document at older heads, for reading; see [doc.Doc.At]. It is [doc.ErrClosed] when the document left the memory meanwhile, because
// the disk refused a change or the document moved to another space: ask for it again.
func (h *Handle) At(heads []doc.Hash) (*doc.Version, error) {
	return query(h, func(full *doc.Doc) (*doc.Version, error) { return full.At(heads) })
}

// Diff is what leads from the value at one version to that at another; see [doc.Doc.Diff].
func (h *Handle) Diff(from, to []doc.Hash) ([]doc.Patch, error) {
	return query(h, func(full *doc.Doc) ([]doc.Patch, error) { return full.Diff(from, to) })
}

// Conflicts are all values that changes made apart left at a path; see [doc.Doc.Conflicts].
func (h *Handle) Conflicts(path string) ([]doc.Conflict, error) {
	return query(h, func(full *doc.Doc) ([]doc.Conflict, error) { return full.Conflicts(path) })
}

// AllConflicts are the paths that have more than one value; see [doc.Doc.AllConflicts].
func (h *Handle) AllConflicts() ([]doc.Pointer, error) {
	return query(h, (*doc.Doc).AllConflicts)
}

// Cursor is a place in a text or list that stays where it is while people edit around it; see [doc.Doc.Cursor].
func (h *Handle) Cursor(path string, at int) (doc.Cursor, error) {
	return query(h, func(full *doc.Doc) (doc.Cursor, error) { return full.Cursor(path, at) })
}

// Position is where a cursor stands now; see [doc.Doc.Position].
func (h *Handle) Position(c doc.Cursor) (int, error) {
	return query(h, func(full *doc.Doc) (int, error) { return full.Position(c) })
}

// Revert makes the value what it was at older heads, by a change like others that is durable when Revert returns; see [doc.Doc.Revert]. It can be
// undone.
func (h *Handle) Revert(ctx context.Context, heads []doc.Hash) error {
	return wait(ctx, func() (*Pending, error) {
		return h.write(ctx, "revert", func(full *doc.Doc, note doc.Note) (doc.Edited, error) {
			edited, err := full.Revert(heads, note)
			if err == nil {
				h.undo.Did(edited)
			}
			return edited, err
		})
	})
}

// Undo takes back the newest change made through this Handle that is not taken back yet, by a change of its own that is durable when Undo
// returns. What others wrote since stays; [doc.Doc.Undo] says what that means. [doc.ErrNoStep] when there is none. The Handle keeps the
// newest 100 changes, and begins anew when the disk refused one.
func (h *Handle) Undo(ctx context.Context) error {
	return wait(ctx, func() (*Pending, error) {
		return h.write(ctx, "undo", func(full *doc.Doc, note doc.Note) (doc.Edited, error) { return full.Undo(h.undo, note) })
	})
}

// Redo takes back the newest [Handle.Undo], unless something was changed through this Handle since.
func (h *Handle) Redo(ctx context.Context) error {
	return wait(ctx, func() (*Pending, error) {
		return h.write(ctx, "redo", func(full *doc.Doc, note doc.Note) (doc.Edited, error) { return full.Redo(h.undo, note) })
	})
}

// CanUndo says whether there is a change to undo.
func (h *Handle) CanUndo() bool {
	d := h.lock()
	defer d.mu.Unlock()
	return h.undo.CanUndo()
}

// CanRedo says whether there is a change to redo.
func (h *Handle) CanRedo() bool {
	d := h.lock()
	defer d.mu.Unlock()
	return h.undo.CanRedo()
}
