package gate

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"unicode/utf8"
)

// Change is what the header of one change says; [Change.Operations] is the rest. A value from [Parse] shares memory with its Raw; neither
// may be modified.
type Change struct {
	Hash    Hash
	Deps    []Hash   // what it builds on: strictly ascending
	Actor   []byte   // its writer, 1 to MaxActorBytes bytes
	Others  [][]byte // the other actors its operations refer to: strictly ascending
	Seq     uint64   // the how-manieth change of this actor, from 1
	StartOp uint64   // the counter of its first operation, from 1
	Ops     uint64   // how many operations it holds; they are counted from StartOp on
	Time    int64    // seconds since 1970 as its writer says, within MaxTime
	Message string   // UTF-8, may be empty
	Footer  []byte   // what stands behind the columns, at most MaxFooter bytes; see [Change.Author]
	Raw     []byte   // the chunk in plain form, never deflated

	columnsAt int // where in Raw the columns begin; 0 without Parse
}

// The frame of a chunk: magic, the first four bytes of the hash, type, length of the body, body.
const (
	magic        = "\x85\x6f\x4a\x83"
	typeAt       = len(magic) + 4
	typeDocument = 0
	typeChange   = 1
	typeDeflated = 2
)

// Parse reads exactly one change chunk, plain or deflated, and checks its form, its hash and its operations: what it takes, [Encode]
// would have written with these very bytes. A deflated chunk comes back in plain form. The errors are [ErrDocument], [*FormError] and
// [*LimitError]; each is final, since it depends on raw alone. raw is kept, not copied, when it is plain. Safe for concurrent use.
func Parse(raw []byte) (Change, error) {
	plain, body, err := open(raw)
	if err != nil {
		return Change{}, err
	}
	c := Change{Raw: plain, Hash: sha256.Sum256(plain[typeAt:])}
	if !bytes.Equal(c.Hash[:4], plain[len(magic):typeAt]) {
		return Change{}, &FormError{Reason: "the checksum does not fit the content"}
	}
	r := &reader{rest: body}
	c.header(r)
	c.columnsAt = len(plain) - len(r.rest)
	cols := r.columns()
	c.footer(r)
	if r.err == nil {
		r.err = c.operations(&cols)
	}
	if r.err != nil {
		return Change{}, r.err
	}
	return c, nil
}

// operations counts the operations, then checks each.
func (c *Change) operations(cols *columns) error {
	ops, err := cols.count()
	if err != nil {
		return err
	}
	c.Ops = ops
	if end := c.StartOp + c.Ops; end > MaxCounter {
		return &LimitError{What: "operations counted in the document", Have: end, Max: MaxCounter}
	}
	var w rows
	w.open(c, cols)
	var op Op
	for w.next(&op) {
	}
	return w.close()
}

// open takes the frame off a chunk. plain is the chunk with a body that is not deflated, under the checksum of raw.
func open(raw []byte) (plain, body []byte, err error) {
	if len(raw) > MaxChangeBytes {
		return nil, nil, &LimitError{What: "bytes", Have: uint64(len(raw)), Max: MaxChangeBytes}
	}
	if len(raw) <= typeAt || string(raw[:len(magic)]) != magic {
		return nil, nil, &FormError{Reason: "it does not begin like a change"}
	}
	kind := raw[typeAt]
	switch kind {
	case typeChange, typeDeflated:
	case typeDocument:
		return nil, nil, ErrDocument
	default:
		return nil, nil, &FormError{Reason: "chunk of an unknown type"}
	}
	r := &reader{rest: raw[typeAt+1:]}
	body = r.bytes(r.uint("the length"), "the chunk")
	if r.err == nil && len(r.rest) > 0 {
		r.fail("bytes after the chunk")
	}
	if r.err != nil || kind == typeChange {
		return raw, body, r.err
	}
	if body, err = inflate(body); err != nil {
		return nil, nil, err
	}
	plain = append(make([]byte, 0, typeAt+1+binary.MaxVarintLen64+len(body)), raw[:typeAt]...)
	plain = binary.AppendUvarint(append(plain, typeChange), uint64(len(body)))
	plain = append(plain, body...)
	if len(plain) > MaxChangeBytes {
		return nil, nil, &LimitError{What: "bytes", Have: uint64(len(plain)), Max: MaxChangeBytes}
	}
	return plain, body, nil
}

// inflate stops at the limit, so a small bomb stays small.
func inflate(deflated []byte) ([]byte, error) {
	in := bytes.NewReader(deflated)
	body, err := io.ReadAll(io.LimitReader(flate.NewReader(in), MaxChangeBytes+1))
	switch {
	case err != nil:
		return nil, &FormError{Reason: "it does not inflate"}
	case len(body) > MaxChangeBytes:
		return nil, &LimitError{What: "bytes", Have: uint64(len(body)), Max: MaxChangeBytes}
	case in.Len() > 0:
		return nil, &FormError{Reason: "bytes after the deflated body"}
	}
	return body, nil
}

// header reads what stands before the columns.
func (c *Change) header(r *reader) {
	n := r.count("dependencies", MaxDeps)
	if list := r.bytes(n*uint64(len(Hash{})), "the list of dependencies"); len(list) > 0 {
		c.Deps = make([]Hash, n)
		for i := range c.Deps {
			c.Deps[i] = Hash(list[i*len(Hash{}):])
			if i > 0 && c.Deps[i-1].Compare(c.Deps[i]) >= 0 {
				r.fail("dependencies out of order")
			}
		}
	}
	c.Actor = r.actor()
	c.Seq = r.counter("the sequence number")
	c.StartOp = r.counter("the number of the first operation")
	if c.Time = r.int("the time"); c.Time > MaxTime || c.Time < -MaxTime {
		r.fail("the time is out of range")
	}
	message := r.bytes(r.uint("the length of the message"), "the message")
	if !utf8.Valid(message) {
		r.fail("the message is not UTF-8")
	}
	c.Message = string(message)
	var last []byte
	for range r.count("other actors", MaxActors) {
		a := r.actor()
		if r.err != nil {
			return
		}
		if bytes.Compare(last, a) >= 0 || bytes.Equal(a, c.Actor) {
			r.fail("other actors out of order")
		}
		last = a
		c.Others = append(c.Others, a)
	}
}

func (r *reader) actor() []byte {
	n := r.uint("the length of an actor")
	if r.err == nil && (n == 0 || n > MaxActorBytes) {
		r.fail("an actor of a length that is not allowed")
	}
	return r.bytes(n, "an actor")
}

// counter reads a number from 1 to MaxCounter.
func (r *reader) counter(what string) uint64 {
	n := r.uint(what)
	if r.err == nil && (n == 0 || n > MaxCounter) {
		r.fail(what + " is out of range")
	}
	return n
}
