package doc

import (
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
	// same source again, changed; so read a child before asking its parent for another. Containers that were removed are there, empty,
	// where [Doc.Get] leaves them out.
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

// Brief is the part of the marks that every reading needs.
type Brief struct {
	App       string
	Layout    uint64
	MinWriter int
}

// Brief reads a part of the marks, in less time than [Content.Marks].
func (c Content) Brief() (b Brief) {
	if c.marks != nil || c.r.s == nil {
		m := c.Marks()
		return Brief{m.App, m.Layout, m.MinWriter}
	}
	obj, ok := mapAt(c.r.v, opset.Root, marksKey)
	if !ok {
		return b
	}
	b.App, b.Layout = stringAt(c.r.v, obj, markApp), layoutAt(c.r.v, obj)
	for sl := range c.r.v.Keys(obj) {
		if n, ok := minWriterOf(c.r.s.KeyOf(sl)); ok {
			b.MinWriter = max(b.MinWriter, n)
		}
	}
	return b
}

func contentOf(id ID, r reader) Content {
	return Content{ID: id, Root: r.source(place{}), r: r}
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

// Content is what the snapshot holds, for the document with an ID and marks, which a snapshot does not have. Containers that were removed are not in it.
func (s *Snapshot) Content(id ID, marks Marks) Content {
	return Content{ID: id, Root: value.FromTree(s.root), marks: &marks}
}
