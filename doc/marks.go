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
	m, err := d.goneMap()
	if err != nil || m == nil {
		return nil, err
	}
	entries, err := m.Values()
	if err != nil {
		return nil, fmt.Errorf("read the marks: %w", err)
	}
	set := make(map[string]bool, len(entries))
	for k := range entries {
		set[k] = true
	}
	return set, nil
}

// goneMap is where the removed containers are marked, nil where the document has no such map.
func (d *Doc) goneMap() (*automerge.Map, error) {
	marks, err := d.core.RootMap().Get(marksKey)
	if err != nil || marks.Kind() != automerge.KindMap {
		return nil, err
	}
	gone, err := marks.Map().Get(markGone)
	if err != nil || gone.Kind() != automerge.KindMap {
		return nil, err
	}
	return gone.Map(), nil
}

// SetName writes the name a document was created under, for every member's list.
func (tx *Tx) SetName(name string) error {
	if tx.closed {
		return errTxOver
	}
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
	if gone {
		if err := tx.makeGone(); err != nil {
			return err
		}
	}
	m, err := tx.d.goneMap()
	if err != nil || m == nil && !gone {
		return err
	}
	if m == nil {
		return fmt.Errorf("the marks of removed containers cannot be made")
	}
	r, err := tx.reader()
	if err != nil {
		return err
	}
	tx.write()
	key := path.String()
	if gone {
		r.gone[key] = true
		return m.Set(key, true)
	}
	delete(r.gone, key)
	return m.Delete(key)
}

// makeGone creates the map of removed containers where it is missing. An edit calls it before it writes, since it is a change.
func (tx *Tx) makeGone() error {
	m, err := tx.d.goneMap()
	if err != nil || m != nil {
		return err
	}
	_, err = tx.ensure(Pointer{marksKey, markGone}, kindMap)
	return err
}

// reader reads the document with this transaction's writes in place. Only the transaction changes what is gone meanwhile.
func (tx *Tx) reader() (reader, error) {
	if tx.gone == nil {
		gone, err := tx.d.gone()
		if err != nil {
			return reader{}, err
		}
		if tx.gone = gone; gone == nil {
			tx.gone = map[string]bool{}
		}
	}
	return reader{tx.d.core, tx.gone}, nil
}

func (tx *Tx) get(p Pointer) (any, error) {
	r, err := tx.reader()
	if err != nil {
		return nil, err
	}
	return r.get(p)
}

func (tx *Tx) place(p Pointer) (place, error) {
	r, err := tx.reader()
	if err != nil {
		return place{}, err
	}
	return r.place(p)
}

// find is the place of a value that must be there.
func (tx *Tx) find(p Pointer) (place, error) {
	pl, err := tx.place(p)
	if err == nil && (pl.now.Kind() == automerge.KindVoid || pl.hidden) {
		err = badPath(p, "there is nothing")
	}
	return pl, err
}
