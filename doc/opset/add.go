package opset

import (
	"bytes"
	"slices"

	"tombolo/doc/gate"
)

// Add checks a change that came from gate.Parse and records it. It returns the change's position in the graph. The errors are those of gate.Graph.Add,
// [*gate.FormError] or [*gate.LimitError] where an operation does not fit the document, and [ErrFull]; nothing is recorded on an error.
func (s *Set) Add(c gate.Change) (int, error) {
	if s.draft {
		return 0, ErrDraft
	}
	if pos, ok := s.graph.Position(c.Hash); ok {
		return pos, gate.ErrKnown
	}
	if err := s.graph.Check(c); err != nil {
		return 0, err
	}
	if !s.room(c.Ops, len(c.Raw)) {
		return 0, ErrFull
	}
	r := resolver{s: s, c: &c, past: s.graph.Past(c), base: uint32(len(s.ops))}
	s.open(c.Actor, uint32(c.StartOp), c.Time, c.Message)
	for _, a := range c.Others {
		n, ok := s.graph.ActorNumber(a)
		if !ok {
			s.dropLast()
			return 0, &gate.FormError{Reason: "it refers to a writer whose changes are not in its past"}
		}
		r.others = append(r.others, uint32(n))
	}
	for o := range c.Operations() {
		if err := r.add(o); err != nil {
			s.dropLast()
			s.shrink()
			return 0, err
		}
	}
	if c.Footer != nil {
		s.footers[uint32(len(s.changes)-1)] = bytes.Clone(c.Footer)
		s.text += len(c.Footer)
	}
	return s.graph.Add(c)
}

// open begins the change that the next operations belong to.
func (s *Set) open(actor []byte, start uint32, time int64, message string) {
	n, ok := s.graph.ActorNumber(actor)
	if !ok {
		n = len(s.writers)
		s.writers = append(s.writers, writer{id: string(actor)})
	}
	w := &s.writers[n]
	w.changes = append(w.changes, uint32(len(s.changes)))
	c := change{first: uint32(len(s.ops)), start: start, writer: uint32(n), keys: uint32(len(s.keys)), time: time, message: message}
	s.changes = append(s.changes, c)
	s.text += len(message)
}

// dropLast takes back the last change with its operations and the keys that came with it.
func (s *Set) dropLast() {
	keys := s.changes[len(s.changes)-1].keys
	s.dropOps()
	for _, k := range s.keys[keys:] {
		delete(s.keyNo, k)
		s.text -= len(k)
	}
	s.keys = s.keys[:keys]
}

// dropOps takes back the last change with its operations. Keys keep their numbers.
func (s *Set) dropOps() {
	last := s.changes[len(s.changes)-1]
	for len(s.ops) > int(last.first) {
		s.undo()
	}
	n := last.writer
	s.changes = s.changes[:len(s.changes)-1]
	s.text -= len(last.message) + len(s.footers[uint32(len(s.changes))])
	delete(s.footers, uint32(len(s.changes)))
	w := &s.writers[n]
	if w.changes = w.changes[:len(w.changes)-1]; len(w.changes) == 0 {
		s.writers = s.writers[:n] // the last writer: they are numbered by their first change
	}
}

// Truncate forgets the changes from position n on. It costs what is forgotten and a walk over the changes that stay.
func (s *Set) Truncate(n int) {
	for len(s.changes) > n {
		s.dropLast()
	}
	s.graph.Truncate(n)
	s.shrink()
}

// resolver turns the references of one change into positions.
type resolver struct {
	s      *Set
	c      *gate.Change
	past   *gate.Past
	base   uint32   // position of its first operation
	others []uint32 // numbers of the other writers
	preds  []uint32

	key, mark lastKey
}

// lastKey keeps the number of a key for the operations that repeat it: a million of them take no more bytes than one, and looking a long key up costs
// its length.
type lastKey struct {
	key   string
	no    uint32
	known bool
}

func (l *lastKey) number(s *Set, key string) uint32 {
	if !l.known || l.key != key {
		l.key, l.no, l.known = key, s.key(key), true
	}
	return l.no
}

func refuse(reason string) error { return &gate.FormError{Reason: reason} }

