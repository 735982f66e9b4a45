package schema

import "sync/atomic"

// A version of a schema is compiled to a tree of fields for each object type. Trees never change: a step copies what it changes. So a lens
// keeps the fields of the version below as they were.

// object is what one object shows at one version: a document, a row of a table, a nested object in one of these, or an element of a list. Paths are relative to the
// map of the document, row or element that it lies in, which is its unit.
type object struct {
	typ    string
	prefix []string // where its own map is
	fields map[string]*node
	groups []*group        // of all versions so far, ascending; for what lies directly in this object
	used   map[string]Kind // storage keys of its map that were ever used, and for what
}

// node is one field at one version.
type node struct {
	name string
	kind Kind
	at   []string // where it is stored; of a group's field, where its map is, and then the name it is stored under there
	opts options

	inside *object // of a nested field
	row    string  // of a table: the type of its records
	elem   *node   // of a list
	group  *group  // the step that makes it of other fields; nil for one that is stored as it is
	out    int     // which of the group's new fields it is
	head   *node   // of a set that was one string: that
	echo   string  // and the key of its echo, in the map that it lies in; see layout.go
}

// group is a lens at work in one object: some registers of an older version, and what a newer one shows instead.
type group struct {
	id      string // the step: version and its number in there, from 1
	version int
	step    string   // for errors
	holder  []string // the map that the keys of this group lie in
	olds    []*node  // in the order of their names
	news    []*node  // likewise; their out is the index here
	keys    keys     // see layout.go
	text    bool     // olds[0] is a string and news[0] the text of it
	oneWay  bool
	up      func(olds, prev []any) ([]any, error) // prev is nil for none
	down    func(news, olds []any) ([]any, error)
}

// compiled is one version.
type compiled struct {
	n       int
	objects map[string]*object // by type
	print   [8]byte            // fingerprint
	min     int                // the least version that may write what this one wrote
	steps   []string
	judged  atomic.Pointer[verdict] // the last one
}

// Schema is the history of one kind of document, as one program knows it. It does not change, and is safe for concurrent use.
type Schema struct {
	app      string
	declared []Version   // as they were given to New
	versions []*compiled // version n is at n-1
}
