package doc

import (
	"iter"
	"maps"
	"time"
)

// Reader is what values are read from by path: a [Doc], a [Version] of it, or a [Tx] with its writes in place.
type Reader interface {
	// Read decodes the value at a path into a Go variable, as [Doc.Read] does.
	Read(path string, into any) error
}

// View is a [Reader] that tables can be read from: a [Doc], a [Version] or a [Tx].
type View interface {
	Reader
	// view runs fn on what is to be read. at is the time of what is being written; zero where nothing is.
	view(fn func(r reader, at time.Time) error) error
}

func (d *Doc) view(fn func(r reader, at time.Time) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.reader()
	if err != nil {
		return err
	}
	return fn(r, time.Time{})
}

func (tx *Tx) view(fn func(r reader, at time.Time) error) error {
	if tx.over {
		return errTxOver
	}
	return fn(tx.reader(), tx.now())
}

func (v *Version) view(fn func(r reader, at time.Time) error) error {
	v.d.mu.Lock()
	defer v.d.mu.Unlock()
	if _, err := v.d.open(); err != nil {
		return err
	}
	return fn(v.r, time.Time{})
}

// now is the time of the edit, as its change will say it.
func (tx *Tx) now() time.Time {
	if tx.note.Time.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return tx.note.Time.UTC()
}

// Get reads the value at a path as a T, by the rules of package value:
//
//	tags, err := doc.Get[[]string](d, "/tags")
func Get[T any](r Reader, path string) (T, error) {
	var out T
	err := r.Read(path, &out)
	return out, err
}

// Set is a set of texts, numbers, or types with MarshalText and UnmarshalText. A document holds it as a map from each element to true, so
// that what several devices add and remove merges: an element is in the set unless a device that saw it removed it and no other added it
// at the same time. Like a map it is a reference: a copy shares its elements.
type Set[T comparable] map[T]struct{}

// SetOf is the set of the elements given.
func SetOf[T comparable](elems ...T) Set[T] {
	s := make(Set[T], len(elems))
	s.Add(elems...)
	return s
}

// Add puts elements into the set, which it makes where it is nil.
func (s *Set[T]) Add(elems ...T) {
	if *s == nil {
		*s = make(Set[T], len(elems))
	}
	for _, e := range elems {
		(*s)[e] = struct{}{}
	}
}

// Delete takes elements out of the set.
func (s Set[T]) Delete(elems ...T) {
	for _, e := range elems {
		delete(s, e)
	}
}

// Has says whether e is in the set.
func (s Set[T]) Has(e T) bool {
	_, ok := s[e]
	return ok
}

// Len is the number of elements.
func (s Set[T]) Len() int { return len(s) }

// All yields the elements in no particular order; slices.Sorted(s.All()) sorts them.
func (s Set[T]) All() iter.Seq[T] { return maps.Keys(s) }
