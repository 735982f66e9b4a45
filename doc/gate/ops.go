package gate

import "iter"

// Action is what an operation does, as the format numbers it. Number 6 once made tables; nothing writes it and the [Rule] refuses it.
type Action uint8

// The actions of the format.
const (
	ActMakeMap   Action = 0
	ActSet       Action = 1
	ActMakeList  Action = 2
	ActDelete    Action = 3
	ActMakeText  Action = 4
	ActIncrement Action = 5 // adds the value to the counters among Preds
	ActMark      Action = 7 // begins a mark when Named, else ends one
)

// ValueType is how the bytes of a value are to be read, as the format numbers it.
type ValueType uint8

// The types of the format. The first three have no bytes.
const (
	TypeNull    ValueType = 0
	TypeFalse   ValueType = 1
	TypeTrue    ValueType = 2
	TypeUint    ValueType = 3 // LEB128
	TypeInt     ValueType = 4 // signed LEB128
	TypeFloat   ValueType = 5 // IEEE 754, 8 bytes, little endian
	TypeString  ValueType = 6 // UTF-8
	TypeBytes   ValueType = 7
	TypeCounter ValueType = 8 // signed LEB128: where it starts
	TypeTime    ValueType = 9 // signed LEB128: milliseconds since 1970
)

// OpRef names an operation by its counter and its actor, as one change sees them: actor 0 is the change's own, i is Others[i-1]. The
// zero value is the root object, or the head of a sequence.
type OpRef struct{ Counter, Actor uint32 }

// Op is one operation of a change, as its columns say it. Its own counter is the change's StartOp plus its place among the operations.
type Op struct {
	Obj    OpRef     // the object it changes
	Seq    bool      // in a list or text: Elem says where; else Key does
	Key    string    // UTF-8; may be empty, as the JavaScript library allows it
	Elem   OpRef     // the element changed or, with Insert, the one before; zero for the head
	Insert bool      // makes an element
	Action Action    // what it does
	Type   ValueType // of Value
	Value  []byte    // encoded as in the column; shares memory with Raw
	Expand bool      // of a mark: what is written at this end of it belongs to it
	Mark   string    // its name; only where Named
	Named  bool      // the mark begins here; an ActMark without name is the end of a mark
	Preds  []OpRef   // what it replaces: strictly ascending by counter and actor ID
}

// Operations are the operations of a change that came from [Parse], in order; none of any other. The Op and its Preds are reused for the
// next one, and its Value may not be modified. Every run decodes anew, and allocates for Preds and for each new Key or Mark only; safe
// for concurrent use.
func (c *Change) Operations() iter.Seq[*Op] {
	return func(yield func(*Op) bool) {
		if c.columnsAt == 0 {
			return
		}
		r := reader{rest: c.Raw[c.columnsAt:]}
		cols := r.columns()
		var w rows
		w.open(c, &cols)
		var op Op
		var key, name lastText
		for w.next(&op) {
			if op.Seq {
				op.Key = ""
			} else {
				op.Key = key.of(&w.keyText)
			}
			if op.Named {
				op.Mark = name.of(&w.mark)
			} else {
				op.Mark = ""
			}
			if !yield(&op) {
				return
			}
		}
	}
}

// lastText keeps the string of a column's row for the rows that repeat it.
type lastText struct {
	s    string
	read uint64
}

func (t *lastText) of(c *runs) string {
	if t.read != c.read {
		t.s, t.read = string(c.text), c.read
	}
	return t.s
}
