package opset_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// forged is an operation as a liar may refer to it.
type forged struct {
	id      opset.ID
	change  int
	obj     opset.ID // the zero ID is the root
	place   string   // its slot, spelled out
	elem    opset.ID // of a value in a sequence
	action  gate.Action
	kind    gate.Action // of a maker, the same; else what it acts in
	inserts bool
}

// liar makes changes of which many are sound, and others refer to what is not in their past, is of another kind or does not exist.
type liar struct {
	*rand.Rand
	changes []gate.Change
	past    [][]bool // of each change
	ops     []forged
	seqs    map[string]int
	last    map[string]int
}

func (l *liar) chance(n int) bool { return l.IntN(n) == 0 }

// change makes one more.
func (l *liar) change(t rapid.TB) {
	n := len(l.changes)
	actor := fmt.Sprintf("w%d", l.IntN(5))
	c := gate.Change{Actor: []byte(actor), Seq: uint64(l.seqs[actor] + 1), StartOp: 1, Message: fmt.Sprint(n)}
	past := make([]bool, n)
	var deps []int
	for range l.IntN(4) {
		if n > 0 {
			deps = append(deps, max(0, n-1-l.IntN(8)))
		}
	}
	if at, ok := l.last[actor]; ok && !l.chance(30) {
		deps = append(deps, at)
	}
	slices.Sort(deps)
	for _, d := range slices.Compact(deps) {
		c.Deps = append(c.Deps, l.changes[d].Hash)
		past[d] = true
		for i, is := range l.past[d] {
			past[i] = past[i] || is
		}
		c.StartOp = max(c.StartOp, l.changes[d].StartOp+l.changes[d].Ops)
	}
	for i, is := range past {
		if is {
			c.StartOp = max(c.StartOp, l.changes[i].StartOp+l.changes[i].Ops)
		}
	}
	slices.SortFunc(c.Deps, gate.Hash.Compare)
	if l.chance(12) {
		c.StartOp += uint64(l.IntN(3))
	}
	first := len(l.ops)
	var list []gate.Op
	var refs [][]opset.ID // object, element, predecessors of each
	for i := range l.IntN(6) {
		o, ids, f := l.op(past)
		f.id, f.change = opset.ID{Counter: uint32(c.StartOp) + uint32(i), Actor: actor}, n
		if f.inserts {
			f.place, f.elem = fmt.Sprint(f.obj, f.id), f.id
		}
		l.ops = append(l.ops, f)
		list, refs = append(list, o), append(refs, ids)
	}
	var others []string
	for _, ids := range refs {
		for _, id := range ids {
			if id.Counter > 0 && id.Actor != actor {
				others = append(others, id.Actor)
			}
		}
	}
	slices.Sort(others)
	others = slices.Compact(others)
	ref := func(id opset.ID) gate.OpRef {
		at, _ := slices.BinarySearch(others, id.Actor)
		if id.Counter == 0 || id.Actor == actor {
			return gate.OpRef{Counter: id.Counter}
		}
		return gate.OpRef{Counter: id.Counter, Actor: uint32(at) + 1}
	}
	for i, ids := range refs {
		list[i].Obj, list[i].Elem = ref(ids[0]), ref(ids[1])
		for _, p := range ids[2:] {
			list[i].Preds = append(list[i].Preds, ref(p))
		}
	}
	for _, o := range others {
		c.Others = append(c.Others, []byte(o))
	}
	raw, err := gate.Encode(c, ops(list...))
	if err != nil {
		t.Fatal(err)
	}
	made, err := gate.Parse(raw)
	if err != nil { // not even its form is right
		l.ops = l.ops[:first]
		return
	}
	l.changes, l.past = append(l.changes, made), append(l.past, past)
	l.seqs[actor]++
	l.last[actor] = n
}

// pick is an operation that fits, mostly from the past.
func (l *liar) pick(past []bool, fits func(*forged) bool) (forged, bool) {
	var all []forged
	anywhere := l.chance(25)
	for i := range l.ops {
		if o := &l.ops[i]; (anywhere || o.change >= len(past) || past[o.change]) && fits(o) {
			all = append(all, *o)
		}
	}
	if len(all) == 0 {
		return forged{}, false
	}
	return all[l.IntN(len(all))], true
}

