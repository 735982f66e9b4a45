package gate

import (
	"encoding/binary"
	"slices"
)

// runWriter writes what runs reads, row by row.
type runWriter struct {
	out      []byte
	kind     valueKind
	rows     uint64 // equal rows seen last and not written yet
	null     bool   // they have no value
	num      int64  // or this one
	text     string
	literals uint64 // values in the literal run that out ends with; 0 when it ends otherwise
	head     int    // where that run begins
	some     bool   // one row has a value
}

// reset begins a column, in the memory of an earlier one.
func (w *runWriter) reset(kind valueKind) { *w = runWriter{out: w.out[:0], kind: kind} }

// none adds a row without a value.
func (w *runWriter) none() {
	if w.rows == 0 || !w.null {
		w.flush()
		w.null = true
	}
	w.rows++
}

// number adds a row to a column of numbers.
func (w *runWriter) number(v int64) {
	if w.rows == 0 || w.null || w.num != v {
		w.flush()
		w.null, w.num, w.some = false, v, true
	}
	w.rows++
}

// string adds a row to a column of text.
func (w *runWriter) string(s string) {
	if w.rows == 0 || w.null || w.text != s {
		w.flush()
		w.null, w.text, w.some = false, s, true
	}
	w.rows++
}

// flush writes the equal rows: alone, a value joins or begins a literal run.
func (w *runWriter) flush() {
	switch {
	case w.rows == 0:
	case w.null:
		w.endLiteral()
		w.out = binary.AppendUvarint(append(w.out, 0), w.rows)
	case w.rows > 1:
		w.endLiteral()
		w.out = appendInt(w.out, int64(w.rows))
		w.value()
	default:
		if w.literals == 0 {
			w.head = len(w.out)
			w.out = append(w.out, 0)
		}
		w.literals++
		w.value()
	}
	w.rows = 0
}

func (w *runWriter) value() {
	switch w.kind {
	case unsigned:
		w.out = binary.AppendUvarint(w.out, uint64(w.num))
	case signed:
		w.out = appendInt(w.out, w.num)
	case utf8Text:
		w.out = append(binary.AppendUvarint(w.out, uint64(len(w.text))), w.text...)
	}
}

// endLiteral writes the length of the literal run into the byte kept free for it, and makes room when it takes more.
func (w *runWriter) endLiteral() {
	if w.literals == 0 {
		return
	}
	var buf [binary.MaxVarintLen64]byte
	n := appendInt(buf[:0], -int64(w.literals))
	w.out[w.head] = n[0]
	if len(n) > 1 {
		w.out = slices.Insert(w.out, w.head+1, n[1:]...)
	}
	w.literals = 0
}

// end is the column; empty when no row has a value.
func (w *runWriter) end() []byte {
	w.flush()
	w.endLiteral()
	w.text = ""
	if !w.some {
		return nil
	}
	return w.out
}

// flagWriter writes what flags reads.
type flagWriter struct {
	out   []byte
	rows  uint64
	value bool
	some  bool // one was true
}

func (w *flagWriter) reset() { *w = flagWriter{out: w.out[:0]} }

// flag adds a row.
func (w *flagWriter) flag(v bool) {
	if v != w.value {
		w.out = binary.AppendUvarint(w.out, w.rows)
		w.rows, w.value, w.some = 0, v, true
	}
	w.rows++
}

// end is the column; empty without rows.
func (w *flagWriter) end() []byte {
	if w.rows > 0 {
		w.out = binary.AppendUvarint(w.out, w.rows)
		w.rows = 0
	}
	return w.out
}

// appendInt appends v as signed LEB128.
func appendInt(b []byte, v int64) []byte {
	for v < -64 || v > 63 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}
