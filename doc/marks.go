package doc

import (
	"fmt"

	"github.com/automerge/automerge-go"
)

// Marks are what a document says about itself to every member, outside its value.
type Marks struct {
	App    string // the application it belongs to, from the genesis; may be empty
	Name   string // the name it was created under; may be empty
	Layout uint64 // version of its layout, see docs/format.md
}

// Marks reads the document's marks.
func (d *Doc) Marks() (Marks, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.core == nil {
		return Marks{}, ErrClosed
	}
	return d.marks()
}

func (d *Doc) marks() (Marks, error) {
	var m Marks
	values, err := d.marksMap()
	if err != nil || values == nil {
		return m, err
	}
	if v := values[markApp]; v != nil && v.Kind() == automerge.KindStr {
		m.App = v.Str()
	}
	if v := values[markName]; v != nil && v.Kind() == automerge.KindStr {
		m.Name = v.Str()
	}
	if v := values[markLayout]; v != nil && v.Kind() == automerge.KindUint64 {
		m.Layout = v.Uint64()
	}
	return m, nil
}

// marksMap is the raw content of the marks, nil where the document has none.
func (d *Doc) marksMap() (map[string]*automerge.Value, error) {
	v, err := d.core.RootMap().Get(marksKey)
	if err != nil {
		return nil, fmt.Errorf("read the marks: %w", err)
	}
	if v.Kind() != automerge.KindMap {
		return nil, nil
	}
	return v.Map().Values()
}

// gone is the set of containers that were removed, by JSON Pointer: cleared and hidden as long as they stay empty, so that what
// another device added to them meanwhile is not lost.
func (d *Doc) gone() (map[string]bool, error) {
	values, err := d.marksMap()
	if err != nil || values[markGone] == nil || values[markGone].Kind() != automerge.KindMap {
		return nil, err
	}
	entries, err := values[markGone].Map().Values()
	if err != nil {
		return nil, fmt.Errorf("read the marks: %w", err)
	}
	set := make(map[string]bool, len(entries))
	for k := range entries {
		set[k] = true
	}
	return set, nil
}

// SetName writes the name a document was created under, for every member's list.
func (tx *Tx) SetName(name string) error {
	v, err := tx.d.core.RootMap().Get(marksKey)
	if err != nil {
		return err
	}
	if v.Kind() != automerge.KindMap {
		return fmt.Errorf("name the document: it has no genesis")
	}
	name2, err := normalize(name)
	if err != nil {
		return err
	}
	tx.write()
	return v.Map().Set(markName, name2)
}

// setGone hides or shows the container at a fixed path.
func (tx *Tx) setGone(path Pointer, gone bool) error {
	at := Pointer{marksKey, markGone}
	if _, ok := tx.d.app(); !ok {
		return nil // a foreign document: its empty containers stay visible
	}
	parent, err := tx.d.core.RootMap().Get(marksKey)
	if err != nil {
		return err
	}
	v, err := parent.Map().Get(markGone)
	if err != nil {
		return err
	}
	if v.Kind() != automerge.KindMap {
		if !gone {
			return nil
		}
		if _, err := tx.ensure(at, kindMap); err != nil {
			return err
		}
		if v, err = parent.Map().Get(markGone); err != nil || v.Kind() != automerge.KindMap {
			return fmt.Errorf("the marks of removed containers cannot be made: %v", err)
		}
	}
	tx.write()
	if gone {
		return v.Map().Set(path.String(), true)
	}
	return v.Map().Delete(path.String())
}
