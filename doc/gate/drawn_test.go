package gate_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"pgregory.net/rapid"

	"tombolo/doc/gate"
)

// drawn is a document of changes that make sense one after the other, by writers of whom each has seen all before.
type drawn struct {
	raws [][]byte
	ops  [][]gate.Op // of each change

	objects []object // the root first
	counter uint32
}

// opID is an operation and the number of its writer.
type opID struct {
	counter uint32
	writer  int
}

// object is a map with its keys, or a sequence with its elements.
type object struct {
	id    opID
	seq   bool
	slots []*slot
}

// slot is a key or an element, and what it holds: more than one value after a conflict.
type slot struct {
	key  string
	elem opID
	live []value
}

type value struct {
	id      opID
	counter bool
}

var writers = [][]byte{{1}, {1, 2, 3}, bytes.Repeat([]byte{9}, 16)}

// intent is an operation before the actors of its change are numbered.
type intent struct {
	gate.Op
	obj, elem opID
	preds     []opID
}

func drawDocument(t *rapid.T) *drawn {
	d := &drawn{objects: []object{{}}}
	seqs := make([]uint64, len(writers))
	var deps []gate.Hash
	for range rapid.IntRange(1, 4).Draw(t, "changes") {
		w := rapid.IntRange(0, len(writers)-1).Draw(t, "writer")
		seqs[w]++
		c := gate.Change{
			Deps: deps, Actor: writers[w], Seq: seqs[w], StartOp: uint64(d.counter) + 1,
			Time: rapid.Int64Range(-gate.MaxTime, gate.MaxTime).Draw(t, "time"), Message: rapid.String().Draw(t, "message"),
		}
		var intents []intent
		for range rapid.IntRange(0, 15).Draw(t, "operations") {
			d.counter++
			intents = append(intents, d.draw(t, opID{d.counter, w}))
		}
		ops := number(&c, w, intents)
		raw, err := gate.Encode(c, each(ops))
		if err != nil {
			t.Fatal(err)
		}
		d.raws, d.ops, deps = append(d.raws, raw), append(d.ops, ops), []gate.Hash{gate.HashOf(raw)}
	}
	return d
}

// number lists the other writers that operations refer to and refers to them by their place.
func number(c *gate.Change, own int, intents []intent) []gate.Op {
	used := map[int]bool{}
	for _, in := range intents {
		for _, id := range append([]opID{in.obj, in.elem}, in.preds...) {
			if id.counter > 0 && id.writer != own {
				used[id.writer] = true
			}
		}
	}
	place := map[int]uint32{own: 0}
	for w := range writers {
		if used[w] {
			c.Others = append(c.Others, writers[w])
			place[w] = uint32(len(c.Others))
		}
	}
	var ops []gate.Op
	for _, in := range intents {
		ref := func(id opID) gate.OpRef {
			if id.counter == 0 {
				return gate.OpRef{}
			}
			return gate.OpRef{Counter: id.counter, Actor: place[id.writer]}
		}
		op := in.Op
		op.Obj, op.Elem = ref(in.obj), ref(in.elem)
		for _, p := range in.preds {
			op.Preds = append(op.Preds, ref(p))
		}
		ops = append(ops, op)
	}
	return ops
}

// draw makes an operation on some object and notes what it does.
func (d *drawn) draw(t *rapid.T, id opID) intent {
	at := rapid.IntRange(0, len(d.objects)-1).Draw(t, "object")
	obj := &d.objects[at]
	in := intent{obj: obj.id}
	in.Seq = obj.seq
	var s *slot
	if obj.seq {
		if s = d.place(t, obj, &in, id); in.Insert {
			if rapid.IntRange(0, 3).Draw(t, "mark") == 0 {
				in.Action = gate.ActMark
				drawMark(t, &in.Op)
				return in
			}
		}
	} else {
		in.Key = rapid.SampledFrom([]string{"", "a", "b", "kéy", "a longer key"}).Draw(t, "key")
		i := slices.IndexFunc(obj.slots, func(s *slot) bool { return s.key == in.Key })
		if i < 0 {
			i, obj.slots = len(obj.slots), append(obj.slots, &slot{key: in.Key})
		}
		s = obj.slots[i]
	}
	what := rapid.IntRange(0, 9).Draw(t, "what")
	counters := slices.DeleteFunc(slices.Clone(s.live), func(v value) bool { return !v.counter })
	switch {
	case what == 0 && len(counters) > 0:
		in.Action, in.Type, in.Value = gate.ActIncrement, gate.TypeInt, sleb(rapid.Int64().Draw(t, "increment"))
		for _, v := range counters {
			in.preds = append(in.preds, v.id)
		}
		return in
	case what < 3 && len(s.live) > 0:
		in.Action = gate.ActDelete
		in.preds = s.replace(t, true)
		return in
	case what < 6:
		in.Action = rapid.SampledFrom([]gate.Action{gate.ActMakeMap, gate.ActMakeList, gate.ActMakeText}).Draw(t, "make")
		d.objects = append(d.objects, object{id: id, seq: in.Action != gate.ActMakeMap})
	default:
		in.Action = gate.ActSet
		drawValue(t, &in.Op)
	}
	if !in.Insert {
		in.preds = s.replace(t, false)
	}
	s.live = append(s.live, value{id, in.Type == gate.TypeCounter})
	return in
}

// place chooses an element to change, or where to insert one.
func (d *drawn) place(t *rapid.T, obj *object, in *intent, id opID) *slot {
	i := rapid.IntRange(-1, len(obj.slots)-1).Draw(t, "element")
	if i >= 0 {
		in.elem = obj.slots[i].elem
	}
	if i >= 0 && len(obj.slots[i].live) > 0 && rapid.Bool().Draw(t, "in place") {
		return obj.slots[i]
	}
	in.Insert = true
	s := &slot{elem: id}
	obj.slots = append(obj.slots, s)
	return s
}

// replace takes some of the values away, at least one if it must, and returns them as predecessors.
func (s *slot) replace(t *rapid.T, must bool) []opID {
	var out []opID
	s.live = slices.DeleteFunc(s.live, func(v value) bool {
		gone := must && len(out) == 0 || rapid.IntRange(0, 4).Draw(t, "seen") > 0
		if gone {
			out = append(out, v.id)
		}
		return gone
	})
	slices.SortFunc(out, func(a, b opID) int { return cmp.Or(cmp.Compare(a.counter, b.counter), cmp.Compare(a.writer, b.writer)) })
	return out
}

func drawMark(t *rapid.T, op *gate.Op) {
	op.Expand = rapid.Bool().Draw(t, "expand")
	if op.Named = rapid.Bool().Draw(t, "begin"); op.Named {
		op.Mark = rapid.SampledFrom([]string{"bold", "link", ""}).Draw(t, "name")
		drawValue(t, op)
	}
}

func drawValue(t *rapid.T, op *gate.Op) {
	op.Type = gate.ValueType(rapid.IntRange(0, 9).Draw(t, "type"))
	switch op.Type {
	case gate.TypeUint:
		op.Value = binary.AppendUvarint(nil, rapid.Uint64().Draw(t, "unsigned"))
	case gate.TypeInt, gate.TypeCounter, gate.TypeTime:
		op.Value = sleb(rapid.Int64().Draw(t, "signed"))
	case gate.TypeFloat:
		op.Value = binary.LittleEndian.AppendUint64(nil, rapid.Uint64().Draw(t, "float"))
	case gate.TypeString:
		op.Value = []byte(rapid.String().Draw(t, "string"))
	case gate.TypeBytes:
		op.Value = rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
	}
}
