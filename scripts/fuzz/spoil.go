package main

import (
	"bytes"
	"encoding/binary"
	"slices"

	"tombolo/doc/gate"
)

// A spoiling alters how a change is spelled, after its operations are in place.
type spoiling struct {
	name string
	do   func(f forger, s *spelled)
}

var spoilings = []spoiling{
	{"drop actor", func(f forger, s *spelled) {
		if i := 1 + f.IntN(len(s.table)); i < len(s.table) {
			s.table = slices.Delete(s.table, i, i+1)
		}
	}},
	{"add actor", func(f forger, s *spelled) {
		s.table = slices.Insert(s.table, 1+f.IntN(len(s.table)), f.actor())
	}},
	{"duplicate actor", func(f forger, s *spelled) {
		s.table = slices.Insert(s.table, 1+f.IntN(len(s.table)), choose(f, s.table...))
	}},
	{"reorder actors", func(f forger, s *spelled) {
		others := s.table[1:]
		f.Shuffle(len(others), func(a, b int) { others[a], others[b] = others[b], others[a] })
	}},
	{"drop column", func(f forger, s *spelled) {
		if len(s.columns) > 0 {
			i := f.IntN(len(s.columns))
			s.columns = slices.Delete(s.columns, i, i+1)
		}
	}},
	{"unknown column", func(f forger, s *spelled) {
		spec := choose[uint64](f, 0x00, 0x05, 0x76, 0xa6, 0xb0, 0x100, 0x80, 0x81, 0x83, 1<<31, 1<<40)
		s.columns = append(s.columns, column{spec, []byte{0x7f, 1}})
		if !f.chance(4) {
			slices.SortStableFunc(s.columns, func(a, b column) int { return int(a.spec) - int(b.spec) })
		}
	}},
	{"deflate a column", func(f forger, s *spelled) {
		if len(s.columns) > 0 {
			c := &s.columns[f.IntN(len(s.columns))]
			c.spec |= 8
			if f.chance(2) {
				c.content = squeeze(c.content)
			}
		}
	}},
	{"other column type", func(f forger, s *spelled) {
		if len(s.columns) > 0 {
			s.columns[f.IntN(len(s.columns))].spec ^= 1 << f.IntN(8)
		}
	}},
	{"reorder columns", func(f forger, s *spelled) {
		f.Shuffle(len(s.columns), func(a, b int) { s.columns[a], s.columns[b] = s.columns[b], s.columns[a] })
	}},
	{"empty column", func(f forger, s *spelled) {
		s.columns = append(s.columns, column{spec: choose[uint64](f, colMarkName, colExpand, 0xa6)})
	}},
	{"alter a column's bytes", withBytes(func(f forger, b []byte) []byte {
		b[f.IntN(len(b))] = byte(f.IntN(256))
		return b
	})},
	{"alter a column's bytes a little", withBytes(func(f forger, b []byte) []byte {
		b[f.IntN(len(b))] ^= 1 << f.IntN(7)
		return b
	})},
	{"copy within a column", withBytes(func(f forger, b []byte) []byte {
		b[f.IntN(len(b))] = b[f.IntN(len(b))]
		return b
	})},
	{"cut a column", withBytes(func(f forger, b []byte) []byte { return b[:f.IntN(len(b))] })},
	{"lengthen a column", withBytes(func(f forger, b []byte) []byte {
		return append(b, choose(f, []byte{0x7f, 0}, []byte{0, 1}, []byte{1}, []byte{2, 0}, []byte{0x7f, 1}, []byte{0})...)
	})},
	{"a huge run", withBytes(func(f forger, b []byte) []byte {
		run := choose[int64](f, 1<<16, 1<<20, 1<<31, 1<<62, -1<<20, -1<<62)
		return append(appendInt(nil, run), b...)
	})},
	{"split a run", func(f forger, s *spelled) { // the same rows, not in the canonical form
		i := slices.IndexFunc(s.columns, func(c column) bool {
			return c.spec == choose[uint64](f, colAction, colValueMeta, colPredCount, colObjCtr)
		})
		if i < 0 {
			return
		}
		rows, err := decodeRuns(s.columns[i].content, unsigned)
		if err != nil || len(rows) > 1000 {
			return
		}
		var out []byte
		for _, r := range rows {
			if r.null {
				out = append(out, 0, 1)
			} else {
				out = binary.AppendUvarint(appendInt(out, choose[int64](f, 1, -1)), uint64(r.num))
			}
		}
		s.columns[i].content = out
	}},
	{"bytes behind", func(f forger, s *spelled) {
		s.trailer = append(s.trailer, choose(f, "\x00", "x", "trailing")...)
	}},
	{"duplicate dep", func(f forger, s *spelled) {
		if len(s.deps) > 0 {
			s.deps = append(slices.Clone(s.deps), s.deps[0])
			slices.SortFunc(s.deps, gate.Hash.Compare)
		}
	}},
}

