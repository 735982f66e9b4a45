package doc

import (
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
	markApp     = "app"
	markLayout  = "layout"
	markName    = "name"
	markGone    = "gone"    // the map of containers that were removed: JSON Pointer -> true
	markDeleted = "deleted" // the time at which the document was deleted
)

// genesisOps is the number of operations in the genesis; the containers of the root map start right after.
const genesisOps = 3

// Genesis is the first change of every document: the same bytes on every device for one app and ID, schema or not, so that
// documents created apart have a common root and merge. It creates the marks ($m) with app and layout.
func Genesis(id ID, app string) []byte {
	marks := gate.OpRef{Counter: 1}
	return encodeFixed(gate.Change{Actor: genesisActor(id, app), StartOp: 1}, []gate.Op{
		{Key: marksKey, Action: gate.ActMakeMap},
		{Obj: marks, Key: markApp, Action: gate.ActSet, Type: gate.TypeString, Value: []byte(app)},
		{Obj: marks, Key: markLayout, Action: gate.ActSet, Type: gate.TypeUint, Value: []byte{layout}},
	})
}

// encodeFixed writes a change by an actor of its own: sequence 1, time 0, no message. It gives nil where app or path are too long for a
// change, which no document then accepts.
func encodeFixed(c gate.Change, ops []gate.Op) []byte {
	c.Seq = 1
	raw, err := gate.Encode(c, func(yield func(*gate.Op) bool) {
		for i := range ops {
			if !yield(&ops[i]) {
				return
			}
		}
	})
	if err != nil {
		return nil
	}
	return raw
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

func (k kind) action() gate.Action {
	return [...]gate.Action{kindMap: gate.ActMakeMap, kindList: gate.ActMakeList, kindText: gate.ActMakeText}[k]
}

func (k kind) String() string {
	return [...]string{kindNone: "scalar", kindMap: "map", kindList: "list", kindText: "text"}[k]
}

// container is the change that creates the container at a fixed path: bytes, hash, and how the next level refers to it.
type container struct {
	raw   []byte
	hash  Hash
	actor []byte
	op    uint32

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
	var obj gate.OpRef
	var others [][]byte
	switch {
	case len(path) == 2 && path[0] == marksKey: // the marks are made by the genesis itself
		obj, others = gate.OpRef{Counter: 1, Actor: 1}, [][]byte{genesisActor(id, app)}
	case len(path) > 1:
		obj, others = gate.OpRef{Counter: parent.op, Actor: 1}, [][]byte{parent.actor}
	}
	sum := digest("tombolo container 1", []byte(app), id[:], []byte(path.String()), []byte(k.String()))
	c := container{actor: sum[:16], op: parent.op + 1, parent: parent.hash}
	c.raw = encodeFixed(
		gate.Change{Deps: []Hash{parent.hash}, Actor: c.actor, Others: others, StartOp: uint64(c.op)},
		[]gate.Op{{Obj: obj, Key: path[len(path)-1], Action: k.action()}},
	)
	c.hash = hashOf(c.raw)
	return c
}

// hashOf is the hash of a change that this package encoded itself; zero where there is none.
func hashOf(raw []byte) Hash {
	if raw == nil {
		return Hash{}
	}
	return gate.HashOf(raw)
}

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
