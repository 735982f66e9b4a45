package gate_test

import (
	"bytes"
	"testing"

	"tombolo/doc/gate"
)

// FuzzParse: no input makes the gate panic, and what it accepts is what it would write itself. testdata/hostile.txt holds bodies of changes
// that ended the core's process or made documents that it could not load again, and neighbours of those.
func FuzzParse(f *testing.F) {
	for _, raw := range real(f) {
		c, err := gate.Parse(raw)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bodyOf(c.Raw), byte(1))
	}
	for _, body := range hexLines(f, "hostile.txt") {
		f.Add(body, byte(1))
	}
	f.Add(deflate(good().body()), byte(2))
	f.Add(good().body(), byte(0))
	f.Add(good().chunk(), byte(3))
	f.Fuzz(func(t *testing.T, body []byte, kind byte) {
		if kind > 2 { // raw bytes
			_, _ = gate.Parse(body)
			return
		}
		plain := body
		if kind == 2 {
			plain = inflated(body)
		}
		c, err := gate.Parse(frame(kind, plain, body))
		if err != nil {
			return
		}
		encoded, err := gate.Encode(c, c.Operations())
		if err != nil || !bytes.Equal(encoded, c.Raw) {
			t.Fatalf("%v\nhave %x\nwant %x", err, encoded, c.Raw)
		}
		again, err := gate.Parse(encoded)
		if err != nil || again.Hash != c.Hash || again.Ops != c.Ops {
			t.Fatalf("the second reading differs: %v", err)
		}
		if _, err := gate.NewGraph().Add(c); err == nil && (c.Seq != 1 || len(c.Deps) > 0) {
			t.Fatal("an empty graph took a change with a past")
		}
	})
}

// FuzzEncode: whatever operations are encoded, sound or not, the gate refuses them or gives them back.
func FuzzEncode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x00\x00\x04\x00\x01k\x00\x00\x00"))
	for _, body := range hexLines(f, "hostile.txt")[:20] {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ops := opsFrom(b)
		c := gate.Change{Actor: []byte{5}, Others: [][]byte{{4}, {6}}, Seq: 1, StartOp: 20}
		raw := encode(t, c, ops...)
		c, err := gate.Parse(raw)
		if err != nil {
			return
		}
		if have := collect(c); !sameOps(have, ops) {
			t.Fatalf("have %+v\nwant %+v", have, ops)
		}
		if again := encode(t, c, ops...); !bytes.Equal(again, raw) {
			t.Fatalf("have %x\nwant %x", again, raw)
		}
	})
}

// opsFrom makes operations of any bytes, many of them nearly right.
func opsFrom(b []byte) []gate.Op {
	next := func() byte {
		if len(b) == 0 {
			return 0
		}
		v := b[0]
		b = b[1:]
		return v
	}
	ref := func() gate.OpRef {
		v := next()
		return gate.OpRef{Counter: uint32(v & 0x3f), Actor: uint32(v >> 6)}
	}
	text := func() []byte {
		n := min(int(next()&7), len(b))
		t := b[:n]
		b = b[n:]
		return t
	}
	var ops []gate.Op
	for len(b) > 0 {
		flags := next()
		op := gate.Op{
			Obj: ref(), Seq: flags&1 > 0, Insert: flags&2 > 0, Expand: flags&4 > 0, Named: flags&8 > 0,
			Action: gate.Action(next() & 7), Type: gate.ValueType(next() & 15), Value: text(),
		}
		if op.Seq {
			op.Elem = ref()
		} else {
			op.Key = string(text())
		}
		if op.Named {
			op.Mark = string(text())
		}
		for range flags >> 5 {
			op.Preds = append(op.Preds, ref())
		}
		ops = append(ops, op)
	}
	return ops
}