// withBytes alters the content of one column.
func withBytes(alter func(f forger, b []byte) []byte) func(forger, *spelled) {
	return func(f forger, s *spelled) {
		if len(s.columns) == 0 {
			return
		}
		i := f.IntN(len(s.columns))
		if len(s.columns[i].content) > 0 {
			s.columns[i].content = alter(f, slices.Clone(s.columns[i].content))
		}
	}
}

// garble alters the bytes of a chunk, and says how. The checksum is then made right again, except sometimes.
func (f forger) garble(raw []byte) ([]byte, string) {
	raw = slices.Clone(raw)
	_, body, _, ok := unframe(raw)
	if !ok || len(body) == 0 {
		return raw, "nothing"
	}
	body = slices.Clone(body)
	what := ""
	for range 1 + f.IntN(3) {
		i := f.IntN(len(body))
		switch f.IntN(5) {
		case 0:
			body[i], what = byte(f.IntN(256)), what+" byte"
		case 1:
			body[i], what = body[i]^1<<f.IntN(8), what+" bit"
		case 2:
			body, what = slices.Delete(body, i, min(len(body), i+1+f.IntN(4))), what+" shorter"
		case 3:
			body, what = slices.Insert(body, i, bytes.Repeat([]byte{byte(f.IntN(256))}, 1+f.IntN(4))...), what+" longer"
		case 4:
			body[i], what = body[f.IntN(len(body))], what+" copy"
		}
		if len(body) == 0 {
			break
		}
	}
	out := frame(body)
	switch f.IntN(12) {
	case 0:
		out[4+f.IntN(4)] ^= 1
		what += ", wrong checksum"
	case 1:
		out, what = out[:f.IntN(len(out))], what+", truncated"
	case 2:
		out[8], what = byte(f.IntN(5)), what+", other chunk type"
	case 3:
		out[9], what = out[9]^byte(1+f.IntN(255)), what+", other length"
	case 4:
		out, what = append(out, raw...), what+", two chunks"
	}
	return out, "bytes:" + what
}

// squeezed hides a chunk in a deflated one, rightly or nearly.
func (f forger) squeezed(raw []byte) ([]byte, string) {
	out := deflated(raw)
	switch f.IntN(8) {
	case 0:
		out[len(out)-1-f.IntN(min(8, len(out)-10))] ^= 1 << f.IntN(8)
		return out, "deflated, spoilt"
	case 1:
		return append(out, 0), "deflated, bytes behind the chunk"
	case 2:
		_, body, _, _ := unframe(out)
		return wrap(out[4:8], append(slices.Clone(body), 0, 1, 2)), "deflated, bytes behind the stream"
	case 3:
		_, body, _, _ := unframe(out)
		return wrap(out[4:8], body[:f.IntN(len(body)+1)]), "deflated, cut"
	case 4:
		out[4] ^= 1
		return out, "deflated, wrong checksum"
	case 5:
		sum := slices.Clone(out[4:8])
		_, body, _, _ := unframe(out)
		return wrap(sum, squeeze(body)), "deflated twice"
	}
	return out, "deflated"
}
