package doc

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"tombolo/doc/gate"
	"tombolo/doc/value"
)

// encode is a scalar as a change holds it: Automerge's binary format, "Value metadata". The bytes are good until the next call.
func (tx *Tx) encode(v value.Value) (gate.ValueType, []byte) {
	b := tx.scratch[:0]
	switch v.Kind() {
	case value.Bool:
		if v.Bool() {
			return gate.TypeTrue, nil
		}
		return gate.TypeFalse, nil
	case value.Int:
		return gate.TypeInt, appendSleb(b, v.Int())
	case value.Uint:
		return gate.TypeUint, binary.AppendUvarint(b, v.Uint())
	case value.Float:
		return gate.TypeFloat, binary.LittleEndian.AppendUint64(b, math.Float64bits(v.Float()))
	case value.String:
		return gate.TypeString, []byte(v.Str())
	case value.Bytes:
		return gate.TypeBytes, v.Bytes()
	case value.Time:
		return gate.TypeTime, appendSleb(b, v.Time().UnixMilli())
	case value.CounterKind:
		return gate.TypeCounter, appendSleb(b, v.Int())
	}
	return gate.TypeNull, nil
}

// appendSleb appends v as signed LEB128.
func appendSleb(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// runeLen is how many bytes a character of a valid string takes.
func runeLen(r rune) int { return max(utf8.RuneLen(r), 1) }
