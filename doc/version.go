package doc

import (
	"errors"
	"fmt"
	"slices"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// Version is a document as it was at some heads, for reading. It is safe for use from several goroutines, takes a bit of memory for every
// change of the document, and stays what it is while the document goes on.
type Version struct {
	d     *Doc
	r     reader
	heads []Hash
}

// At is the document at older heads; without any, the document before its first change. Heads that the document does not have are a
// *[gate.MissingError].
//
// It costs a walk over the changes made since. Reading a version then costs the operations ever made in what is read, where reading the
// document itself costs what is there now.
func (d *Doc) At(heads []Hash) (*Version, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.open()
	if err != nil {
		return nil, err
	}
	v, err := viewAt(s, heads)
	if err != nil {
		return nil, err
	}
	return &Version{d: d, r: readerOf(s, v), heads: slices.SortedFunc(slices.Values(heads), Hash.Compare)}, nil
}

func viewAt(s *opset.Set, heads []Hash) (opset.View, error) {
	v, err := s.At(heads)
	if _, ok := errors.AsType[*gate.MissingError](err); ok {
		return v, fmt.Errorf("this device does not have that version; sync with one that has, then ask again: %w", err)
	}
	return v, err
}

// Heads are the heads the version was asked for, sorted.
func (v *Version) Heads() []Hash { return slices.Clone(v.heads) }

// Get reads the value at a path, as [Doc.Get] does.
func (v *Version) Get(path string) (any, error) {
	v.d.mu.Lock()
	defer v.d.mu.Unlock()
	if _, err := v.d.open(); err != nil {
		return nil, err
	}
	return v.r.get(path)
}

// Read decodes the value at a path into a Go variable, as [Doc.Read] does.
func (v *Version) Read(path string, into any) error {
	v.d.mu.Lock()
	defer v.d.mu.Unlock()
	if _, err := v.d.open(); err != nil {
		return err
	}
	return v.r.read(path, into)
}

// JSON is the canonical JSON of the value at a path.
func (v *Version) JSON(path string) ([]byte, error) {
	val, err := v.Get(path)
	if err != nil {
		return nil, err
	}
	return EncodeJSON(val)
}

// Revert makes the value of the document what it was at heads, by a new change with the least difference. Nothing is lost: what was written since
// stays in the history, and reverting to the heads of before brings it back. What others write at the same time merges with it. Heads that
// the document does not have are a *[gate.MissingError]. It costs a full read at heads and a comparison with what is there now.
func (d *Doc) Revert(heads []Hash, note Note) (Edited, error) {
	return d.Edit(note, func(tx *Tx) error {
		v, err := viewAt(tx.s, heads)
		if err != nil {
			return err
		}
		want, err := wanted(readerOf(tx.s, v).tree(place{fixed: true, has: true}))
		if err != nil {
			return fmt.Errorf("the version holds what cannot be written again: %w", err)
		}
		tx.exact = true
		return tx.set(nil, want)
	})
}
