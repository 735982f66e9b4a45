package main

import (
	"encoding/binary"
	"slices"
)

// actors is the table of actors in canonical form: the writer, then in order those the operations name and the extra ones.
func (c *change) actors() []string {
	others := slices.Clone(c.others)
	see := func(id opID) {
		if id != (opID{}) && id.actor != c.actor {
			others = append(others, id.actor)
		}
	}
	for i := range c.ops {
		see(c.ops[i].obj)
		see(c.ops[i].elem)
		for _, p := range c.ops[i].preds {
			see(p)
		}
	}
	slices.Sort(others)
	return append([]string{c.actor}, slices.Compact(others)...)
}

// columns spells the operations out as columns, in canonical form.
func (c *change) columns(actors []string) []column {
	index := make(map[string]int64, len(actors))
	for i, a := range actors {
		index[a] = int64(i)
	}
	null := cell{null: true}
	id := func(x opID, root bool) (actor, ctr cell) {
		switch {
		case x != opID{}:
			return cell{num: index[x.actor]}, cell{num: x.ctr}
		case root:
			return null, null
		}
		return null, cell{}
	}
	n := len(c.ops)
	rows := func() []cell { return make([]cell, n) }
	objActor, objCtr, keyActor, keyCtr, keyString := rows(), rows(), rows(), rows(), rows()
	action, meta, predCount, markName := rows(), rows(), rows(), rows()
	insert, expand := make([]bool, n), make([]bool, n)
	var predActor, predCtr []cell
	var values []byte
	for i, o := range c.ops {
		objActor[i], objCtr[i] = id(o.obj, true)
		keyActor[i], keyCtr[i], keyString[i] = null, null, cell{str: o.key}
		if !o.keyed {
			keyString[i] = null
			keyActor[i], keyCtr[i] = id(o.elem, false)
		}
		insert[i], expand[i] = o.insert, o.expand
		action[i] = cell{num: o.action}
		meta[i] = cell{num: int64(uint64(len(o.value))<<4 | o.kind)}
		values = append(values, o.value...)
		predCount[i] = cell{num: int64(len(o.preds))}
		for _, p := range o.preds {
			a, ctr := id(p, false)
			predActor, predCtr = append(predActor, a), append(predCtr, ctr)
		}
		markName[i] = null
		if o.markName != nil {
			markName[i] = cell{str: *o.markName}
		}
	}
	if !slices.Contains(expand, true) {
		expand = nil
	}
	list := append([]column{
		{colObjActor, encodeRuns(objActor, unsigned)},
		{colObjCtr, encodeRuns(objCtr, unsigned)},
		{colKeyActor, encodeRuns(keyActor, unsigned)},
		{colKeyCtr, encodeDeltas(keyCtr)},
		{colKeyString, encodeRuns(keyString, text)},
		{colInsert, encodeBools(insert)},
		{colAction, encodeRuns(action, unsigned)},
		{colValueMeta, encodeRuns(meta, unsigned)},
		{colValue, values},
		{colPredCount, encodeRuns(predCount, unsigned)},
		{colPredActor, encodeRuns(predActor, unsigned)},
		{colPredCtr, encodeDeltas(predCtr)},
		{colExpand, encodeBools(expand)},
		{colMarkName, encodeRuns(markName, text)},
	}, c.extra...)
	list = slices.DeleteFunc(list, func(col column) bool { return len(col.content) == 0 })
	slices.SortStableFunc(list, func(a, b column) int { return int(a.spec) - int(b.spec) })
	return list
}

// spelled is everything that encoding writes, so that what is canonical can be spoilt after the operations are in place.
type spelled struct {
	change
	table   []string // the writer and the other actors
	columns []column
}

func (c *change) spell() *spelled {
	actors := c.actors()
	return &spelled{change: *c, table: actors, columns: c.columns(actors)}
}

// body puts header and columns together.
func (s *spelled) body() []byte {
	u := binary.AppendUvarint
	b := u(nil, uint64(len(s.deps)))
	for _, d := range s.deps {
		b = append(b, d[:]...)
	}
	b = append(u(b, uint64(len(s.table[0]))), s.table[0]...)
	b = appendInt(u(u(b, s.seq), s.startOp), s.time)
	b = append(u(b, uint64(len(s.message))), s.message...)
	b = u(b, uint64(len(s.table)-1))
	for _, a := range s.table[1:] {
		b = append(u(b, uint64(len(a))), a...)
	}
	b = u(b, uint64(len(s.columns)))
	for _, c := range s.columns {
		b = u(u(b, c.spec), uint64(len(c.content)))
	}
	for _, c := range s.columns {
		b = append(b, c.content...)
	}
	return append(b, s.trailer...)
}

// raw is the change as a plain chunk.
func (c *change) raw() []byte { return frame(c.spell().body()) }

// clone is a copy whose slices can be written to.
func (c *change) clone() *change {
	d := *c
	d.deps, d.others, d.extra = slices.Clone(c.deps), slices.Clone(c.others), slices.Clone(c.extra)
	d.ops = slices.Clone(c.ops)
	for i := range d.ops {
		d.ops[i].preds = slices.Clone(d.ops[i].preds)
		d.ops[i].value = slices.Clone(d.ops[i].value)
	}
	return &d
}
