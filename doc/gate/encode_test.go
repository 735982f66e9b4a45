package gate_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"iter"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc/gate"
)

// each yields pointers to ops.
func each(ops []gate.Op) iter.Seq[*gate.Op] {
	return func(yield func(*gate.Op) bool) {
		for i := range ops {
			if !yield(&ops[i]) {
				return
			}
		}
	}
}

func encode(t testing.TB, c gate.Change, ops ...gate.Op) []byte {
	t.Helper()
	raw, err := gate.Encode(c, each(ops))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// collect copies the operations of a change.
func collect(c gate.Change) []gate.Op {
	var ops []gate.Op
	for op := range c.Operations() {
		o := *op
		o.Value, o.Preds = bytes.Clone(op.Value), slices.Clone(op.Preds)
		ops = append(ops, o)
	}
	return ops
}

// hexLines are the lines of a file of testdata.
func hexLines(t testing.TB, name string) [][]byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for line := range strings.FieldsSeq(string(b)) {
		b, err := hex.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// real are changes as two generations of the core write them: the one we use, and by testdata/js.mjs that of the JavaScript library.
func real(t testing.TB) [][]byte {
	raws := hexLines(t, "js.txt")
	for _, ch := range history(t) {
		raws = append(raws, ch.Save())
	}
	return raws
}

func TestEncodeMakesTheBytesOfTheCore(t *testing.T) {
	for _, raw := range real(t) {
		c, err := gate.Parse(raw)
		if err != nil {
			t.Fatalf("%v: %x", err, raw)
		}
		again, err := gate.Encode(c, c.Operations())
		if err != nil || !bytes.Equal(again, c.Raw) {
			t.Errorf("%v\nhave %x\nwant %x", err, again, c.Raw)
		}
		if gate.HashOf(again) != c.Hash {
			t.Error("another hash")
		}
	}
}

func TestEncodeMakesTheGenesis(t *testing.T) {
	// What doc.Genesis makes of the ID 00…00 and the app com.example.notes.
	const golden = "856f4a832e24c517015d001099ca8df2550f49eec8c25474adf1a50b01010000000801040204150f3401420456055712700200010200000102017d0224" +
		"6d03617070066c61796f7574037f0002017d00960213636f6d2e6578616d706c652e6e6f746573010300"
	actor, err := hex.DecodeString("99ca8df2550f49eec8c25474adf1a50b")
	if err != nil {
		t.Fatal(err)
	}
	marks := gate.OpRef{Counter: 1}
	raw := encode(t, gate.Change{Actor: actor, Seq: 1, StartOp: 1},
		gate.Op{Key: "$m", Action: gate.ActMakeMap},
		gate.Op{Obj: marks, Key: "app", Action: gate.ActSet, Type: gate.TypeString, Value: []byte("com.example.notes")},
		gate.Op{Obj: marks, Key: "layout", Action: gate.ActSet, Type: gate.TypeUint, Value: []byte{1}},
	)
	if hexOf(raw) != golden {
		t.Errorf("have %x\nwant %s", raw, golden)
	}
}

func TestEncodeLimits(t *testing.T) {
	c := gate.Change{Actor: []byte{1}, Others: [][]byte{{2}}, Seq: 1, StartOp: 10}
	set := gate.Op{Key: "k", Action: gate.ActSet, Type: gate.TypeBytes}
	endless := func(op gate.Op) iter.Seq[*gate.Op] {
		return func(yield func(*gate.Op) bool) {
			for yield(&op) {
			}
		}
	}
	preds := set
	preds.Preds = make([]gate.OpRef, 1000)
	bytes16 := set
	bytes16.Value = make([]byte, 1<<20)
	long := set
	long.Value = make([]byte, gate.MaxChangeBytes-10)
	for _, test := range []struct {
		what string
		ops  iter.Seq[*gate.Op]
		edit func(*gate.Change)
	}{
		{"operations", endless(set), nil},
		{"predecessors", endless(preds), nil},
		{"bytes", endless(bytes16), nil},
		{"bytes", each([]gate.Op{long}), nil},
		{"dependencies", each(nil), func(c *gate.Change) { c.Deps = make([]gate.Hash, gate.MaxDeps+1) }},
		{"other actors", each(nil), func(c *gate.Change) { c.Others = make([][]byte, gate.MaxActors+1) }},
		{"operations counted in the document", each([]gate.Op{set}), func(c *gate.Change) { c.StartOp = gate.MaxCounter }},
		{"operations counted in the document", each([]gate.Op{set}), func(c *gate.Change) { c.StartOp = math.MaxUint64 }},
	} {
		c := c
		if test.edit != nil {
			test.edit(&c)
		}
		raw, err := gate.Encode(c, test.ops)
		if e, ok := errors.AsType[*gate.LimitError](err); !ok || e.What != test.what || raw != nil {
			t.Errorf("want %s: %v", test.what, err)
		}
	}
}

func TestOperations(t *testing.T) {
	own, other := gate.OpRef{Counter: 100}, gate.OpRef{Counter: 7, Actor: 1}
	char := gate.Op{Obj: own, Seq: true, Insert: true, Action: gate.ActSet, Type: gate.TypeString, Value: []byte("ä")}
	after := char
	after.Elem = gate.OpRef{Counter: 101}
	want := []gate.Op{
		{Key: "t", Action: gate.ActMakeText, Preds: []gate.OpRef{{Counter: 3}, other}},
		char,
		after,
		{Obj: own, Seq: true, Elem: own, Insert: true, Action: gate.ActMark, Type: gate.TypeInt, Value: []byte{3}, Named: true, Mark: "b", Expand: true},
		{Obj: own, Seq: true, Elem: gate.OpRef{Counter: 102}, Insert: true, Action: gate.ActMark},
		{Obj: own, Seq: true, Elem: gate.OpRef{Counter: 101}, Action: gate.ActDelete, Preds: []gate.OpRef{{Counter: 101}}},
		{Obj: other, Key: "", Action: gate.ActSet, Type: gate.TypeFloat, Value: make([]byte, 8)},
		{Obj: other, Key: "", Action: gate.ActIncrement, Type: gate.TypeInt, Value: []byte{0x7f}, Preds: []gate.OpRef{{Counter: 9, Actor: 1}}},
		{Obj: other, Key: "list", Action: gate.ActMakeList},
		{Key: "list", Action: gate.ActMakeMap},
	}
	c, err := gate.Parse(encode(t, gate.Change{Actor: []byte{9}, Others: [][]byte{{200}}, Seq: 2, StartOp: 100}, want...))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Others) != 1 || !bytes.Equal(c.Others[0], []byte{200}) || c.Ops != uint64(len(want)) {
		t.Errorf("%+v", c)
	}
	if have := collect(c); !sameOps(have, want) {
		t.Errorf("have %+v\nwant %+v", have, want)
	}
	n := 0
	for range c.Operations() {
		if n++; n == 2 {
			break
		}
	}
	for range (&gate.Change{Ops: 3}).Operations() {
		t.Error("a change that was not parsed has operations")
	}
}

// sameOps compares what an encoding keeps: nil and empty are the same.
func sameOps(a, b []gate.Op) bool {
	return slices.EqualFunc(a, b, func(a, b gate.Op) bool {
		same := bytes.Equal(a.Value, b.Value) && slices.Equal(a.Preds, b.Preds)
		a.Value, b.Value, a.Preds, b.Preds = nil, nil, nil, nil
		return same && reflect.DeepEqual(a, b)
	})
}

// Whatever operations make sense, Parse takes them, they come out again, and the core saves and loads them with the same bytes.
func TestTheCoreTakesWhatEncodeMakes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := drawDocument(rt)
		for i, raw := range d.raws {
			c, err := gate.Parse(raw)
			if err != nil {
				rt.Fatalf("change %d: %v", i, err)
			}
			if have := collect(c); !sameOps(have, d.ops[i]) {
				rt.Fatalf("have %+v\nwant %+v", have, d.ops[i])
			}
			again, err := gate.Encode(c, c.Operations())
			if err != nil || !bytes.Equal(again, raw) {
				rt.Fatalf("%v\nhave %x\nwant %x", err, again, raw)
			}
		}
		if verdict := core(t, d.raws)[0]; verdict != "ok" {
			rt.Fatalf("the core: %s\n%x", verdict, d.raws)
		}
	})
}

// Literal runs of more than 64 values have a longer head, which is not known when they begin.
func TestEncodeLongLiterals(t *testing.T) {
	for _, n := range []int{63, 64, 65, 8192, 8193} {
		var ops []gate.Op
		for i := range n {
			ops = append(ops, gate.Op{Key: strconv.Itoa(i), Action: gate.ActSet, Type: gate.TypeString, Value: []byte(strconv.Itoa(i * i * i))})
		}
		for i := range n {
			at := uint32((i*7919)%n + 1)
			ops = append(ops, gate.Op{Key: ops[at-1].Key, Action: gate.ActDelete, Preds: []gate.OpRef{{Counter: at}}})
		}
		raw := encode(t, gate.Change{Actor: []byte{1}, Seq: 1, StartOp: 1}, ops...)
		c, err := gate.Parse(raw)
		if err != nil || !sameOps(collect(c), ops) {
			t.Fatalf("%d keys do not come back: %v", n, err)
		}
		if verdict := core(t, [][]byte{raw})[0]; verdict != "ok" {
			t.Errorf("%d keys, the core: %s", n, verdict)
		}
	}
}
