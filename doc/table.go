package doc

import (
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"tombolo/doc/value"
)

// Table is a map of records of one type at a fixed path, by ID. It is declared once and used on any document:
//
//	var tasks = doc.MustTable[Task]("/tasks")
//
//	id, err := tasks.Create(tx, "", Task{Title: "milk"})
//	err = tasks.Update(tx, id, func(t *Task) error { t.Done = true; return nil })
//	all, err := tasks.List(d)
//
// A record that is deleted gets a mark and keeps its content: what another device writes into it at the same time is not lost, and
// [Table.Restore] gives everything back. An ID is used once: what was deleted may still be edited elsewhere, and would come back inside another
// record. Updates write what differs, so fields that this program does not know stay.
//
// A Table has no state; it is safe for concurrent use as far as the documents and transactions given to it are.
type Table[T any] struct{ path Pointer }

var (
	// ErrNoRecord reports an ID that the table never had, or whose record was removed by its path.
	ErrNoRecord = errors.New("there is no such record")
	// ErrRecordExists reports an ID that cannot be given to a new record.
	ErrRecordExists = errors.New("there is a record with this ID; update it, or create another under an ID of its own")
	// ErrRecordDeleted reports a record that was deleted: it can be restored, and its ID cannot be used again.
	ErrRecordDeleted = errors.New("the record was deleted; restore it, or create another under an ID of its own")
)

// deletedKey is the key of a row that says when its record was deleted. Keys and IDs that begin with "$" are kept for the table.
const deletedKey = "$deleted"

func reserved(key string) bool { return strings.HasPrefix(key, "$") }

// NewTable declares the table at a path of map keys. T is a struct that can be stored (see package value), none of whose keys begins
// with "$"; newer versions of the program may add fields to it.
func NewTable[T any](path string) (*Table[T], error) {
	p, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	if len(p) == 0 {
		return nil, badPath(p, "a table needs a path of its own, for example /tasks")
	}
	for _, key := range p {
		if err := checkKey(key); err != nil {
			return nil, badPath(p, "%v", err)
		}
	}
	if p[0] == marksKey {
		return nil, badPath(p, "the key %s belongs to the engine", marksKey)
	}
	if err := checkRecord[T](); err != nil {
		return nil, fmt.Errorf("table %s: %w", p, err)
	}
	return &Table[T]{p}, nil
}

func checkRecord[T any]() error {
	t := reflect.TypeFor[T]()
	if err := value.Check(t); err != nil {
		return err
	}
	var zero T
	v, err := value.Of(zero)
	if err != nil || t.Kind() != reflect.Struct || !v.Partial() {
		return &ValueError{Reason: fmt.Sprintf("a record is a struct, to which newer programs can add fields, and without hooks; %s is not", t)}
	}
	for key := range v.Fields {
		if reserved(key) {
			return &ValueError{Path: Pointer{key}.String(), Reason: `keys that begin with "$" are kept for the table; give the field another name in its tag`}
		}
	}
	return nil
}

// MustTable is [NewTable] for package variables. It panics where NewTable gives an error: at the start of the program, and whatever
// the documents hold.
func MustTable[T any](path string) *Table[T] {
	t, err := NewTable[T](path)
	if err != nil {
		panic("doc.MustTable: " + err.Error())
	}
	return t
}

// Path is where the table stands.
func (t *Table[T]) Path() string { return t.path.String() }

// Create adds a record and gives its ID: a new one of 20 characters where id is "", else id itself. New IDs sort by the time of creation as far
// as devices knew of each other. Two devices that create a record under the same given id apart have created one: of each field the value of one
// of them counts, texts and lists have what both wrote. [ErrRecordExists] and [ErrRecordDeleted] refuse an ID that was used before.
func (t *Table[T]) Create(tx *Tx, id string, rec T) (string, error) {
	if tx.over {
		return "", errTxOver
	}
	want, err := wanted(rec)
	if err != nil {
		return "", t.failed(id, err)
	}
	given := id != ""
	if !given {
		id = tx.newRecordID()
	}
	err = t.checkNew(tx, id)
	var table place
	if err == nil {
		table, err = t.make(tx)
	}
	switch {
	case err != nil:
	case given:
		err = tx.set(t.path.child(id), want)
	default: // nobody else makes this row, so it needs no change of its own to be shared
		err = tx.put(tx.s.NewKey(table.object(tx.s), id), want)
	}
	if err != nil {
		return "", t.failed(id, err)
	}
	return id, nil
}