func (r *resolver) add(g *gate.Op) error {
	s := r.s
	o := op{change: uint32(len(s.changes) - 1), action: g.Action, meta: uint32(g.Type)}
	if g.Obj != (gate.OpRef{}) {
		made, ok := r.find(g.Obj)
		if !ok || !isMake(s.ops[made].action) {
			return refuse("an operation on an object that is not in its past")
		}
		o.obj = s.ops[made].val
	}
	if (s.objects[o.obj].kind == gate.ActMakeMap) == g.Seq {
		return refuse("an operation on a key of a list or text, or on an element of a map")
	}
	if g.Action == gate.ActMark && s.objects[o.obj].kind != gate.ActMakeText {
		return refuse("a mark outside of a text")
	}
	if g.Type == gate.TypeString && len(g.Value) == 0 && s.objects[o.obj].kind == gate.ActMakeText {
		return refuse("an empty string in a text") // the core loses count of what takes no room
	}
	if isMake(g.Action) && s.objects[o.obj].depth >= gate.MaxDepth {
		return &gate.LimitError{What: "containers in each other", Have: gate.MaxDepth + 1, Max: gate.MaxDepth}
	}
	if !g.Seq {
		o.key = r.key.number(s, g.Key)
	} else if err := r.element(g, &o); err != nil {
		return err
	}
	r.preds = r.preds[:0]
	for _, ref := range g.Preds {
		p, ok := r.find(ref)
		if !ok || !r.sameSlot(p, &o) {
			return refuse("an operation replaces a value that is not there")
		}
		r.preds = append(r.preds, p)
	}
	if p, ok := r.ownValue(&o); ok && isValue(o.action) && !slices.Contains(r.preds, p) {
		return refuse("an operation leaves a value beside it that the same change put there") // which could be a million
	}
	if g.Expand {
		o.flags |= flagExpand
	}
	if g.Named {
		o.name = r.mark.number(s, g.Mark) + 1
	}
	s.record(o, g.Value, r.preds)
	return nil
}

// element says which element of a sequence an operation is about.
func (r *resolver) element(g *gate.Op, o *op) error {
	o.flags |= flagSeq
	if g.Insert {
		o.flags |= flagInsert
	}
	if g.Elem == (gate.OpRef{}) {
		return nil // the head; that it inserts there is a matter of form
	}
	e, ok := r.find(g.Elem)
	if !ok || !r.s.ops[e].is(flagInsert) || r.s.ops[e].obj != o.obj {
		return refuse("an operation on an element that is not there")
	}
	switch {
	case g.Insert:
		o.ref = e + 1
	case r.s.ops[e].action == gate.ActMark:
		return refuse("a value in the place of a mark") // the core orders what follows otherwise
	default:
		o.key = e
	}
	return nil
}

// sameSlot says whether a value stands where an operation acts.
func (r *resolver) sameSlot(p uint32, o *op) bool {
	q := &r.s.ops[p]
	if q.obj != o.obj || !isValue(q.action) {
		return false
	}
	if q.is(flagInsert) {
		return o.key == p
	}
	return q.key == o.key
}

// ownValue is the value that the change itself has put, and not replaced, where an operation acts. There is at most one: the last one added.
func (r *resolver) ownValue(o *op) (uint32, bool) {
	s := r.s
	last := uint32(0)
	switch {
	case o.is(flagInsert):
	case !o.is(flagSeq):
		if sl := s.slotOf(Object(o.obj), o.key); sl != nil {
			last = sl.last
		}
	case s.ops[o.key].is(flagElem):
		last = s.elems[o.key].last
	default:
		last = o.key + 1
	}
	if last == 0 || s.ops[last-1].change != o.change {
		return 0, false
	}
	return last - 1, s.visible(last - 1)
}

// find is the position of an operation in the change's past or earlier in the change itself.
func (r *resolver) find(ref gate.OpRef) (uint32, bool) {
	s := r.s
	n := s.changes[len(s.changes)-1].writer
	if ref.Actor > 0 {
		n = r.others[ref.Actor-1]
	}
	pos, ok := s.find(n, ref.Counter)
	if !ok {
		return 0, false
	}
	at := int(s.ops[pos].change)
	return pos, at == len(s.changes)-1 || r.past.Has(at)
}

// find is the position of an operation by its ID.
func (s *Set) find(writer, counter uint32) (uint32, bool) {
	changes := s.writers[writer].changes
	// The last change that begins there or before: one without operations begins where the next does.
	i, _ := slices.BinarySearchFunc(changes, counter, func(c, counter uint32) int {
		if s.changes[c].start <= counter {
			return -1
		}
		return 1
	})
	if i == 0 {
		return 0, false
	}
	c := s.changes[changes[i-1]]
	return c.first + (counter - c.start), counter-c.start < s.end(changes[i-1])-c.first
}

// end is the position behind the operations of a change.
func (s *Set) end(change uint32) uint32 {
	if int(change+1) < len(s.changes) {
		return s.changes[change+1].first
	}
	return uint32(len(s.ops))
}
