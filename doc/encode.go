package doc

import (
	"crypto/sha256"
	"encoding/binary"
)

// The few changes whose bytes every device must make alike (genesis, containers at fixed paths) are encoded here, in Go, and not by
// the core: nothing then depends on the state of a document or on the core's version. The format is Automerge's binary change
// (automerge.org/automerge-binary-format-spec); a test compares these bytes with the core's own.

// makeOp creates a container, or puts a scalar, under a key of a map, with no predecessor.
type makeOp struct {
	obj    opRef // the map written to; the zero value is the root
	key    string
	action uint64 // actMakeMap, actMakeList, actMakeText or actSet
	meta   uint64 // length and type of the value
	value  []byte
}

// opRef names an operation: its counter, and its actor as an index into the change's actors, counted from 1.
type opRef struct{ counter, actor uint64 }

const (
	actMakeMap, actSet, actMakeList, actMakeText = 0, 1, 2, 4

	typeNull, typeUint, typeString = 0, 3, 6
)

// fixedChange is a change by an actor of its own: sequence 1, time 0, no message.
type fixedChange struct {
	deps    []Hash
	actor   []byte
	startOp uint64
	others  [][]byte // further actors that ops refer to
	ops     []makeOp
}

func (c fixedChange) encode() []byte {
	uv := binary.AppendUvarint
	body := uv(nil, uint64(len(c.deps)))
	for _, h := range c.deps {
		body = append(body, h[:]...)
	}
	body = append(uv(body, uint64(len(c.actor))), c.actor...)
	body = uv(body, 1) // sequence
	body = uv(body, c.startOp)
	body = append(body, 0, 0) // time, length of the message
	body = uv(body, uint64(len(c.others)))
	for _, a := range c.others {
		body = append(uv(body, uint64(len(a))), a...)
	}
	columns := c.columns()
	var listed uint64
	var meta, data []byte
	for _, col := range columns {
		if len(col.data) > 0 {
			listed++
			meta = uv(uv(meta, col.spec), uint64(len(col.data)))
			data = append(data, col.data...)
		}
	}
	body = append(append(uv(body, listed), meta...), data...)

	chunk := append(uv([]byte{1}, uint64(len(body))), body...)
	sum := sha256.Sum256(chunk)
	return append(append([]byte{0x85, 0x6f, 0x4a, 0x83}, sum[:4]...), chunk...)
}

type column struct {
	spec uint64
	data []byte
}

func (c fixedChange) columns() []column {
	var objActor, objCtr, key, action, meta, pred []cell
	var raw []byte
	for _, op := range c.ops {
		actor, counter := cell{null: true}, cell{null: true}
		if op.obj.counter > 0 {
			actor, counter = uintCell(op.obj.actor-1), uintCell(op.obj.counter)
		}
		objActor, objCtr = append(objActor, actor), append(objCtr, counter)
		key = append(key, cell{enc: string(append(binary.AppendUvarint(nil, uint64(len(op.key))), op.key...))})
		action = append(action, uintCell(op.action))
		meta = append(meta, uintCell(op.meta))
		pred = append(pred, uintCell(0))
		raw = append(raw, op.value...)
	}
	insert := binary.AppendUvarint(nil, uint64(len(c.ops))) // one run of false
	return []column{
		{1, runs(objActor)},
		{2, runs(objCtr)},
		{21, runs(key)},
		{52, insert},
		{66, runs(action)},
		{86, runs(meta)},
		{87, raw},
		{112, runs(pred)},
	}
}

// cell is one row of a run-length column: a value in its encoding, or null.
type cell struct {
	null bool
	enc  string
}

func uintCell(v uint64) cell { return cell{enc: string(binary.AppendUvarint(nil, v))} }

// runs encodes a column in the canonical form: a run for two and more equal values, a literal run for others, null runs; nothing at
// all for a column of nulls.
func runs(cells []cell) []byte {
	var out, literal []byte
	var literals int64
	flush := func() {
		if literals > 0 {
			out = append(appendSleb(out, -literals), literal...)
			literal, literals = nil, 0
		}
	}
	values := false
	for i := 0; i < len(cells); {
		n := i + 1
		for n < len(cells) && cells[n] == cells[i] {
			n++
		}
		run := int64(n - i)
		switch {
		case cells[i].null:
			flush()
			out = binary.AppendUvarint(append(out, 0), uint64(run))
		case run > 1:
			flush()
			out = append(appendSleb(out, run), cells[i].enc...)
		default:
			literal, literals = append(literal, cells[i].enc...), literals+1
		}
		values = values || !cells[i].null
		i = n
	}
	flush()
	if !values {
		return nil
	}
	return out
}

// appendSleb appends v as signed LEB128.
func appendSleb(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
