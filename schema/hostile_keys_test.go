package schema_test

import (
	"bytes"

	"tombolo/doc"
	"tombolo/doc/gate"
)

// hostileKeys writes empty keys, which only other programs do.
func hostileKeys(t failer, d *doc.Doc) {
	t.Helper()
	heads := d.Heads()
	var start uint64
	for _, raw := range changesOf(t, d) {
		c, err := gate.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		start = max(start, c.StartOp+100)
	}
	c := gate.Change{Deps: heads, Actor: bytes.Repeat([]byte{0xee}, 16), Seq: 1, StartOp: start}
	raw, err := gate.Encode(c, func(yield func(*gate.Op) bool) {
		n := uint32(start)
		for _, key := range []string{"", "assignees", "todos"} {
			if !yield(&gate.Op{Key: key, Action: gate.ActMakeMap}) {
				return
			}
			in := gate.OpRef{Counter: n}
			if !yield(&gate.Op{Obj: in, Key: "", Action: gate.ActSet, Type: gate.TypeTrue}) {
				return
			}
			if !yield(&gate.Op{Obj: in, Key: "$x", Action: gate.ActMakeMap}) {
				return
			}
			n += 3
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if applied, err := d.Apply(raw); err != nil || len(applied.Missing) > 0 {
		t.Fatal(err, applied)
	}
}
