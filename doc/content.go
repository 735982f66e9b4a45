package doc

import (
	"hash/maphash"

	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// Content is what a document holds at one moment, read where it lies: nothing is copied until it is asked for.
//
// It is good as long as the function runs that it was given to, and for one goroutine; that of a [Snapshot] is good for ever, and for several. Nothing
// may be written to the document meanwhile.
type Content struct {
	// ID is the document's.
	ID ID
	// Root is the whole document, a map, without its marks. Of what a source gives (Index, Field, Each) only the last is good: the next call gives the
	// same source again, changed; so read a child before asking its parent for another. Containers that were removed are not in it, as with [Doc.Get].
	Root value.Source

	r     reader // what the marks are read from
	marks *Marks // what they are, where there is no such reader
}

// Marks reads the document's marks.
func (c Content) Marks() Marks {
	if c.marks != nil {
		return *c.marks
	}
	if c.r.s == nil {
		return Marks{}
	}
	return marksOf(c.r.v)
}

const oddPrime = 1099511628211 // FNV's: what is mixed before is secret already

// MarksSum is a hash of the document's marks, which differs with the seed: for a program that keeps what it made of them. It is false where there is none, as of
// a snapshot.
func (c Content) MarksSum(seed maphash.Seed) (uint64, bool) {
	if c.marks != nil || c.r.s == nil {
		return 0, false
	}
	obj, ok := mapAt(c.r.v, opset.Root, marksKey)
	if !ok {
		return 0, false
	}
	sum := uint64(0)
	for sl, item := range c.r.v.Keys(obj) {
		_, b := c.r.s.Scalar(item)
		sum = (sum ^ maphash.String(seed, c.r.s.KeyOf(sl))) * oddPrime
		sum = (sum ^ maphash.Bytes(seed, b)) * oddPrime
	}
	return sum, true
}

func contentOf(id ID, r reader) Content {
	root := r.source(place{})
	root.fixed = true
	return Content{ID: id, Root: root, r: r}
}

// Content runs fn on what the document holds, and returns its error. fn must not use the Doc, which is locked meanwhile.
func (d *Doc) Content(fn func(Content) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.reader()
	if err != nil {
		return err
	}
	return fn(contentOf(d.id, r))
}

// Content runs fn on what the document held, as [Doc.Content] does. fn must use neither the Version nor its Doc.
func (v *Version) Content(fn func(Content) error) error {
	v.d.mu.Lock()
	defer v.d.mu.Unlock()
	if _, err := v.d.open(); err != nil {
		return err
	}
	return fn(contentOf(v.d.id, v.r))
}

// Content runs fn on what the document holds with what was written so far. fn must not write.
func (tx *Tx) Content(fn func(Content) error) error {
	if tx.over {
		return errTxOver
	}
	return fn(contentOf(tx.d.id, tx.reader()))
}

// Content is what the snapshot holds, for the document with an ID and marks, which a snapshot does not have.
func (s *Snapshot) Content(id ID, marks Marks) Content {
	return Content{ID: id, Root: value.FromTree(s.root), marks: &marks}
}
