package doc

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// Record is what a table holds under an ID.
//
// Created and Updated are the times of the changes that wrote the record first and last, in whatever way; they take no place in the
// document. Times are what the writers' clocks said: somebody whose clock is wrong, or who lies, has other times. A copy of the value
// without its history starts them again. They are in whole seconds, and zero where no change says a time.
type Record[T any] struct {
	ID      string
	Value   T
	Created time.Time
	Updated time.Time // without deleting and restoring
	Deleted time.Time // zero unless the record is deleted
}

// IsDeleted says whether the record is deleted.
func (r *Record[T]) IsDeleted() bool { return !r.Deleted.IsZero() }

// Get reads a record: [ErrNoRecord] where there never was one, [ErrRecordDeleted] for one that was deleted, and a [ValueError] inside the error
// for one that does not fit a T.
func (t *Table[T]) Get(v View, id string) (rec Record[T], err error) {
	err = v.view(func(r reader, at time.Time) error {
		row, err := t.row(r, id)
		if err != nil {
			return t.failed(id, err)
		}
		rec, err = t.record(r, row, at)
		return err
	})
	return rec, err
}

// List reads all records that are not deleted, by ascending ID. Records that do not fit a T, perhaps written by another version of the program, do
// not keep it from giving the others: the error then names each of them. A table that nobody wrote to is empty.
func (t *Table[T]) List(v View) ([]Record[T], error) {
	return t.list(v, func(row error) bool { return !errors.Is(row, ErrRecordDeleted) })
}

// Deleted is [Table.List] for the records that were deleted.
func (t *Table[T]) Deleted(v View) ([]Record[T], error) {
	return t.list(v, func(row error) bool { return errors.Is(row, ErrRecordDeleted) })
}

// list reads the records of the rows of which wanted says so, given what row said about them.
func (t *Table[T]) list(v View, wanted func(row error) bool) (out []Record[T], err error) {
	err = v.view(func(r reader, at time.Time) error {
		rows, err := t.rows(r)
		var failed []error
		for _, row := range rows {
			if state := r.state(row); errors.Is(state, ErrNoRecord) || !wanted(state) {
				continue
			}
			rec, err := t.record(r, row, at)
			if err != nil {
				failed = append(failed, err)
				continue
			}
			out = append(out, rec)
		}
		return errors.Join(append(failed, err)...)
	})
	return out, err
}

// All yields the records that are not deleted, by ascending ID, each read when its turn comes: the document may be used and changed in
// between. A record that does not fit a T comes with its error, and only its ID.
func (t *Table[T]) All(v View) iter.Seq2[Record[T], error] {
	return func(yield func(Record[T], error) bool) {
		var rows []place
		err := v.view(func(r reader, _ time.Time) (err error) {
			rows, err = t.rows(r)
			return err
		})
		if err != nil {
			yield(Record[T]{}, err)
			return
		}
		for _, row := range rows {
			rec, err := t.Get(v, row.key)
			if errors.Is(err, ErrNoRecord) || errors.Is(err, ErrRecordDeleted) {
				continue
			}
			if !yield(rec, err) || errors.Is(err, ErrClosed) || errors.Is(err, errTxOver) {
				return
			}
		}
	}
}

// Changed reads the records that changes touched, those deleted included, by ascending ID: what [Doc.Edit] made ([Edited.Changes]), or
// what [Doc.Apply] took in ([Applied.New]). A record that was removed by its path has only its ID and a time in Deleted. It costs what the
// changes wrote and the reading of these records, however large the table is. Records that do not fit a T are in the error, as with
// [Table.List].
func (t *Table[T]) Changed(d *Doc, changes []gate.Change) (out []Record[T], err error) {
	err = d.view(func(r reader, at time.Time) error {
		ids, err := t.touched(r, changes)
		var failed []error
		for _, id := range ids {
			row, state := t.row(r, id)
			if errors.Is(state, ErrNoRecord) {
				out = append(out, Record[T]{ID: id, Deleted: newest(changes)})
				continue
			}
			rec, err := t.record(r, row, at)
			if err != nil {
				failed = append(failed, err)
				continue
			}
			out = append(out, rec)
		}
		return errors.Join(append(failed, err)...)
	})
	return out, err
}

// newest is the latest time of changes.
func newest(changes []gate.Change) time.Time {
	c := slices.MaxFunc(changes, func(a, b gate.Change) int { return cmp.Compare(a.Time, b.Time) })
	return time.Unix(c.Time, 0).UTC()
}

