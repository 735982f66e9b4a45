package doc

import (
	"encoding/binary"
	"fmt"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// Seed puts v at a key of a map where nothing stands, by a change of its own that follows from that map, the key and v alone: devices that seed the same
// there apart have made the same change, so it is there once, and what each goes on to write in it merges. [Tx.Set] shares empty containers only,
// and of what is in them each device has its own. Another v is another change; both are there then, as a conflict, of which all devices show the same
// one. Where others may use Set for a text, list or map at this path, Seed makes such a conflict, too: a place is for one of the two.
//
// v is what Set takes. A number without a sign is one with a sign where it fits. The map must exist; Set makes it, empty, at a fixed path. Where this very v was
// seeded before and has not been overwritten, nothing happens; where anything else stands, Seed is a [PathError]. What is too much for one change is a
// [*gate.LimitError]. An undo leaves a seed where it is.
//
// Seed comes before the other writes of an edit. It is an ordinary write, as Set would make it, after one of these (containers that Set had to make at
// fixed paths are none), in a map that this edit makes, in a document without a genesis, and where a seed or container stood that was removed.
func (tx *Tx) Seed(path string, v any) error {
	if tx.over {
		return errTxOver
	}
	p, err := parsePath(path)
	if err != nil {
		return err
	}
	return tx.seed(p, v)
}

func (tx *Tx) seed(p Pointer, v any) error {
	want, err := wanted(v)
	if err != nil {
		return err
	}
	if len(p) == 0 {
		return badPath(p, "the document itself is there already; seed a key of it")
	}
	if p[0] == marksKey {
		return badPath(p, "the key %s belongs to the engine", marksKey)
	}
	if err := checkKey(p[len(p)-1]); err != nil {
		return badPath(p, "%v", err)
	}
	pl, err := tx.placeInside(p)
	if err != nil {
		return err
	}
	above, err := tx.placeInside(p[:len(p)-1])
	switch {
	case err != nil:
		return err
	case above.kind(tx.s) != kindMap:
		return badPath(above.path, "it is a list, and only keys of maps can be seeded; insert an element")
	}
	c, shared, err := tx.seedChange(above, p[len(p)-1], want)
	if err != nil {
		return fmt.Errorf("seed %s: %w", p, err)
	}
	pl.hidden = tx.reader().hides(pl)
	switch known := shared && tx.s.Graph().Has(c.Hash); {
	case known && tx.stands(pl, c.Hash) && !pl.hidden:
		return nil
	case pl.has && !pl.hidden:
		return badPath(p, "there is something already; read it, and change it with Set")
	case !shared, known, pl.has, tx.draft != nil:
		return tx.setHidden(p, want)
	}
	if _, err := tx.s.Add(c); err != nil {
		return fmt.Errorf("seed %s: %w", p, err)
	}
	tx.made = append(tx.made, c)
	return tx.reveal(p)
}

// stands says whether a change put one of the values at a place.
func (tx *Tx) stands(pl place, h Hash) bool {
	for _, item := range tx.s.Now().Conflicts(pl.slot(tx.s)) {
		if at := tx.s.ChangeOf(item); at < tx.s.Graph().Len() && tx.s.Graph().At(at) == h {
			return true
		}
	}
	return false
}

// setHidden is set where the map may be hidden that holds what p leads to.
func (tx *Tx) setHidden(p Pointer, want value.Value) error {
	if _, err := tx.place(p); err != nil {
		if err := tx.reveal(p); err != nil {
			return err
		}
	}
	return tx.set(p, want)
}

// seedChange derives the change that puts want at a key of the map at a place. It depends on the operation that made the map, the key and the canonical
// JSON of want, and on nothing else, so it is the same on every device that has the map. It is false where nobody else can have the
// map: the open draft makes it, or the document has no genesis.
func (tx *Tx) seedChange(above place, key string, want value.Value) (c gate.Change, shared bool, err error) {
	app, ok := tx.app()
	if !ok {
		return c, false, nil
	}
	holder := maker{hash: hashOf(Genesis(tx.d.id, app)), actor: genesisActor(tx.d.id, app), last: genesisOps}
	if !above.root() {
		holder = tx.maker(above.object(tx.s))
	}
	if holder.hash == (Hash{}) || tx.placed[holder.hash] {
		return c, false, nil
	}
	text, want, err := canonical(want)
	if err != nil {
		return c, false, err
	}
	actor := seedActor(tx.d.id, app, holder, key, text)
	c = gate.Change{Deps: []Hash{holder.hash}, Actor: actor, Seq: 1, StartOp: uint64(holder.last) + 1}
	w := seedWriter{tx: tx, next: holder.last + 1}
	var in gate.OpRef
	if !above.root() {
		in = gate.OpRef{Counter: holder.op, Actor: 1}
		c.Others = [][]byte{holder.actor}
	}
	raw, err := gate.Encode(c, func(yield func(*gate.Op) bool) {
		w.yield = yield
		w.value(gate.Op{Obj: in, Key: key}, want)
	})
	if err != nil {
		return c, false, err
	}
	c, err = gate.Parse(raw)
	return c, err == nil, err
}

func seedActor(id ID, app string, holder maker, key string, text []byte) []byte {
	sum := digest("tombolo seed 1", []byte(app), id[:], holder.actor, binary.BigEndian.AppendUint32(nil, holder.op), []byte(key), text)
	return sum[:16]
}

// canonical is the canonical JSON of a value that was checked, and what that says. Values that differ and have the same JSON, such as numbers with and without a
// sign, would be two changes of one actor, which splits a document for ever: so the JSON decides.
func canonical(want value.Value) ([]byte, value.Value, error) {
	tree, err := want.Tree()
	if err != nil {
		return nil, want, err
	}
	text := appendJSON(nil, tree)
	if tree, err = DecodeJSON(text); err != nil {
		return nil, want, err
	}
	want, err = wanted(tree)
	return text, want, err
}

// seedWriter gives the operations of a seed: a container first and then its content, keys in ascending order.
type seedWriter struct {
	tx    *Tx
	next  uint32 // counter of the next operation
	yield func(*gate.Op) bool
	full  bool // the change is too large, so nothing more is needed
}

// put gives an operation and says how later ones refer to it.
func (w *seedWriter) put(op gate.Op) gate.OpRef {
	if !w.full {
		w.full = !w.yield(&op)
	}
	w.next++
	return gate.OpRef{Counter: w.next - 1}
}

// value puts want where op says.
func (w *seedWriter) value(op gate.Op, want value.Value) gate.OpRef {
	k := kindOfWanted(want)
	if k == kindNone {
		op.Action = gate.ActSet
		op.Type, op.Value = w.tx.encode(want)
		return w.put(op)
	}
	op.Action = k.action()
	made := w.put(op)
	switch k {
	case kindMap:
		for key, in := range want.Fields {
			if w.full {
				break
			}
			w.value(gate.Op{Obj: made, Key: key}, in)
		}
	case kindList:
		var after gate.OpRef
		for i := 0; i < want.Len() && !w.full; i++ {
			after = w.value(gate.Op{Obj: made, Seq: true, Insert: true, Elem: after}, want.Index(i))
		}
	case kindText:
		var after gate.OpRef
		text := want.Str()
		for i, r := range text {
			if w.full {
				break
			}
			char := []byte(text[i : i+runeLen(r)])
			after = w.put(gate.Op{Obj: made, Seq: true, Insert: true, Elem: after, Action: gate.ActSet, Type: gate.TypeString, Value: char})
		}
	}
	return made
}

// isSeed says whether the change at a position is a seed, and writes nowhere else. It costs what was seeded.
func (d *Doc) isSeed(s *opset.Set, pos int) bool {
	info := s.Info(pos)
	if info.Seq != 1 || info.Time != 0 || info.Message != "" || len(s.Graph().Deps(pos)) != 1 {
		return false
	}
	v := s.Before(pos + 1) // nothing is in the seed yet but the seed
	app := appOf(v)
	first := true
	for op := range s.Operations(pos) {
		if !first {
			if op.Slot.Obj == opset.Root {
				return false
			}
			if _, made := s.Made(op.Slot.Obj); s.ChangeOf(made) != pos {
				return false
			}
			continue
		}
		first = false
		if !op.Value() || op.Slot.Seq {
			return false
		}
		holder := maker{actor: genesisActor(d.id, app)}
		if op.Slot.Obj != opset.Root {
			_, made := s.Made(op.Slot.Obj)
			id := s.ID(made)
			holder = maker{actor: []byte(id.Actor), op: id.Counter}
		}
		text := appendJSON(nil, v.Value(op.Item))
		if string(seedActor(d.id, app, holder, s.KeyOf(op.Slot), text)) != info.Actor {
			return false
		}
	}
	return !first
}
