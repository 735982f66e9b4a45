package gate

import (
	"math"
	"strconv"
)

// The columns of operations a change may have, in the order in which it lists them.
const (
	colObjActor = iota
	colObjCtr
	colKeyActor
	colKeyCtr
	colKeyText
	colInsert
	colAction
	colMeta
	colValues
	colPredCount
	colPredActor
	colPredCtr
	colExpand
	colMark
	numColumns
)

// specs are how the columns are named: an ID shifted by four, and the type of the content in the lower three bits. Bit 3 would say
// "deflated", which a change's columns never are. Source: the Automerge binary format, "Operation columns" of change chunks.
var specs = [numColumns]uint64{
	colObjActor:  0x01,
	colObjCtr:    0x02,
	colKeyActor:  0x11,
	colKeyCtr:    0x13,
	colKeyText:   0x15,
	colInsert:    0x34,
	colAction:    0x42,
	colMeta:      0x56,
	colValues:    0x57,
	colPredCount: 0x70,
	colPredActor: 0x71,
	colPredCtr:   0x73,
	colExpand:    0x94,
	colMark:      0xa5,
}

// columns are the contents of the columns; those not listed are empty.
type columns [numColumns][]byte

// columns reads the list of columns and their contents to the end of the body.
func (r *reader) columns() (cols columns) {
	n := r.uint("the number of columns")
	if n > uint64(numColumns) {
		r.fail("more columns than there are kinds of columns")
		return columns{}
	}
	var at [numColumns]int
	var sizes [numColumns]uint64
	next := 0
	for i := range n {
		spec, size := r.uint("a column's type"), r.uint("a column's length")
		for next < numColumns && specs[next] != spec {
			next++
		}
		switch {
		case r.err != nil:
			return columns{}
		case next == numColumns:
			r.fail(misplaced(spec))
			return columns{}
		case size == 0:
			r.fail("an empty column is listed")
		}
		at[i], sizes[i] = next, size
		next++
	}
	for i := range n {
		cols[at[i]] = r.bytes(sizes[i], "a column")
	}
	return cols
}

// misplaced says why a column cannot stand where it does.
func misplaced(spec uint64) string {
	for _, s := range specs {
		if s == spec {
			return "columns out of order"
		}
	}
	return "unknown or deflated column " + strconv.FormatUint(spec, 10)
}

// count is the number of operations: the length of the column of actions.
func (cols *columns) count() (uint64, error) {
	var c runs
	c.open("actions", unsigned, cols[colAction], math.MaxUint64)
	var ops uint64
	for len(c.rest) > 0 {
		c.begin()
		if c.err == nil && c.left > MaxOps-ops {
			return 0, &LimitError{What: "operations", Have: MaxOps + 1, Max: MaxOps}
		}
		ops += c.left
		for ; c.err == nil && c.run == literal && c.left > 0; c.left-- {
			c.value()
		}
	}
	if c.err != nil {
		return 0, c.err
	}
	for _, content := range cols {
		if ops == 0 && len(content) > 0 {
			return 0, &FormError{Reason: "columns without operations"}
		}
	}
	return ops, nil
}
