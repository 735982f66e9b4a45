package doc

import (
	"errors"
	"slices"
	"time"

	"tombolo/doc/opset"
)

// Deletion is how a document came to be deleted.
type Deletion struct {
	Time time.Time // as in [Marks]
	By   []Hash    // the changes that say so, sorted; several where devices deleted it apart
}

// Deletion says whether and by which changes the document is deleted. It is the zero Deletion where it is not.
func (d *Doc) Deletion() (Deletion, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.open()
	if err != nil {
		return Deletion{}, err
	}
	marks, ok := mapAt(s.Now(), opset.Root, marksKey)
	if !ok {
		return Deletion{}, nil
	}
	out := Deletion{Time: deletedAt(s.Now(), marks)}
	if out.Time.IsZero() {
		return Deletion{}, nil
	}
	for _, item := range s.Now().Conflicts(s.NewKey(marks, markDeleted)) {
		out.By = append(out.By, s.Graph().At(s.ChangeOf(item)))
	}
	slices.SortFunc(out.By, Hash.Compare)
	return out, nil
}

// deletedAt is the time in the mark of a deleted document. What is no time there is no deletion.
func deletedAt(v opset.View, marks opset.Object) time.Time {
	item, ok := v.Get(marks, markDeleted)
	if !ok {
		return time.Time{}
	}
	at, _ := v.Value(item).(time.Time)
	return at
}

// SetDeleted marks the document as deleted at a time, which is kept in whole milliseconds; with the zero time it takes the deletion back. A
// document that is deleted, or is not, stays as it is. What other devices write meanwhile is in the document either way. A deletion that another
// device made without knowing of this one is not taken back.
func (tx *Tx) SetDeleted(at time.Time) error {
	if tx.over {
		return errTxOver
	}
	marks, ok := mapAt(tx.s.Now(), opset.Root, marksKey)
	if !ok {
		return errors.New("delete the document: it has no genesis; apply that first")
	}
	if deletedAt(tx.s.Now(), marks).IsZero() == at.IsZero() {
		return nil
	}
	want, err := wanted(at)
	if err != nil {
		return err
	}
	slot := tx.s.NewKey(marks, markDeleted)
	if !at.IsZero() {
		return tx.put(slot, want)
	}
	draft, err := tx.write()
	if err != nil {
		return err
	}
	draft.Delete(slot)
	return nil
}