// op makes an operation, and the object, element and predecessors that it names.
func (l *liar) op(past []bool) (gate.Op, []opset.ID, forged) {
	in, ok := l.pick(past, func(o *forged) bool { return o.action == o.kind })
	var o gate.Op
	var f forged
	if ok && !l.chance(4) {
		f.obj, f.kind = in.id, in.kind
	}
	o.Action = []gate.Action{
		gate.ActSet, gate.ActSet, gate.ActSet, gate.ActDelete, gate.ActDelete, gate.ActIncrement, gate.ActMakeMap, gate.ActMakeList, gate.ActMakeText,
	}[l.IntN(9)]
	if f.kind != gate.ActMakeMap {
		o.Seq = true
		elem, ok := l.pick(past, func(e *forged) bool { return e.inserts && (e.obj == f.obj || l.chance(50)) })
		o.Insert = !ok || l.chance(2)
		if f.elem = elem.id; o.Insert && l.chance(3) {
			f.elem = opset.ID{}
		}
		f.place = fmt.Sprint(f.obj, f.elem)
	} else {
		o.Key = string(rune('a' + l.IntN(3)))
		f.place = fmt.Sprint(f.obj, o.Key)
	}
	if o.Insert {
		if o.Action == gate.ActDelete || o.Action == gate.ActIncrement {
			o.Action = gate.ActMark
			if l.chance(2) {
				o.Action = gate.ActSet
			}
		}
		f.inserts = true
	}
	switch o.Action {
	case gate.ActSet:
		switch l.IntN(3) {
		case 0:
			o.Type, o.Value = gate.TypeCounter, []byte{byte(l.IntN(64))}
		case 1:
			o.Type, o.Value = gate.TypeString, []byte(strings.Repeat("é", 1+l.IntN(2)))
		}
	case gate.ActIncrement:
		o.Type, o.Value = gate.TypeInt, []byte{byte(1 + l.IntN(60))}
	case gate.ActMark:
		o.Named = l.chance(2)
	}
	ids := []opset.ID{f.obj, f.elem}
	if !o.Insert {
		var preds []opset.ID
		for range 8 {
			p, ok := l.pick(past, func(p *forged) bool { return p.place == f.place && (p.action != gate.ActDelete || l.chance(40)) })
			if ok && !slices.Contains(preds, p.id) && !l.chance(3) {
				preds = append(preds, p.id)
			}
		}
		slices.SortFunc(preds, func(a, b opset.ID) int {
			return cmp.Or(cmp.Compare(a.Counter, b.Counter), cmp.Compare(a.Actor, b.Actor))
		})
		ids = append(ids, preds...)
	}
	f.action = o.Action
	if isMaker(o.Action) {
		f.kind = o.Action
	}
	return o, ids, f
}

func isMaker(a gate.Action) bool {
	return a == gate.ActMakeMap || a == gate.ActMakeList || a == gate.ActMakeText
}

// deliver adds the changes in a random causal order, some of them more than once, and says what was admitted.
func (l *liar) deliver(t rapid.TB, r *rand.Rand) (*opset.Set, []bool) {
	s := opset.New()
	admitted, tried := make([]bool, len(l.changes)), map[gate.Hash]bool{}
	var order []gate.Change
	for len(tried) < len(l.changes) {
		i := r.IntN(len(l.changes))
		c := l.changes[i]
		if tried[c.Hash] || slices.ContainsFunc(c.Deps, func(h gate.Hash) bool { return !tried[h] }) {
			continue
		}
		tried[c.Hash] = true
		before := dump(s.Now(), opset.Root)
		if _, err := s.Add(c); err == nil {
			admitted[i] = true
			order = append(order, c)
		} else if after := dump(s.Now(), opset.Root); after != before {
			t.Fatalf("a refused change leaves a trace\nbefore %s\nafter  %s", before, after)
		}
		if n := s.Graph().Len(); n > 0 && r.IntN(4) == 0 { // taken back and added again
			keep := r.IntN(n)
			s.Truncate(keep)
			for _, c := range order[keep:] {
				if _, err := s.Add(c); err != nil {
					t.Fatalf("admitted once, now refused: %v", err)
				}
			}
		}
		if err := s.Consistent(); err != nil {
			t.Fatal(err)
		}
	}
	return s, admitted
}

