package gate

import (
	"bytes"
	"encoding/binary"
)

// Behind the columns newer libraries write notes about the change, as the core keeps and hashes them: each a number, a length and that many
// bytes, by ascending number (automerge pull request 1265). Notes of unknown numbers are kept.
const noteAuthor = 1

// footer reads what is left of the body.
func (c *Change) footer(r *reader) {
	if len(r.rest) > MaxFooter {
		r.stop(&LimitError{What: "bytes behind the operations", Have: uint64(len(r.rest)), Max: MaxFooter})
	}
	c.Footer = r.rest
	for last := int64(-1); len(r.rest) > 0; {
		n := r.uint("the number of a note in the footer")
		r.bytes(r.uint("the length of a note in the footer"), "the footer")
		if r.err == nil && (n >= 1<<32 || int64(n) <= last) {
			r.fail("footer out of order")
		}
		last = int64(n)
	}
	if len(c.Footer) == 0 || r.err != nil {
		c.Footer = nil
	}
}

// Author is who the change says wrote it, in bytes of the writer's choice; nil where it does not say. Writers say it once, in their actor's first
// change, and nobody checks it.
func (c *Change) Author() []byte {
	r := reader{rest: c.Footer}
	for len(r.rest) > 0 {
		n := r.uint("")
		note := r.bytes(r.uint(""), "")
		if n == noteAuthor && r.err == nil {
			return note
		}
	}
	return nil
}

// AuthorFooter is the footer that names an author.
func AuthorFooter(author []byte) []byte {
	b := binary.AppendUvarint([]byte{noteAuthor}, uint64(len(author)))
	return append(b, bytes.Clone(author)...)
}
