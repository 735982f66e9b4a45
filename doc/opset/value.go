package opset

import (
	"encoding/binary"
	"math"
	"time"

	"tombolo/doc/gate"
	"tombolo/doc/value"
)

// Value is an item in Go form (see package value), in memory of its own. Of concurrent values only those shown count.
func (v View) Value(item Item) any {
	s := v.s
	if obj, ok := s.Object(item); ok {
		switch s.Kind(obj) {
		case gate.ActMakeMap:
			return v.Map(obj)
		case gate.ActMakeList:
			out := make([]any, 0, v.Len(obj))
			for _, e := range v.Elements(obj) {
				out = append(out, v.Value(e))
			}
			return out
		}
		return value.Text(v.Text(obj))
	}
	t, b := s.Scalar(item)
	switch t {
	case gate.TypeNull:
		return nil
	case gate.TypeFalse, gate.TypeTrue:
		return t == gate.TypeTrue
	case gate.TypeUint:
		return s.Uint(item)
	case gate.TypeInt:
		return s.Int(item)
	case gate.TypeFloat:
		return s.Float(item)
	case gate.TypeString:
		return string(b)
	case gate.TypeBytes:
		return append([]byte{}, b...)
	case gate.TypeCounter:
		return value.Counter(v.Counter(item))
	case gate.TypeTime:
		return time.UnixMilli(s.Int(item)).UTC()
	}
	return value.Unknown{}
}

// Map is what a map shows, in Go form; [Root] for the whole document.
func (v View) Map(obj Object) map[string]any {
	out := make(map[string]any, len(v.s.objects[obj].slots))
	for sl, item := range v.Keys(obj) {
		out[v.s.KeyOf(sl)] = v.Value(item)
	}
	return out
}

// Int is the value of an int or a time (milliseconds since 1970), and what a counter began with.
func (s *Set) Int(item Item) int64 { return sleb(s.value(uint32(item))) }

// Uint is the value of a uint.
func (s *Set) Uint(item Item) uint64 {
	n, _ := binary.Uvarint(s.value(uint32(item)))
	return n
}

// Float is the value of a float.
func (s *Set) Float(item Item) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(s.value(uint32(item))))
}
