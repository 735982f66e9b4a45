package gate

import "unicode/utf8"

// flaw says why the parts of an operation do not go together; empty when they do. The core drops or rewrites most of what is refused
// here when it saves a document, which then has other hashes and cannot be loaded; over the rest it ends the process.
func (op *Op) flaw() string {
	makes := op.Action == ActMakeMap || op.Action == ActMakeList || op.Action == ActMakeText
	switch {
	case op.Seq && op.Obj == (OpRef{}):
		return "an element of the root map"
	case !op.Seq && op.Insert:
		return "an insert into a map"
	case op.Seq && !op.Insert && op.Elem == (OpRef{}):
		return "a change of the head of a sequence"
	case op.Insert && len(op.Preds) > 0:
		return "an insert that replaces something"
	case (makes || op.Action == ActDelete) && op.Type != TypeNull:
		return "a value where none belongs"
	case (op.Action == ActDelete || op.Action == ActIncrement) && (op.Insert || len(op.Preds) == 0):
		return "a delete or increment of nothing"
	case op.Action == ActIncrement && op.Type != TypeInt:
		return "an increment by something else than a signed integer" // the core saves an unsigned one as signed
	case op.Action == ActMark && !op.Insert:
		return "a mark that is not inserted"
	case op.Action == ActMark && !op.Named && op.Type != TypeNull:
		return "a value at the end of a mark"
	case op.Action != ActMark && (op.Named || op.Expand):
		return "a mark's name or expand on another operation"
	}
	return op.Type.flaw(op.Value)
}

// flaw says what is wrong with the bytes of a value; empty when nothing is. One value has one spelling.
func (t ValueType) flaw(value []byte) string {
	r := reader{rest: value}
	switch t {
	case TypeNull, TypeFalse, TypeTrue:
	case TypeUint:
		r.uint("an unsigned value")
	case TypeInt, TypeCounter, TypeTime:
		r.int("a signed value")
	case TypeFloat:
		r.bytes(8, "a float value")
	case TypeString:
		if !utf8.Valid(value) {
			return "a string that is not UTF-8"
		}
		return ""
	case TypeBytes:
		return ""
	default:
		return "a value of an unknown type"
	}
	if r.err != nil || len(r.rest) > 0 {
		return "a value of the wrong length or spelling"
	}
	return ""
}
