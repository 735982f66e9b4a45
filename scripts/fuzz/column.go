package main

import (
	"encoding/binary"
	"errors"
	"slices"
)

// The columns of operations, as numbered by the Automerge binary format.
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

// column is one column as it is listed in a change.
type column struct {
	spec    uint64
	content []byte
}

// maxRows bounds what decoding makes of a run, so that a hostile fixture costs no memory.
const maxRows = 1 << 17

var errForm = errors.New("not a change this program can take apart")

// cell is one row of a run-length encoded column.
type cell struct {
	null bool
	num  int64 // numbers; also unsigned ones, bit for bit
	str  string
}

// kind says how the values of a column are spelled.
type kind byte

const (
	unsigned kind = iota
	signed
	text
)

// input takes values off the front of a slice. It is lenient: it does not mind spellings that are not canonical.
type input struct {
	rest []byte
	bad  bool
}

func (in *input) uint() uint64 {
	v, n := binary.Uvarint(in.rest)
	if n <= 0 {
		in.bad, in.rest = true, nil
		return 0
	}
	in.rest = in.rest[n:]
	return v
}

func (in *input) int() int64 {
	var v int64
	for i, b := range in.rest {
		if i == 10 {
			break
		}
		shift := 7 * uint(i)
		v |= int64(b&0x7f) << shift
		if b&0x80 == 0 {
			if shift < 57 && b&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			in.rest = in.rest[i+1:]
			return v
		}
	}
	in.bad, in.rest = true, nil
	return 0
}

func (in *input) bytes(n uint64) []byte {
	if n > uint64(len(in.rest)) {
		in.bad, in.rest = true, nil
		return nil
	}
	b := in.rest[:n:n]
	in.rest = in.rest[n:]
	return b
}

// appendInt appends a signed LEB128 number in its shortest form.
func appendInt(b []byte, v int64) []byte {
	for {
		low := byte(v & 0x7f)
		v >>= 7
		if v == 0 && low&0x40 == 0 || v == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}

// decodeRuns spells out a run-length encoded column.
func decodeRuns(content []byte, k kind) ([]cell, error) {
	in := &input{rest: content}
	value := func() cell {
		switch k {
		case unsigned:
			return cell{num: int64(in.uint())}
		case signed:
			return cell{num: in.int()}
		}
		return cell{str: string(in.bytes(in.uint()))}
	}
	var rows []cell
	for len(in.rest) > 0 {
		n := in.int()
		length := max(n, -n)
		if n == 0 {
			length = int64(min(in.uint(), maxRows+1))
		}
		if in.bad || length < 0 || length+int64(len(rows)) > maxRows {
			return nil, errForm
		}
		same := cell{null: true}
		if n > 0 {
			same = value()
		}
		for range length {
			if n < 0 {
				same = value()
			}
			rows = append(rows, same)
		}
	}
	if in.bad {
		return nil, errForm
	}
	return rows, nil
}

// encodeRuns is the canonical run-length encoding; a column of nulls is empty.
func encodeRuns(rows []cell, k kind) []byte {
	var out []byte
	value := func(c cell) {
		switch k {
		case unsigned:
			out = binary.AppendUvarint(out, uint64(c.num))
		case signed:
			out = appendInt(out, c.num)
		default:
			out = append(binary.AppendUvarint(out, uint64(len(c.str))), c.str...)
		}
	}
	if !slices.ContainsFunc(rows, func(c cell) bool { return !c.null }) {
		return nil
	}
	run := func(from int) int {
		to := from + 1
		for to < len(rows) && rows[to] == rows[from] {
			to++
		}
		return to - from
	}
	for i := 0; i < len(rows); {
		n := run(i)
		switch {
		case rows[i].null:
			out = binary.AppendUvarint(append(out, 0), uint64(n))
			i += n
		case n > 1:
			out = appendInt(out, int64(n))
			value(rows[i])
			i += n
		default:
			end := i + 1
			for end < len(rows) && !rows[end].null && run(end) == 1 {
				end++
			}
			out = appendInt(out, int64(i-end))
			for ; i < end; i++ {
				value(rows[i])
			}
		}
	}
	return out
}

// decodeDeltas spells out a column that holds differences.
func decodeDeltas(content []byte) ([]cell, error) {
	rows, err := decodeRuns(content, signed)
	var sum int64
	for i := range rows {
		if !rows[i].null {
			sum += rows[i].num
			rows[i].num = sum
		}
	}
	return rows, err
}

func encodeDeltas(rows []cell) []byte {
	deltas := slices.Clone(rows)
	var last int64
	for i, c := range rows {
		if !c.null {
			deltas[i].num = c.num - last
			last = c.num
		}
	}
	return encodeRuns(deltas, signed)
}

// decodeBools spells out a column of runs of false and true in turn.
func decodeBools(content []byte) ([]bool, error) {
	in := &input{rest: content}
	var rows []bool
	for value := false; len(in.rest) > 0; value = !value {
		n := in.uint()
		if in.bad || n > maxRows || len(rows)+int(n) > maxRows {
			return nil, errForm
		}
		for range n {
			rows = append(rows, value)
		}
	}
	return rows, nil
}

func encodeBools(rows []bool) []byte {
	var out []byte
	value := false
	for i := 0; i < len(rows); value = !value {
		n := 0
		for ; i < len(rows) && rows[i] == value; i++ {
			n++
		}
		out = binary.AppendUvarint(out, uint64(n))
	}
	return out
}
