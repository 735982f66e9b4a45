package schema

import (
	"slices"

	"tombolo/doc"
)

// trail is a path in a view, made a pointer only when somebody asks. The root's is nil.
type trail struct {
	up   *trail
	name string
}

// pointer is the path of a name below.
func (t *trail) pointer(names ...string) doc.Pointer {
	var out doc.Pointer
	for ; t != nil; t = t.up {
		out = append(out, t.name)
	}
	slices.Reverse(out)
	return append(out, names...)
}

// below is pointer as a text.
func (t *trail) below(names ...string) string { return t.pointer(names...).String() }

// and is the trail with a path behind it.
func (t *trail) and(path ...string) *trail {
	for _, name := range path {
		t = &trail{t, name}
	}
	return t
}

// trailOf is a path as a trail.
func trailOf(path []string) *trail { return (*trail)(nil).and(path...) }
