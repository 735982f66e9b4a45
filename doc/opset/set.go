package opset

import (
	"cmp"
	"strings"

	"tombolo/doc/gate"
)

// Set is the operations of one document.
type Set struct {
	graph   *gate.Graph
	changes []change // by position in the graph; while a draft is open, one more
	ops     []op     // by position: the order in which they were added
	values  []byte   // the encoded values of all operations
	objects []object // by number; the first is the root

	keys    []string // of maps, and names of marks
	keyNo   map[string]uint32
	writers []writer // by their number in the graph; while a draft is open perhaps one more

	blocks   []block
	freed    []uint32            // blocks that are not in use
	leasts   map[Object][]uint32 // see nextBelow
	footers  map[uint32][]byte   // of the changes that have one
	elems    map[uint32]element  // elements of sequences that have values besides the inserted one
	counters map[uint32]counter  // counters that were incremented or replaced
	widths   map[uint32]uint32   // characters of the long strings in texts
	lists    lists               // behind every few
	text     int                 // bytes of keys, messages and footers
	limit    int                 // see Limit
	draft    bool                // one is open
}

type writer struct {
	id      string
	changes []uint32 // positions, ascending
}

// change is what the operations of a change share, and what its header says besides what the graph knows.
type change struct {
	first   uint32 // position of its first operation
	start   uint32 // counter of that operation
	writer  uint32
	keys    uint32 // how many keys there were before it
	time    int64
	message string
}

// op is one operation. Its counter and writer follow from its change.
type op struct {
	change uint32
	obj    uint32 // the object it acts on
	key    uint32 // maps: the key's number. Sequences: the element (the position of the operation that inserted it); of an insertion, the block it stands in
	ref    uint32 // insertions: 1 + position of the element before, 0 for the head. Other values: 1 + position of the value before in the slot
	val    uint32 // where its value begins in values; for a new object, its number
	meta   uint32 // length of the value << 4, its type
	pred   few    // what it replaces
	succ   few    // what replaces it
	action gate.Action
	flags  uint8
	name   uint32 // marks: 1 + the number of the name, 0 for the end of a mark
}

const (
	flagSeq = 1 << iota
	flagInsert
	flagExpand
	flagElem // an element with an entry in elems
)

func (o *op) is(flag uint8) bool { return o.flags&flag != 0 }

// object is a map, list or text.
type object struct {
	op    uint32 // the operation that made it; meaningless for the root
	kind  gate.Action
	depth uint32            // how many containers it lies in
	slots []slot            // maps: by first use
	bySlo map[uint32]uint32 // maps with many keys: key number to index in slots
	order []span            // sequences
}

// slot is what a key of a map holds.
type slot struct {
	key  uint32
	last uint32 // 1 + position of the value added last; the others follow by ref
	live few    // values that nothing replaced, by ascending ID: the last one wins
}

// element is what an element of a sequence holds besides the value inserted.
type element struct {
	last uint32
	live few
}

type counter struct {
	sum  int64 // of the increments
	dead int   // operations besides increments that replace it
}

// Root is the document itself, a map.
const Root Object = 0

// Object is a map, list or text by its number.
type Object uint32

// New is the set of an empty document.
func New() *Set {
	return &Set{
		graph: gate.NewGraph(), objects: []object{{kind: gate.ActMakeMap}}, keyNo: map[string]uint32{},
		footers: map[uint32][]byte{}, leasts: map[Object][]uint32{}, elems: map[uint32]element{}, counters: map[uint32]counter{}, widths: map[uint32]uint32{},
	}
}

// Graph is the causal index of the changes, for reading.
func (s *Set) Graph() *gate.Graph { return s.graph }

// Len is the number of operations.
func (s *Set) Len() int { return len(s.ops) }

// perOp is about what an operation takes in memory, its value aside.
const perOp = 40

// Size is about how many bytes of memory the document takes.
func (s *Set) Size() int {
	const perChange, perObject = 150, 120
	n := len(s.changes)*perChange + len(s.ops)*perOp + len(s.values) + len(s.objects)*perObject
	return n + len(s.elems)*48 + (len(s.counters)+len(s.widths))*48 + len(s.keys)*40 + s.text + len(s.lists.all)*24 + s.lists.members*4
}

func (s *Set) key(k string) uint32 {
	n, ok := s.keyNo[k]
	if !ok {
		n = uint32(len(s.keys))
		k = strings.Clone(k) // it may share memory with a whole change
		s.keys = append(s.keys, k)
		s.keyNo[k] = n
		s.text += len(k)
	}
	return n
}

// counter is the first half of an operation's ID.
func (s *Set) counter(pos uint32) uint32 {
	c := &s.changes[s.ops[pos].change]
	return c.start + pos - c.first
}

// writer is the second half.
func (s *Set) writer(pos uint32) string { return s.writers[s.changes[s.ops[pos].change].writer].id }

// compare orders operations by ID: Lamport timestamps, the writer decides between equals.
func (s *Set) compare(a, b uint32) int {
	if c := cmp.Compare(s.counter(a), s.counter(b)); c != 0 {
		return c
	}
	return strings.Compare(s.writer(a), s.writer(b))
}

// slotOf finds what a key of a map holds, nil if it never held anything.
func (s *Set) slotOf(obj Object, key uint32) *slot {
	o := &s.objects[obj]
	if o.bySlo != nil {
		if i, ok := o.bySlo[key]; ok {
			return &o.slots[i]
		}
		return nil
	}
	for i := range o.slots {
		if o.slots[i].key == key {
			return &o.slots[i]
		}
	}
	return nil
}

// makeSlot is slotOf for writing.
func (s *Set) makeSlot(obj Object, key uint32) *slot {
	if sl := s.slotOf(obj, key); sl != nil {
		return sl
	}
	o := &s.objects[obj]
	o.slots = append(o.slots, slot{key: key})
	switch n := len(o.slots); {
	case o.bySlo != nil:
		o.bySlo[key] = uint32(n - 1)
	case n > 16: // looking at each costs more from here on
		o.bySlo = make(map[uint32]uint32, 2*n)
		for i := range o.slots {
			o.bySlo[o.slots[i].key] = uint32(i)
		}
	}
	return &o.slots[len(o.slots)-1]
}

// removeSlot takes back the slot that was made last.
func (s *Set) removeSlot(obj Object) {
	o := &s.objects[obj]
	n := len(o.slots) - 1
	delete(o.bySlo, o.slots[n].key)
	o.slots = o.slots[:n]
}
