package gate

import "strconv"

// The columns of operations a change may have: an ID shifted by four, and the type of its content in the lower three bits. Bit 3 would
// say "deflated", which a change's columns never are. Source: the Automerge binary format, "Operation columns" of change chunks.
const (
	colObjActor  = 0x01
	colObjCtr    = 0x02
	colKeyActor  = 0x11
	colKeyCtr    = 0x13
	colKeyString = 0x15
	colInsert    = 0x34
	colAction    = 0x42
	colValueMeta = 0x56
	colValue     = 0x57
	colPredCount = 0x70
	colPredActor = 0x71
	colPredCtr   = 0x73
	colExpand    = 0x94
	colMarkName  = 0xa5
)

const (
	maxColumns = 14
	maxAction  = 7 // makeMap, set, makeList, del, makeText, inc, makeTable, mark
)

// columns reads the list of columns and their contents to the end of the body and returns the number of operations.
func columns(r *reader) uint64 {
	type column struct{ spec, size uint64 }
	var list [maxColumns]column
	n := r.uint("the number of columns")
	if n > maxColumns {
		r.fail("more columns than there are kinds of columns")
		return 0
	}
	var last uint64
	for i := range list[:n] {
		c := column{spec: r.uint("a column's type"), size: r.uint("a column's length")}
		switch {
		case r.err != nil:
			return 0
		case !known(c.spec):
			r.fail("unknown or deflated column " + strconv.FormatUint(c.spec, 10))
		case c.spec <= last:
			r.fail("columns out of order")
		case c.size == 0:
			r.fail("an empty column is listed")
		}
		list[i], last = c, c.spec
	}
	var ops uint64
	for _, c := range list[:n] {
		content := r.bytes(c.size, "a column")
		if c.spec == colAction && r.err == nil {
			ops = actions(r, content)
		}
	}
	switch {
	case r.err != nil:
		return 0
	case len(r.rest) > 0:
		// The core keeps and rehashes such bytes; nothing writes them, so they could only smuggle.
		r.fail("bytes after the last column")
	case n > 0 && ops == 0:
		r.fail("columns without operations")
	}
	return ops
}

func known(spec uint64) bool {
	switch spec {
	case colObjActor, colObjCtr, colKeyActor, colKeyCtr, colKeyString, colInsert, colAction, colValueMeta, colValue,
		colPredCount, colPredActor, colPredCtr, colExpand, colMarkName:
		return true
	}
	return false
}

// actions counts the rows of the action column, run-length encoded numbers: a run of n equal values is n and the value; n different
// values are -n and the values; missing values are 0 and their number. One list of actions has one canonical encoding.
func actions(outer *reader, content []byte) uint64 {
	r := &reader{rest: content}
	var rows uint64
	last, literal := uint64(maxAction+1), false
	for len(r.rest) > 0 {
		n := r.int("a run of actions")
		values := uint64(1) // how many are spelled out
		switch {
		case r.err != nil:
		case n == 0:
			r.fail("an operation without an action")
		case n == 1, n < 0 && literal:
			r.fail("a run of actions is not canonical")
		case n > MaxOps, n < -MaxOps:
			r.stop(&LimitError{What: "operations", Have: MaxOps + 1, Max: MaxOps})
		case n < 0:
			values = uint64(-n)
			rows += values
		default:
			rows += uint64(n)
		}
		literal = n < 0
		if rows > MaxOps {
			r.stop(&LimitError{What: "operations", Have: rows, Max: MaxOps})
		}
		for ; values > 0 && r.err == nil; values-- {
			a := r.uint("an action")
			switch {
			case r.err != nil:
			case a > maxAction:
				r.fail("unknown action " + strconv.FormatUint(a, 10))
			case a == last:
				r.fail("a run of actions is not canonical")
			}
			last = a
		}
	}
	if r.err != nil {
		outer.stop(r.err)
		return 0
	}
	return rows
}
