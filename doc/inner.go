package doc

import (
	"encoding/binary"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// inner derives the change that creates a container of kind k at a path whose map no change of [containerAt] made: the row of a record under
// a new ID, or what is in such a row. It depends on the operation that made the map and on nothing else, so it is the same on every device
// that has the map. It is false where the map is made by the open draft: nobody else can know it yet.
func (tx *Tx) inner(app string, path Pointer, k kind) (container, bool) {
	above, err := tx.placeInside(path[:len(path)-1])
	if err != nil || above.root() || above.kind(tx.s) != kindMap {
		return container{}, false
	}
	made, key := tx.maker(above.object(tx.s)), path[len(path)-1]
	if made.hash == (Hash{}) {
		return container{}, false
	}
	sum := digest("tombolo inner container 1", []byte(app), tx.d.id[:],
		made.actor, binary.BigEndian.AppendUint32(nil, made.op), []byte(key), []byte(k.String()))
	c := container{actor: sum[:16], op: made.last + 1, parent: made.hash}
	c.raw = encodeFixed(
		gate.Change{Deps: []Hash{c.parent}, Actor: c.actor, Others: [][]byte{made.actor}, StartOp: uint64(c.op)},
		[]gate.Op{{Obj: gate.OpRef{Counter: made.op, Actor: 1}, Key: key, Action: k.action()}},
	)
	c.hash = hashOf(c.raw)
	return c, true
}

// holder is the map that holds what a path leads to.
func (tx *Tx) holder(path Pointer) (opset.Object, bool) {
	if len(path) == 2 && path[0] == marksKey {
		return mapAt(tx.s.Now(), opset.Root, marksKey)
	}
	above, err := tx.placeInside(path[:len(path)-1])
	if err != nil || above.kind(tx.s) != kindMap {
		return 0, false
	}
	return above.object(tx.s), true
}

// maker is the change that made an object: its hash, the operation, and the counter of its last one. It has no hash where that is the open
// draft, so that nobody else can know it yet.
func (tx *Tx) maker(obj opset.Object) (m maker) {
	_, item := tx.s.Made(obj)
	if tx.draft != nil {
		if c, ok := tx.draft.Placed(item); ok {
			return maker{hash: c.Hash, actor: c.Actor, op: uint32(c.StartOp), last: uint32(c.StartOp)}
		}
	}
	at := tx.s.ChangeOf(item)
	if at == tx.s.Graph().Len() {
		return maker{}
	}
	id := tx.s.ID(item)
	return maker{hash: tx.s.Graph().At(at), actor: []byte(id.Actor), op: id.Counter, last: tx.s.LastOp(at)}
}

type maker struct {
	hash     Hash
	actor    []byte
	op, last uint32
}
