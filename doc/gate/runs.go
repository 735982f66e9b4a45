package gate

import (
	"bytes"
	"math"
	"unicode/utf8"
)

// runs reads a run-length column row by row: a run of n equal values is n and the value; n different values are -n and the values; n
// missing values are 0 and n. One list of values has one canonical encoding, and only that is read: runs of equal values as long as
// they can be, no run of one, and no column at all where every value is missing. A row costs the same in a run of two and of 2⁴⁰.
//
// The first fault stays in the reader; every row after it is a missing one.
type runs struct {
	reader
	name string
	kind valueKind
	room uint64 // rows that runs to come may have
	left uint64 // rows left in the run
	run  runKind
	none bool // the column is empty

	num   int64  // the row's value, of a column of numbers
	text  []byte // and of a column of text
	read  uint64 // how many values were read, so that a user of text can see a new one
	after bool   // a value stands directly before, so the next must be another
}

type valueKind uint8

const (
	unsigned valueKind = iota
	signed
	utf8Text
)

type runKind uint8

const (
	noRun runKind = iota
	nulls
	repeat
	literal
)

// open begins a column of up to rows rows. An empty one has a missing value in each of them.
func (c *runs) open(name string, kind valueKind, content []byte, rows uint64) {
	c.name, c.kind, c.rest, c.room = name, kind, content, rows
	if len(content) == 0 {
		c.run, c.left, c.none = nulls, math.MaxUint64, true
	}
}

// next moves to the next row and says whether it has a value.
func (c *runs) next() bool {
	if c.left == 0 {
		c.begin()
	}
	c.left--
	if c.run == literal {
		c.value()
	}
	return c.run != nulls
}

// begin reads the head of the next run, and the value if it is one for all rows.
func (c *runs) begin() {
	if len(c.rest) == 0 {
		c.broken("ends before the last operation")
		return
	}
	before := c.run
	n := c.int("")
	switch {
	case n > 0:
		c.run, c.left = repeat, uint64(n)
	case n < 0:
		c.run, c.left = literal, -uint64(n)
	default:
		c.run, c.left = nulls, c.uint("")
	}
	switch {
	case c.err != nil:
		c.broken(spelling)
	case c.left == 0, n == 1, n <= 0 && c.run == before, n == 0 && before == noRun && len(c.rest) == 0:
		c.broken("is not in its canonical form")
	case c.left > c.room:
		c.broken("is longer than the operations")
	case c.run == repeat:
		c.room -= c.left
		c.value()
	default:
		c.room -= c.left
		c.after = c.after && c.run == literal
	}
}

// spelling is a flaw of numbers and lengths.
const spelling = "breaks off, or is not in canonical LEB128"

// value reads one value, which must differ from the one directly before it.
func (c *runs) value() {
	same := false
	if c.kind == utf8Text {
		b := c.bytes(c.uint(""), "")
		same, c.text = bytes.Equal(b, c.text), b
	} else {
		v := c.number()
		same, c.num = v == c.num, v
	}
	switch {
	case c.err != nil:
		c.broken(spelling)
	case c.after && same:
		c.broken("is not in its canonical form")
	case c.kind == utf8Text && !utf8.Valid(c.text):
		c.broken("has text that is not UTF-8")
	}
	c.after = true
	c.read++
}

// number reads a number; most take one byte.
func (c *runs) number() int64 {
	if len(c.rest) > 0 && c.rest[0] < 0x80 {
		b := c.rest[0]
		c.rest = c.rest[1:]
		if c.kind == signed {
			return int64(int8(b<<1)) >> 1
		}
		return int64(b)
	}
	if c.kind == signed {
		return c.int("")
	}
	v := c.uint("")
	if v > math.MaxInt64 {
		c.fail("") // no column holds such numbers
	}
	return int64(v)
}

// broken ends the column with a fault: what would follow is missing values.
func (c *runs) broken(how string) {
	c.err = &FormError{Reason: "the column of " + c.name + " " + how}
	c.rest, c.text, c.num = nil, nil, 0
	c.run, c.left = nulls, math.MaxUint64
}

// close checks that nothing is left over.
func (c *runs) close() {
	if !c.none && (len(c.rest) > 0 || c.left > 0) {
		c.broken("is longer than the operations")
	}
}