// touched are the IDs of the rows that changes wrote to.
func (t *Table[T]) touched(r reader, changes []gate.Change) ([]string, error) {
	table, there, err := t.find(r)
	if err != nil || !there {
		return nil, err
	}
	found, obj := map[string]bool{}, table.object(r.s)
	for _, c := range changes {
		pos, ok := r.s.Graph().Position(c.Hash)
		if !ok {
			return nil, fmt.Errorf("%w: %s", ErrUnknownChange, c.Hash)
		}
		for sl := range r.s.Touched(pos) {
			for sl.Obj != obj && sl.Obj != opset.Root {
				sl, _ = r.s.Made(sl.Obj)
			}
			if sl.Obj == obj && !reserved(r.s.KeyOf(sl)) {
				found[r.s.KeyOf(sl)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// find is the place of the table; false when nobody wrote to it.
func (t *Table[T]) find(r reader) (pl place, there bool, err error) {
	for i := range t.path {
		if pl, err = r.place(t.path[:i+1]); err != nil {
			return pl, false, err
		}
		switch {
		case !pl.has || pl.hidden:
			return pl, false, nil
		case pl.kind(r.s) != kindMap:
			return pl, false, badPath(pl.path, "it is %s, not a map, so there is no table", r.word(pl))
		}
	}
	return pl, true, nil
}

// rows are the places of what the table holds, by ascending ID.
func (t *Table[T]) rows(r reader) ([]place, error) {
	table, there, err := t.find(r)
	if err != nil || !there {
		return nil, err
	}
	var out []place
	obj := table.object(r.s)
	for sl, item := range r.v.Keys(obj) {
		if id := r.s.KeyOf(sl); !reserved(id) {
			row := place{path: t.path.child(id), fixed: true, parent: obj, key: id, item: item, has: true}
			row.hidden = r.hides(row)
			out = append(out, row)
		}
	}
	slices.SortFunc(out, func(a, b place) int { return cmp.Compare(a.key, b.key) })
	return out, nil
}

// row is the place of a record's row, and its state.
func (t *Table[T]) row(r reader, id string) (place, error) {
	_, there, err := t.find(r)
	switch {
	case err != nil:
		return place{}, err
	case !there || reserved(id):
		return place{}, ErrNoRecord
	}
	row, err := r.place(t.path.child(id))
	if err != nil {
		return place{}, err
	}
	return row, r.state(row)
}

// state is nil for the row of a record, [ErrRecordDeleted] where it has the mark, [ErrNoRecord] where there is none, and another error for
// what is not a row.
func (r reader) state(row place) error {
	switch {
	case !row.has || row.hidden:
		return ErrNoRecord
	case row.kind(r.s) != kindMap:
		return fmt.Errorf("it is %s, not a map, so it cannot be read as a record", r.word(row))
	}
	if _, deleted := r.v.Get(row.object(r.s), deletedKey); deleted {
		return ErrRecordDeleted
	}
	return nil
}

// record reads a row that is there. On an error the record has its ID alone.
func (t *Table[T]) record(r reader, row place, at time.Time) (Record[T], error) {
	rec := Record[T]{ID: row.key}
	if state := r.state(row); state != nil && !errors.Is(state, ErrRecordDeleted) {
		return rec, t.failed(row.key, state)
	}
	if err := r.decode(row, &rec.Value); err != nil {
		return Record[T]{ID: row.key}, t.failed(row.key, err)
	}
	obj := row.object(r.s)
	rec.Created, rec.Updated = r.times(obj, at)
	if item, ok := r.v.Get(obj, deletedKey); ok {
		rec.Deleted = time.Unix(0, 0).UTC() // also for a mark that is not ours
		if kind, _ := r.s.Scalar(item); kind == gate.TypeTime && r.s.Int(item) != (time.Time{}).UnixMilli() {
			rec.Deleted = time.UnixMilli(r.s.Int(item)).UTC()
		}
	}
	return rec, nil
}

// times are when a row was written first, by the order of the operations and not of the clocks, and last. The changes that make containers
// at fixed paths have no time. at is the time of an open draft.
func (r reader) times(row opset.Object, at time.Time) (created, updated time.Time) {
	var first opset.ID
	for w := range r.v.Writes(row) {
		open := w.Change == r.s.Graph().Len()
		if !open && w.Time == 0 || w.Slot.Obj == row && reserved(r.s.KeyOf(w.Slot)) {
			continue
		}
		when := time.Unix(w.Time, 0).UTC()
		if open {
			when = time.Unix(at.Unix(), 0).UTC()
		}
		if created.IsZero() || cmp.Or(cmp.Compare(w.ID.Counter, first.Counter), cmp.Compare(w.ID.Actor, first.Actor)) < 0 {
			created, first = when, w.ID
		}
		if when.After(updated) {
			updated = when
		}
	}
	return created, updated
}