// dump is all that a version holds: every value, also those that others hide.
func dump(v opset.View, obj opset.Object) string {
	var out []string
	s := v.Set()
	item := func(sl opset.Slot) (b strings.Builder) {
		for _, i := range v.Conflicts(sl) {
			id := s.ID(i)
			if inner, ok := s.Object(i); ok {
				fmt.Fprintf(&b, "%d%s%s ", id.Counter, id.Actor, dump(v, inner))
			} else {
				fmt.Fprintf(&b, "%d%s=%v ", id.Counter, id.Actor, v.Value(i))
			}
		}
		if last, ok := v.Item(sl); ok {
			fmt.Fprintf(&b, "shows %v", s.ID(last))
		}
		return b
	}
	if s.Kind(obj) == gate.ActMakeMap {
		for sl := range v.Keys(obj) {
			b := item(sl)
			out = append(out, s.KeyOf(sl)+": "+b.String())
		}
		slices.Sort(out)
		return "{" + strings.Join(out, "; ") + "}"
	}
	for sl := range v.Elements(obj) {
		b := item(sl)
		out = append(out, b.String())
	}
	return fmt.Sprintf("[%d: %s]", v.Len(obj), strings.Join(out, "; "))
}

// Whatever is sent, and in whatever causal order it comes: the same changes are admitted, hold the same values at every version and come back byte
// for byte; what is refused, and what is taken back, leaves no trace.
func TestOrderDoesNotMatter(t *testing.T) {
	var sent, taken int
	rapid.Check(t, func(rt *rapid.T) {
		opset.SetBlockSize(rapid.SampledFrom([]int{2, 4, 512}).Draw(rt, "block"))
		defer opset.SetBlockSize(512)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		l := &liar{Rand: random, seqs: map[string]int{}, last: map[string]int{}}
		for range rapid.IntRange(1, 40).Draw(rt, "changes") {
			l.change(rt)
		}
		if len(l.changes) == 0 {
			return
		}
		a, admitted := l.deliver(rt, random)
		b, again := l.deliver(rt, random)
		if !slices.Equal(admitted, again) {
			rt.Fatalf("admitted %v, in another order %v", admitted, again)
		}
		if x, y := dump(a.Now(), opset.Root), dump(b.Now(), opset.Root); x != y {
			rt.Fatalf("it holds\n%s, in another order\n%s", x, y)
		}
		sent += len(l.changes)
		third := opset.New()
		for i, c := range l.changes {
			if !admitted[i] {
				continue
			}
			taken++
			for _, s := range []*opset.Set{a, b} {
				pos, _ := s.Graph().Position(c.Hash)
				if raw, err := s.Change(pos); err != nil || !bytes.Equal(raw, c.Raw) {
					rt.Fatalf("change %d comes back as %x, not %x (%v)", i, raw, c.Raw, err)
				}
			}
			va, err := a.At([]gate.Hash{c.Hash})
			if err != nil {
				rt.Fatal(err)
			}
			vb, _ := b.At([]gate.Hash{c.Hash})
			alone := opset.New()
			for j := range i {
				if admitted[j] && l.past[i][j] {
					mustAdd(t, alone, l.changes[j])
				}
			}
			mustAdd(t, alone, c)
			x, y, z := dump(va, opset.Root), dump(vb, opset.Root), dump(alone.Now(), opset.Root)
			if x != z || y != z {
				rt.Fatalf("at change %d it holds\n%s\n%s, alone\n%s", i, x, y, z)
			}
			mustAdd(t, third, c)
		}
	})
	t.Logf("admitted %d of %d changes", taken, sent)
}
