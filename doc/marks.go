package doc

import (
	"errors"
	"fmt"
	"time"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// Marks are what a document says about itself to every member, outside its value.
type Marks struct {
	App    string // the application it belongs to, from the genesis; may be empty
	Name   string // the name it was created under; may be empty
	Layout uint64 // version of its layout, see docs/format.md

	Deleted time.Time // when it was deleted, in UTC and whole milliseconds; zero for a document that is not

	Versions  []SchemaMark // the versions of a schema that wrote to it, ascending by version and print; see [Tx.MarkSchema]
	MinWriter int          // the least version that may write to it, 0 for any; see [Tx.RequireWriter]
}

// Marks reads the document's marks.
func (d *Doc) Marks() (Marks, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.open()
	if err != nil {
		return Marks{}, err
	}
	return marksOf(s.Now()), nil
}

func marksOf(v opset.View) Marks {
	var m Marks
	obj, ok := mapAt(v, opset.Root, marksKey)
	if !ok {
		return m
	}
	m.App = stringAt(v, obj, markApp)
	m.Name = stringAt(v, obj, markName)
	m.Layout = layoutAt(v, obj)
	m.Deleted = deletedAt(v, obj)
	m.Versions, m.MinWriter = schemaMarks(v, obj)
	return m
}

func layoutAt(v opset.View, marks opset.Object) uint64 {
	item, ok := v.Get(marks, markLayout)
	if !ok {
		return 0
	}
	if t, _ := v.Set().Scalar(item); t != gate.TypeUint {
		return 0
	}
	return v.Set().Uint(item)
}

// appOf is the application in the marks, without the others.
func appOf(v opset.View) string {
	obj, ok := mapAt(v, opset.Root, marksKey)
	if !ok {
		return ""
	}
	return stringAt(v, obj, markApp)
}

func stringAt(v opset.View, obj opset.Object, key string) string {
	item, ok := v.Get(obj, key)
	if !ok {
		return ""
	}
	t, b := v.Set().Scalar(item)
	if t != gate.TypeString {
		return ""
	}
	return string(b)
}

// mapAt is the map under a key.
func mapAt(v opset.View, obj opset.Object, key string) (opset.Object, bool) {
	item, ok := v.Get(obj, key)
	if !ok {
		return 0, false
	}
	inner, ok := v.Set().Object(item)
	return inner, ok && v.Set().Kind(inner) == gate.ActMakeMap
}

// goneMap is where removed containers are marked.
func goneMap(v opset.View) (opset.Object, bool) {
	marks, ok := mapAt(v, opset.Root, marksKey)
	if !ok {
		return 0, false
	}
	return mapAt(v, marks, markGone)
}

// goneOf is the set of containers that were removed, by JSON Pointer: cleared and hidden as long as they stay empty, so that what
// another device added to them meanwhile is not lost.
func goneOf(v opset.View) map[string]bool {
	m, ok := goneMap(v)
	if !ok {
		return nil
	}
	set := map[string]bool{}
	for sl := range v.Keys(m) {
		set[v.Set().KeyOf(sl)] = true
	}
	return set
}

// SetName writes the name a document was created under, for every member's list.
func (tx *Tx) SetName(name string) error {
	if tx.over {
		return errTxOver
	}
	marks, ok := mapAt(tx.s.Now(), opset.Root, marksKey)
	if !ok {
		return errors.New("name the document: it has no genesis; apply that first")
	}
	v, err := value.Of(name)
	if err != nil {
		return err
	}
	if err := v.Check(); err != nil {
		return err
	}
	if item, ok := tx.s.Now().Get(marks, markName); ok && tx.same(item, v) {
		return nil
	}
	return tx.put(tx.s.NewKey(marks, markName), v)
}

// setGone hides or shows the container at a fixed path.
func (tx *Tx) setGone(path Pointer, gone bool) error {
	if gone {
		if err := tx.makeGone(); err != nil {
			return err
		}
	}
	m, ok := goneMap(tx.s.Now())
	if !ok {
		if gone {
			return fmt.Errorf("the marks of removed containers cannot be made")
		}
		return nil
	}
	draft, err := tx.write()
	if err != nil {
		return err
	}
	key := path.String()
	if gone {
		draft.Set(tx.s.NewKey(m, key), gate.TypeTrue, nil)
		return nil
	}
	draft.Delete(tx.s.NewKey(m, key))
	return nil
}

// makeGone creates the map of removed containers where it is missing.
func (tx *Tx) makeGone() error {
	if _, ok := goneMap(tx.s.Now()); ok {
		return nil
	}
	_, err := tx.ensure(Pointer{marksKey, markGone}, kindMap)
	return err
}

// lasting says whether a slot is that of a mark which no undo takes back: all but name, deletion and sources.
func lasting(v opset.View, sl opset.Slot) bool {
	marks, ok := mapAt(v, opset.Root, marksKey)
	if !ok || sl.Seq || sl.Obj != marks {
		return false
	}
	key := v.Set().KeyOf(sl)
	return key != markName && key != markDeleted && !isSource(key) // with what was taken over, who took it over goes, too
}

// reader reads the document with this transaction's writes in place.
func (tx *Tx) reader() reader { return readerOf(tx.s, tx.s.Now()) }
