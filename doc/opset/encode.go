package opset

import (
	"iter"
	"slices"
	"strings"

	"tombolo/doc/gate"
)

// Change is the plain bytes of a change as its writer made them, by its position in the graph.
func (s *Set) Change(pos int) ([]byte, error) {
	n := s.changes[pos].writer
	seq, _ := slices.BinarySearch(s.writers[n].changes, uint32(pos))
	head := gate.Change{Deps: s.graph.Deps(pos), Actor: []byte(s.writers[n].id), Seq: uint64(seq) + 1}
	c, err := s.encode(pos, head)
	return c.Raw, err
}

// encode writes the change at a position; head has what the set does not know itself.
func (s *Set) encode(at int, head gate.Change) (gate.Change, error) {
	c := s.changes[at]
	head.StartOp, head.Time, head.Message, head.Footer = uint64(c.start), c.time, c.message, s.footers[uint32(at)]
	end := s.end(uint32(at))
	e := encoder{s: s, own: c.writer}
	e.gather(c.first, end)
	for _, n := range e.others {
		head.Others = append(head.Others, []byte(s.writers[n].id))
	}
	raw, err := gate.Encode(head, e.operations(c.first, end))
	if err != nil {
		return gate.Change{}, err
	}
	return gate.Parse(raw)
}

// encoder turns positions into references.
type encoder struct {
	s      *Set
	own    uint32
	others []uint32          // numbers of other writers, by their IDs
	index  map[uint32]uint32 // of a writer in a change's actors
}

// gather finds the other writers that a run of operations refers to.
func (e *encoder) gather(from, to uint32) {
	s := e.s
	see := func(pos uint32) {
		n := s.changes[s.ops[pos].change].writer
		if n == e.own {
			return
		}
		if _, ok := e.index[n]; !ok {
			if e.index == nil {
				e.index = map[uint32]uint32{}
			}
			e.index[n] = 0
			e.others = append(e.others, n)
		}
	}
	for pos := from; pos < to; pos++ {
		o := &s.ops[pos]
		if o.obj != 0 {
			see(s.objects[o.obj].op)
		}
		switch {
		case o.is(flagInsert) && o.ref > 0:
			see(o.ref - 1)
		case o.is(flagSeq) && !o.is(flagInsert):
			see(o.key)
		}
		s.lists.each(o.pred, func(p uint32) bool { see(p); return true })
	}
	slices.SortFunc(e.others, func(a, b uint32) int { return strings.Compare(s.writers[a].id, s.writers[b].id) })
	for i, n := range e.others {
		e.index[n] = uint32(i) + 1
	}
}

func (e *encoder) ref(pos uint32) gate.OpRef {
	n := e.s.changes[e.s.ops[pos].change].writer
	r := gate.OpRef{Counter: e.s.counter(pos)}
	if n != e.own {
		r.Actor = e.index[n]
	}
	return r
}

func (e *encoder) operations(from, to uint32) iter.Seq[*gate.Op] {
	return func(yield func(*gate.Op) bool) {
		s := e.s
		var g gate.Op
		for pos := from; pos < to; pos++ {
			o := &s.ops[pos]
			g = gate.Op{
				Seq: o.is(flagSeq), Insert: o.is(flagInsert), Action: o.action, Type: gate.ValueType(o.meta & 15),
				Expand: o.is(flagExpand), Preds: g.Preds[:0],
			}
			if o.obj != 0 {
				g.Obj = e.ref(s.objects[o.obj].op)
			}
			switch {
			case !g.Seq:
				g.Key = s.keys[o.key]
			case !g.Insert:
				g.Elem = e.ref(o.key)
			case o.ref > 0:
				g.Elem = e.ref(o.ref - 1)
			}
			if !isMake(o.action) {
				g.Value = s.value(pos)
			}
			if o.name > 0 {
				g.Named, g.Mark = true, s.keys[o.name-1]
			}
			s.lists.each(o.pred, func(p uint32) bool { g.Preds = append(g.Preds, e.ref(p)); return true })
			if !yield(&g) {
				return
			}
		}
	}
}
