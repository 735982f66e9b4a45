package opset

import (
	"encoding/binary"

	"tombolo/doc/gate"
)

// record appends an operation whose predecessors are recorded here, too, and puts it where it acts. It is complete except
// for key of an insertion, ref of another value, val and succ.
func (s *Set) record(o op, value []byte, preds []uint32) uint32 {
	pos := uint32(len(s.ops))
	o.meta = o.meta&15 | uint32(len(value))<<4
	o.val = uint32(len(s.values))
	s.values = append(s.values, value...)
	for _, p := range preds {
		o.pred = s.lists.add(o.pred, p)
	}
	switch o.action {
	case gate.ActMakeMap, gate.ActMakeList, gate.ActMakeText:
		o.val = uint32(len(s.objects))
		s.objects = append(s.objects, object{op: pos, kind: o.action, depth: s.objects[o.obj].depth + 1})
	}
	s.ops = append(s.ops, o)

	obj := Object(o.obj)
	switch {
	case o.is(flagInsert):
		s.insertElem(obj, pos, o.ref)
		s.count(obj, pos, 0, false)
		s.split(obj, pos)
	case o.is(flagSeq):
		before, was := s.width(obj, o.key)
		e, more := s.elems[o.key]
		if !more {
			e = element{last: o.key + 1}
			if s.visible(o.key) {
				e.live = few(o.key + 1)
			}
		}
		s.replace(&e.last, &e.live, pos, preds)
		if more || isValue(o.action) { // an element that is only deleted needs no entry
			s.elems[o.key] = e
			s.ops[o.key].flags |= flagElem
		}
		s.count(obj, o.key, before, was)
	default:
		sl := s.makeSlot(obj, o.key)
		s.replace(&sl.last, &sl.live, pos, preds)
	}
	return pos
}

// replace puts the operation at pos into a slot: its predecessors go out of sight, and a value comes into it.
func (s *Set) replace(last *uint32, live *few, pos uint32, preds []uint32) {
	for _, p := range preds {
		was := s.visible(p)
		s.succeed(p, pos)
		if was && !s.visible(p) {
			*live = s.lists.remove(*live, p)
		}
	}
	if isValue(s.ops[pos].action) {
		s.ops[pos].ref = *last
		*last = pos + 1
		*live = s.lists.insert(*live, pos, func(q uint32) bool { return s.compare(q, pos) > 0 })
	}
}

// undo takes back the last operation.
func (s *Set) undo() {
	pos := uint32(len(s.ops) - 1)
	o := &s.ops[pos]
	obj := Object(o.obj)
	switch {
	case o.is(flagInsert):
		before, was := s.width(obj, pos)
		if was {
			sp := &s.objects[obj].order[s.spanOf(obj, pos)]
			sp.count--
			sp.width -= before
		}
		s.removeElem(obj, pos)
	case o.is(flagSeq):
		before, was := s.width(obj, o.key)
		e, more := s.elems[o.key]
		s.unreplace(&e.last, &e.live, pos)
		switch {
		case more && e.last == o.key+1: // what is left says the insertion itself
			delete(s.elems, o.key)
			s.ops[o.key].flags &^= flagElem
		case more:
			s.elems[o.key] = e
		}
		s.count(obj, o.key, before, was)
	default:
		sl := s.slotOf(obj, o.key)
		s.unreplace(&sl.last, &sl.live, pos)
		if sl.last == 0 { // it came with this operation, as the last one
			s.removeSlot(obj)
		}
	}
	s.lists.release(o.pred)
	delete(s.counters, pos)
	delete(s.widths, pos)
	if isMake(o.action) {
		s.objects = s.objects[:len(s.objects)-1]
	} else {
		s.values = s.values[:o.val]
	}
	s.ops = s.ops[:pos]
}

func (s *Set) unreplace(last *uint32, live *few, pos uint32) {
	o := &s.ops[pos]
	if isValue(o.action) {
		*last = o.ref
		*live = s.lists.remove(*live, pos)
	}
	s.lists.each(o.pred, func(p uint32) bool {
		was := s.visible(p)
		s.unsucceed(p, pos)
		if !was && s.visible(p) {
			*live = s.lists.insert(*live, p, func(q uint32) bool { return s.compare(q, p) > 0 })
		}
		return true
	})
}

// succeed notes that the operation at pos replaces or increments the value at p.
func (s *Set) succeed(p, pos uint32) {
	s.ops[p].succ = s.lists.add(s.ops[p].succ, pos)
	if s.isCounter(p) {
		c := s.counters[p]
		if s.ops[pos].action == gate.ActIncrement {
			c.sum += s.number(pos)
		} else {
			c.dead++
		}
		s.counters[p] = c
	}
}

func (s *Set) unsucceed(p, pos uint32) {
	s.ops[p].succ = s.lists.remove(s.ops[p].succ, pos)
	if s.isCounter(p) {
		c := s.counters[p]
		if s.ops[pos].action == gate.ActIncrement {
			c.sum -= s.number(pos)
		} else {
			c.dead--
		}
		s.counters[p] = c
	}
}

// visible says whether a value is one of those that its slot holds now. A counter stays through its increments; any other value goes even by an
// increment, as it does in the core.
func (s *Set) visible(pos uint32) bool {
	o := &s.ops[pos]
	switch {
	case !isValue(o.action):
		return false
	case s.isCounter(pos):
		return o.succ == 0 || s.counters[pos].dead == 0
	}
	return o.succ == 0
}

func isMake(a gate.Action) bool {
	return a == gate.ActMakeMap || a == gate.ActMakeList || a == gate.ActMakeText
}

// isValue says whether an operation puts something into a slot.
func isValue(a gate.Action) bool { return a == gate.ActSet || isMake(a) }

func (s *Set) isCounter(pos uint32) bool {
	o := &s.ops[pos]
	return o.action == gate.ActSet && gate.ValueType(o.meta&15) == gate.TypeCounter
}

// value is the encoded value of an operation.
func (s *Set) value(pos uint32) []byte {
	o := &s.ops[pos]
	return s.values[o.val:][:o.meta>>4]
}

// number is the value of a counter or an increment.
func (s *Set) number(pos uint32) int64 {
	b := s.value(pos)
	if gate.ValueType(s.ops[pos].meta&15) == gate.TypeUint {
		n, _ := binary.Uvarint(b)
		return int64(n)
	}
	return sleb(b)
}

// sleb reads a signed LEB128 number that the gate found well-formed.
func sleb(b []byte) int64 {
	var v int64
	for i, c := range b {
		shift := 7 * uint(i)
		v |= int64(c&0x7f) << shift
		if c&0x80 == 0 && shift < 57 && c&0x40 != 0 {
			v |= -1 << (shift + 7)
		}
	}
	return v
}