// checkNew says why id cannot be given to a new record.
func (t *Table[T]) checkNew(tx *Tx, id string) error {
	if err := checkKey(id); err != nil {
		return err
	}
	if reserved(id) {
		return errors.New(`IDs that begin with "$" are kept for the table; choose another`)
	}
	row, err := t.row(tx.reader(), id)
	switch {
	case errors.Is(err, ErrNoRecord) && row.hidden:
		return ErrRecordDeleted
	case errors.Is(err, ErrNoRecord):
		return nil
	case err != nil:
		return err
	}
	return ErrRecordExists
}

// make is the place of the table, which it creates with the maps on the way where they are missing.
func (t *Table[T]) make(tx *Tx) (pl place, err error) {
	for i := range t.path {
		if pl, err = tx.create(t.path[:i+1].String(), kindMap); err != nil {
			return pl, err
		}
	}
	return pl, nil
}

// sortable is base32 whose texts sort like the bytes they stand for: RFC 4648 "Extended Hex" in lower case.
var sortable = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// newRecordID is an ID that no other record has: four bytes of the counter that the next operation gets, and eight that only this
// writer's next operation has. It takes no source of random numbers, and sorts as the operations do.
func (tx *Tx) newRecordID() string {
	next := tx.s.Graph().MaxOp() + 1
	if tx.draft != nil {
		next += uint64(tx.draft.Len())
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(next))
	sum := digest("tombolo record 1", tx.d.id[:], tx.d.actor[:], b)
	return sortable.EncodeToString(append(b, sum[:8]...))
}

// Update changes a record: fn gets it as it is, and what it made different is written. It is not for records that do not fit a T, whose
// error says where; they stay as they are. An error of fn is returned, and then the record is as it was.
func (t *Table[T]) Update(tx *Tx, id string, fn func(rec *T) error) error {
	if tx.over {
		return errTxOver
	}
	r := tx.reader()
	row, err := t.row(r, id)
	if err != nil {
		return t.failed(id, err)
	}
	var rec T
	if err := r.decode(row, &rec); err != nil {
		return t.failed(id, err)
	}
	if err := fn(&rec); err != nil {
		return err
	}
	want, err := wanted(rec)
	if err != nil {
		return t.failed(id, err)
	}
	if err := tx.set(row.path, want); err != nil {
		return t.failed(id, err)
	}
	return nil
}

// Delete marks a record as deleted. It wins over edits that other devices make at the same time; those are in the record when it is restored. A
// record that is deleted already stays as it is.
func (t *Table[T]) Delete(tx *Tx, id string) error { return t.mark(tx, id, tx.deleteRow) }

// DeleteRecord is [Table.Delete] for the record at a path, where its table is not declared: [ErrNoRecord] where there is none.
func (tx *Tx) DeleteRecord(path string) error {
	if tx.over {
		return errTxOver
	}
	p, err := parsePath(path)
	if err != nil {
		return err
	}
	if len(p) < 2 {
		return badPath(p, "a record lies in a table; give the path of one, for example /tasks/7")
	}
	t := Table[struct{}]{p[:len(p)-1]}
	return t.Delete(tx, p[len(p)-1])
}

func (tx *Tx) deleteRow(row place, deleted bool) error {
	at, err := wanted(tx.now())
	if err != nil || deleted {
		return err
	}
	return tx.put(tx.s.NewKey(row.object(tx.s), deletedKey), at)
}

// Restore takes back the deletion of a record. Where another device deletes it again at the same time, it stays deleted. A record that is not
// deleted stays as it is.
func (t *Table[T]) Restore(tx *Tx, id string) error {
	return t.mark(tx, id, func(row place, deleted bool) error {
		if !deleted {
			return nil
		}
		draft, err := tx.write()
		if err != nil {
			return err
		}
		draft.Delete(tx.s.NewKey(row.object(tx.s), deletedKey))
		return nil
	})
}

// mark runs fn on the row of a record, deleted or not.
func (t *Table[T]) mark(tx *Tx, id string, fn func(row place, deleted bool) error) error {
	if tx.over {
		return errTxOver
	}
	row, err := t.row(tx.reader(), id)
	deleted := errors.Is(err, ErrRecordDeleted)
	if err != nil && !deleted {
		return t.failed(id, err)
	}
	if err := tx.reveal(row.path); err != nil {
		return t.failed(id, err)
	}
	if err := fn(row, deleted); err != nil {
		return t.failed(id, err)
	}
	return nil
}

// failed adds which record an error is about.
func (t *Table[T]) failed(id string, err error) error {
	return fmt.Errorf("record %s: %w", t.path.child(id), err)
}
