package main

import (
	"bytes"
	"compress/flate"
	"io"

	"tombolo/doc/gate"
)

// change is a change taken apart, to be altered and put together again. Its operations are spelled out; what else it lists stands in
// extra columns.
type change struct {
	deps    []gate.Hash
	actor   string
	seq     uint64
	startOp uint64
	time    int64
	message string
	others  []string // only what the operations do not name; encoding adds those
	ops     []op
	extra   []column
	trailer []byte
}

// parse takes a plain or deflated change apart.
func parse(raw []byte) (change, error) {
	chunkType, body, rest, ok := unframe(raw)
	if !ok || len(rest) > 0 {
		return change{}, errForm
	}
	switch chunkType {
	case chunkChange:
	case chunkDeflated:
		var err error
		if body, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(body)), 1<<20)); err != nil {
			return change{}, errForm
		}
	default:
		return change{}, errForm
	}
	h, columns, err := parseHeader(body)
	if err != nil {
		return change{}, err
	}
	return assemble(h, columns)
}

// header is a change as it is spelled: the header, and the columns as bytes.
type header struct {
	change          // without ops
	actors []string // of the operations: the writer, then the others
}

func parseHeader(body []byte) (header, []column, error) {
	in := &input{rest: body}
	var h header
	n := in.uint()
	if n > 1000 {
		return h, nil, errForm
	}
	for range n {
		h.deps = append(h.deps, gate.Hash(append(make([]byte, 0, 32), in.bytes(32)...)[:32]))
	}
	h.actor = string(in.bytes(in.uint()))
	h.seq, h.startOp, h.time = in.uint(), in.uint(), in.int()
	h.message = string(in.bytes(in.uint()))
	h.actors = []string{h.actor}
	if n = in.uint(); n > 1000 {
		return h, nil, errForm
	}
	for range n {
		h.actors = append(h.actors, string(in.bytes(in.uint())))
	}
	if n = in.uint(); n > 1000 {
		return h, nil, errForm
	}
	columns := make([]column, n)
	sizes := make([]uint64, n)
	for i := range columns {
		columns[i].spec, sizes[i] = in.uint(), in.uint()
	}
	for i := range columns {
		columns[i].content = in.bytes(sizes[i])
	}
	h.trailer = in.rest
	if in.bad {
		return h, nil, errForm
	}
	return h, columns, nil
}

// assemble turns columns into operations.
func assemble(h header, columns []column) (change, error) {
	c := h.change
	var fault error
	content := map[uint64][]byte{}
	for _, col := range columns {
		switch col.spec {
		case colObjActor, colObjCtr, colKeyActor, colKeyCtr, colKeyString, colInsert, colAction, colValueMeta, colValue,
			colPredCount, colPredActor, colPredCtr, colExpand, colMarkName:
			content[col.spec] = col.content
		default:
			c.extra = append(c.extra, col)
		}
	}
	runs := func(spec uint64, k kind) []cell {
		rows, err := decodeRuns(content[spec], k)
		if err != nil {
			fault = err
		}
		return rows
	}
	deltas := func(spec uint64) []cell {
		rows, err := decodeDeltas(content[spec])
		if err != nil {
			fault = err
		}
		return rows
	}
	bools := func(spec uint64) []bool {
		rows, err := decodeBools(content[spec])
		if err != nil {
			fault = err
		}
		return rows
	}
	actions := runs(colAction, unsigned)
	objActor, objCtr := runs(colObjActor, unsigned), runs(colObjCtr, unsigned)
	keyActor, keyCtr, keyString := runs(colKeyActor, unsigned), deltas(colKeyCtr), runs(colKeyString, text)
	insert, expand, markName := bools(colInsert), bools(colExpand), runs(colMarkName, text)
	meta, values := runs(colValueMeta, unsigned), &input{rest: content[colValue]}
	predCount, predActor, predCtr := runs(colPredCount, unsigned), runs(colPredActor, unsigned), deltas(colPredCtr)
	if fault != nil {
		return change{}, fault
	}
	id := func(actor, ctr cell) opID {
		if ctr.null || ctr.num == 0 && actor.null {
			return opID{}
		}
		if uint64(actor.num) >= uint64(len(h.actors)) {
			return opID{ctr.num, "?"}
		}
		return opID{ctr.num, h.actors[actor.num]}
	}
	pred := 0
	for i, action := range actions {
		o := op{
			action: action.num, obj: id(at(objActor, i), at(objCtr, i)), elem: id(at(keyActor, i), at(keyCtr, i)),
			insert: i < len(insert) && insert[i], expand: i < len(expand) && expand[i],
		}
		if k := at(keyString, i); !k.null {
			o.keyed, o.key = true, k.str
		}
		if m := at(markName, i); !m.null {
			o.markName = &m.str
		}
		m := uint64(at(meta, i).num)
		o.kind, o.value = m&15, values.bytes(m>>4)
		for range min(at(predCount, i).num, int64(len(predCtr)-pred)) {
			o.preds = append(o.preds, id(at(predActor, pred), predCtr[pred]))
			pred++
		}
		c.ops = append(c.ops, o)
	}
	if values.bad {
		return change{}, errForm
	}
	return c, nil
}

func at(rows []cell, i int) cell {
	if i < len(rows) {
		return rows[i]
	}
	return cell{null: true}
}
