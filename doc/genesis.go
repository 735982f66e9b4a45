package doc

import (
	"crypto/sha256"
	"slices"

	"tombolo/doc/gate"
)

// layout is the version of how a document is laid out in Automerge: genesis, marks, containers. It is part of the genesis, so that
// code which knows only older layouts sees that it does not know this document.
const layout = 1

// marksKey is the key of the root map that belongs to the engine.
const marksKey = "$m"

// Keys inside the marks.
const (
	markApp    = "app"
	markLayout = "layout"
	markName   = "name"
	markGone   = "gone" // the map of containers that were removed: JSON Pointer -> true
)

// genesisOps is the number of operations in the genesis; the containers of the root map start right after.
const genesisOps = 3

// Genesis is the first change of every document: the same bytes on every device for one app and ID, schema or not, so that
// documents created apart have a common root and merge. It creates the marks ($m) with app and layout.
func Genesis(id ID, app string) []byte {
	actor := genesisActor(id, app)
	marks := opRef{counter: 1, actor: 1}
	return fixedChange{
		actor:   actor,
		startOp: 1,
		ops: []makeOp{
			{key: marksKey, action: actMakeMap, meta: typeNull},
			{obj: marks, key: markApp, action: actSet, meta: uint64(len(app))<<4 | typeString, value: []byte(app)},
			{obj: marks, key: markLayout, action: actSet, meta: 1<<4 | typeUint, value: []byte{layout}},
		},
	}.encode()
}

func genesisActor(id ID, app string) []byte {
	sum := digest("tombolo genesis 1", []byte(app), id[:])
	return sum[:16]
}

// kind is what a container holds.
type kind uint8

const (
	kindNone kind = iota // not a container
	kindMap
	kindList
	kindText
)

func (k kind) action() uint64 {
	return [...]uint64{kindMap: actMakeMap, kindList: actMakeList, kindText: actMakeText}[k]
}

func (k kind) String() string {
	return [...]string{kindNone: "scalar", kindMap: "map", kindList: "list", kindText: "text"}[k]
}

// container is the change that creates the container at a fixed path: bytes, hash, and how the next level refers to it.
type container struct {
	raw   []byte
	hash  Hash
	actor []byte
	op    uint64

	parent Hash // the change that made the map it stands in
}

// containerAt derives the change that creates a container of kind k at path, below containers created the same way. It depends on
// the change that created its parent and on nothing else, so it is the same on every device.
func containerAt(id ID, app string, path Pointer, k kind) container {
	if len(path) > 1 && path[0] != marksKey {
		return containerIn(containerAt(id, app, path[:len(path)-1], kindMap), id, app, path, k)
	}
	return containerIn(container{hash: hashOf(Genesis(id, app)), op: genesisOps}, id, app, path, k)
}

// containerIn is containerAt where what parent is, the container of path's map or the genesis, is known.
func containerIn(parent container, id ID, app string, path Pointer, k kind) container {
	var obj opRef
	var others [][]byte
	switch {
	case len(path) == 2 && path[0] == marksKey: // the marks are made by the genesis itself
		obj, others = opRef{counter: 1, actor: 2}, [][]byte{genesisActor(id, app)}
	case len(path) > 1:
		obj, others = opRef{counter: parent.op, actor: 2}, [][]byte{parent.actor}
	}
	sum := digest("tombolo container 1", []byte(app), id[:], []byte(path.String()), []byte(k.String()))
	c := container{actor: sum[:16], op: parent.op + 1, parent: parent.hash}
	c.raw = fixedChange{
		deps:    []Hash{parent.hash},
		actor:   c.actor,
		startOp: c.op,
		others:  others,
		ops:     []makeOp{{obj: obj, key: path[len(path)-1], action: k.action(), meta: typeNull}},
	}.encode()
	c.hash = hashOf(c.raw)
	return c
}

// hashOf is the hash of a change that this package encoded itself.
func hashOf(raw []byte) Hash { return sha256.Sum256(raw[8:]) }

// Hash names a change by the SHA-256 of its plain form.
type Hash = gate.Hash

// HeadsHash names a document's version in 32 bytes: SHA-256 over ID and sorted heads. Two devices that have the same changes of a
// document have the same HeadsHash.
func HeadsHash(id ID, heads []Hash) [32]byte {
	sorted := slices.SortedFunc(slices.Values(heads), Hash.Compare)
	parts := [][]byte{id[:]}
	for _, h := range sorted {
		parts = append(parts, h[:])
	}
	return digest("tombolo heads 1", parts...)
}
