package gate_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc/gate"
)

// Of changes that were damaged, in an operation or in a byte, the core takes those that Parse admits and whose operations refer to what
// there is.
func TestTheCoreTakesAdmittedMutants(t *testing.T) {
	const tries = 6000
	r := rand.New(rand.NewPCG(1, 2))
	whole := rapid.Custom(drawDocument)
	var docs [][][]byte
	admitted := 0
	for i := range tries {
		d := whole.Example(i / 10)
		c, err := gate.Parse(d.raws[0])
		if err != nil {
			t.Fatal(err)
		}
		var raw []byte
		if i%2 == 0 {
			body := bytes.Clone(bodyOf(c.Raw))
			for range 1 + r.IntN(3) {
				body[r.IntN(len(body))] ^= 1 << r.IntN(8)
			}
			raw = frame(1, body, body)
		} else {
			ops := collect(c)
			mutate(r, ops)
			if raw, err = gate.Encode(c, each(ops)); err != nil {
				t.Fatal(err)
			}
		}
		if c, err = gate.Parse(raw); err != nil || len(c.Deps) > 0 || len(c.Others) > 0 || c.Seq != 1 || c.StartOp > 1000 {
			continue
		}
		admitted++
		if refers(c) {
			docs = append(docs, [][]byte{raw})
		}
	}
	for i, verdict := range core(t, docs...) {
		if verdict != "ok" {
			c, err := gate.Parse(docs[i][0])
			t.Errorf("%s: %+v %v", verdict, collect(c), err)
		}
	}
	t.Logf("%d mutants, %d admitted, %d of them tried on the core", tries, admitted, len(docs))
	if len(docs) < tries/10 {
		t.Error("the mutants are too wild")
	}
}

// mutate changes something of one operation, often to what another one has.
func mutate(r *rand.Rand, ops []gate.Op) {
	if len(ops) == 0 {
		return
	}
	op, other := &ops[r.IntN(len(ops))], ops[r.IntN(len(ops))]
	ref := gate.OpRef{Counter: uint32(r.IntN(len(ops) + 1))}
	switch r.IntN(12) {
	case 0:
		op.Obj = ref
	case 1:
		op.Elem = ref
	case 2:
		op.Seq, op.Key, op.Elem = other.Seq, other.Key, other.Elem
	case 3:
		op.Insert = !op.Insert
	case 4:
		op.Action = gate.Action(r.IntN(9))
	case 5:
		op.Type, op.Value = other.Type, other.Value
	case 6:
		op.Type = gate.ValueType(r.IntN(16))
	case 7:
		op.Expand = !op.Expand
	case 8:
		op.Named, op.Mark = !op.Named, other.Mark
	case 9:
		op.Preds = append(slices.Clone(op.Preds), ref)
	case 10:
		op.Preds = other.Preds
	case 11:
		op.Preds = nil
	}
}

// refers says whether the operations of a change without a past refer to what there is: the part of the verdict that is not Parse's.
func refers(c gate.Change) bool {
	ops := collect(c)
	at := func(r gate.OpRef) *gate.Op {
		if i := int64(r.Counter) - int64(c.StartOp); i >= 0 && i < int64(len(ops)) {
			return &ops[i]
		}
		return nil
	}
	element := func(op *gate.Op, self gate.OpRef) gate.OpRef {
		if op.Insert {
			return self
		}
		return op.Elem
	}
	for _, op := range ops {
		if op.Obj != (gate.OpRef{}) {
			obj := at(op.Obj)
			if obj == nil {
				return false
			}
			switch obj.Action {
			case gate.ActMakeMap:
				if op.Seq {
					return false
				}
			case gate.ActMakeList, gate.ActMakeText:
				if !op.Seq {
					return false
				}
			default:
				return false
			}
		}
		if op.Elem != (gate.OpRef{}) {
			if e := at(op.Elem); e == nil || !e.Insert || e.Obj != op.Obj {
				return false
			}
		}
		for _, p := range op.Preds {
			q := at(p)
			if q == nil || q.Obj != op.Obj || q.Seq != op.Seq || q.Key != op.Key || q.Seq && element(q, p) != op.Elem {
				return false
			}
			if q.Action == gate.ActDelete || q.Action == gate.ActIncrement || q.Action == gate.ActMark {
				return false
			}
		}
	}
	return true
}
