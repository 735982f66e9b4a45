package opset_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// forge spells a change; the operations may be anything that has the form of one.
func forge(t testing.TB, c gate.Change, ops iter.Seq[*gate.Op]) gate.Change {
	t.Helper()
	slices.SortFunc(c.Deps, gate.Hash.Compare)
	c.Seq, c.StartOp = max(c.Seq, 1), max(c.StartOp, 1)
	raw, err := gate.Encode(c, ops)
	if err != nil {
		t.Fatal(err)
	}
	out, err := gate.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func ops(list ...gate.Op) iter.Seq[*gate.Op] {
	return func(yield func(*gate.Op) bool) {
		for i := range list {
			if !yield(&list[i]) {
				return
			}
		}
	}
}

// many are n operations of one form.
func many(n int, op func(i uint32) gate.Op) iter.Seq[*gate.Op] {
	return func(yield func(*gate.Op) bool) {
		for i := range n {
			if o := op(uint32(i)); !yield(&o) {
				return
			}
		}
	}
}

func none(func(*gate.Op) bool) {}

// name is an actor of two bytes.
func name(i int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(i)) }

func mustAdd(t testing.TB, s *opset.Set, cs ...gate.Change) {
	t.Helper()
	for _, c := range cs {
		if _, err := s.Add(c); err != nil {
			t.Fatal(err)
		}
	}
}

// of is a reference to an operation of the writer that a change lists first.
func of(counter uint32) gate.OpRef { return gate.OpRef{Counter: counter, Actor: 1} }

// typed is a change by writer 1 that makes a text and puts n-1 elements into it, one behind the other.
func typed(t testing.TB, n int) gate.Change {
	return forge(t, gate.Change{Actor: []byte{1}}, many(n, func(i uint32) gate.Op {
		if i == 0 {
			return gate.Op{Key: "text", Action: gate.ActMakeText}
		}
		o := gate.Op{Obj: gate.OpRef{Counter: 1}, Seq: true, Insert: true, Action: gate.ActSet}
		if i > 1 {
			o.Elem.Counter = i
		}
		return o
	}))
}

// on is the header of another writer's first change, on top of some of writer 1.
func on(actor []byte, start uint64, deps ...gate.Change) gate.Change {
	c := gate.Change{Actor: actor, StartOp: start, Others: [][]byte{{1}}}
	for _, d := range deps {
		c.Deps = append(c.Deps, d.Hash)
	}
	return c
}

// Some hundred bytes of change can stand for a million operations, and a thousand changes can meet in one place: each operation must cost about the
// same there as in a plain change. All of these once took seconds to hours. To measure them: go test -run HostileCost -v
func TestHostileCost(t *testing.T) {
	const n = 1 << 17
	opset.SetBlockSize(512) // other tests leave small ones
	text := gate.Op{Key: "text", Action: gate.ActMakeText}
	made := forge(t, gate.Change{Actor: []byte{1}}, ops(text))
	insert := gate.Op{Obj: of(1), Seq: true, Insert: true, Action: gate.ActSet}
	whole := typed(t, n)
	sets := func(key string) gate.Change {
		return forge(t, gate.Change{Actor: []byte{1}}, many(n, func(i uint32) gate.Op {
			o := gate.Op{Key: key, Action: gate.ActSet}
			if i > 0 {
				o.Preds = []gate.OpRef{{Counter: i}}
			}
			return o
		}))
	}
	deletes := func(c gate.Change) gate.Change { // backward, each element by an operation of its own
		return forge(t, c, many(n-1, func(i uint32) gate.Op {
			return gate.Op{Obj: of(1), Seq: true, Elem: of(n - i), Action: gate.ActDelete, Preds: []gate.OpRef{of(n - i)}}
		}))
	}
	took := func(f func()) time.Duration {
		at := time.Now()
		f()
		return time.Since(at)
	}
	adds := func(s *opset.Set, cs ...gate.Change) func() {
		return func() {
			t.Helper()
			mustAdd(t, s, cs...)
		}
	}
	plain := sets("k")
	baseline := took(adds(opset.New(), plain))
	limit := 20 * max(50*time.Millisecond, baseline)
	t.Logf("as many sets of one key: %v", baseline)
	check := func(what string, f func()) {
		t.Helper()
		d := took(f)
		t.Logf("%s: %v", what, d)
		if d > limit {
			t.Errorf("%s takes %v, more than %v", what, d, limit)
		}
	}

	s := opset.New()
	check("a text written from the front", adds(s, whole))
	check("deleted from the back", adds(s, deletes(on([]byte{2}, n+1, whole))))
	check("taking that back", func() { s.Truncate(0) })

	front := many(n, func(uint32) gate.Op { return insert })
	s = opset.New()
	mustAdd(t, s, made, forge(t, on([]byte{9}, 1<<20, made), front))
	check("insertions behind as many with greater IDs", adds(s, forge(t, on([]byte{8}, 2, made), front)))

	var lone []gate.Change
	for i := range 8000 {
		lone = append(lone, forge(t, on(name(8000-i), 2, made), ops(insert)))
	}
	s = opset.New()
	mustAdd(t, s, made)
	check("writers who insert at one place", adds(s, lone...))
	lone = nil
	for i := range 20000 {
		lone = append(lone, forge(t, gate.Change{Actor: name(20000 - i)}, ops(gate.Op{Key: "k", Action: gate.ActSet})))
	}
	check("values of one key", adds(opset.New(), lone...))

	heads := []gate.Change{whole}
	for i := range gate.MaxDeps - 1 {
		heads = append(heads, forge(t, gate.Change{Actor: name(i)}, none))
	}
	s = opset.New()
	mustAdd(t, s, append(heads, forge(t, gate.Change{Actor: []byte("apart")}, none))...)
	check("references beside many dependencies", adds(s, deletes(on([]byte("refers"), n+1, heads...))))

	s = opset.New()
	mustAdd(t, s, forge(t, gate.Change{Actor: []byte("apart")}, none), made)
	next := forge(t, gate.Change{Actor: []byte{1}, Seq: 2, StartOp: 2, Deps: []gate.Hash{made.Hash}}, none)
	mustAdd(t, s, next)
	lone = nil
	for i := range 8000 {
		lone = append(lone, forge(t, on(name(i), 2, next), ops(insert)))
	}
	check("writers who know an old version", adds(s, lone...))

	check("sets of one long key", adds(opset.New(), sets(strings.Repeat("k", 1<<20))))

	// An element with a long string, beside which a million operations do nothing.
	one := forge(t, gate.Change{Actor: []byte{1}}, ops(text,
		gate.Op{Obj: gate.OpRef{Counter: 1}, Seq: true, Insert: true, Action: gate.ActSet},
		gate.Op{
			Obj: gate.OpRef{Counter: 1}, Seq: true, Elem: gate.OpRef{Counter: 2}, Action: gate.ActSet, Preds: []gate.OpRef{{Counter: 2}},
			Type: gate.TypeString, Value: bytes.Repeat([]byte("v"), 1<<20),
		},
	))
	s = opset.New()
	mustAdd(t, s, one)
	check("deletes beside a long string", adds(s, forge(t, on([]byte{2}, 4, one), many(n, func(uint32) gate.Op {
		return gate.Op{Obj: of(1), Seq: true, Elem: of(2), Action: gate.ActDelete, Preds: []gate.OpRef{of(2)}}
	}))))
	check("insertions beside a long string", adds(s, forge(t, on([]byte{3}, 4, one), many(n, func(i uint32) gate.Op {
		o := insert
		o.Elem = of(2)
		return o
	}))))

	first := forge(t, gate.Change{Actor: []byte{1}}, ops(gate.Op{Key: "k", Action: gate.ActSet}))
	s = opset.New()
	mustAdd(t, s, first)
	check("deletes of one value", adds(s, forge(t, on([]byte{2}, 2, first), many(n, func(uint32) gate.Op {
		return gate.Op{Key: "k", Action: gate.ActDelete, Preds: []gate.OpRef{of(1)}}
	}))))
	check("what they changed", func() {
		d := s.Compare([]int{1}, nil)
		for sl := range d.Keys(opset.Root) {
			if p := d.Pair(sl); !p.Was || p.Is {
				t.Errorf("it shows %+v", p)
			}
		}
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A refused change leaves nothing behind: no keys, no empty slots or blocks, no memory.
func TestRefusedLeavesNothing(t *testing.T) {
	const n = 1 << 17
	opset.SetBlockSize(512)
	whole := typed(t, 5000)
	s := opset.New()
	mustAdd(t, s, whole)
	size, blocks := s.Size(), s.Blocks()
	before := heap()
	for round := range 3 {
		c := forge(t, on([]byte{2}, 5001, whole), many(n, func(i uint32) gate.Op {
			switch {
			case i == n-1:
				return gate.Op{Obj: of(1), Key: "no key of a text", Action: gate.ActSet}
			case i%2 == 0:
				return gate.Op{Obj: of(1), Seq: true, Insert: true, Elem: of(2 + i%4999), Action: gate.ActSet}
			}
			return gate.Op{Key: fmt.Sprint(round, i), Action: gate.ActMakeList}
		}))
		if _, err := s.Add(c); !isForm(err) {
			t.Fatalf("admitted: %v", err)
		}
		if s.Size() != size || s.Blocks() > 2*blocks {
			t.Fatalf("after a refused change the size is %d, not %d, with %d blocks, not %d", s.Size(), size, s.Blocks(), blocks)
		}
		if err := s.Consistent(); err != nil {
			t.Fatal(err)
		}
	}
	if kept := int64(heap()) - int64(before); kept > 1<<20 {
		t.Errorf("three refused changes leave %d bytes", kept)
	}
	if _, ok := s.Key(opset.Root, "0 1"); ok {
		t.Error("a key of a refused change is known")
	}
	if n := s.Now().Len(opset.Root); n != 1 {
		t.Errorf("the root shows %d keys", n)
	}
}

func isForm(err error) bool {
	_, ok := errors.AsType[*gate.FormError](err)
	return ok
}

// A document with more heads than a change may build on, and more values under a key than a change may refer to, can still be written.
func TestWriteOverManyHeads(t *testing.T) {
	s := opset.New()
	for i := range 2*gate.MaxDeps + 100 {
		mustAdd(t, s, forge(t, gate.Change{Actor: name(i)}, ops(gate.Op{Key: "k", Action: gate.ActSet})))
	}
	for round, want := range []int{2, 0} {
		draft, err := s.Begin([]byte("own"))
		if err != nil {
			t.Fatal(err)
		}
		draft.Set(s.NewKey(opset.Root, "k"), gate.TypeUint, []byte{byte(round)})
		draft.Make(s.NewKey(opset.Root, "new"), gate.ActMakeList)
		c, some, err := draft.Commit(opset.Note{Author: []byte("me"), Message: "over them all"})
		if err != nil || !some {
			t.Fatalf("commit: %v, %v", some, err)
		}
		if got := len(draft.Gathered()); got != want {
			t.Errorf("it took %d changes to gather the heads, not %d", got, want)
		}
		if heads := s.Graph().Heads(); len(heads) != 1 || heads[0] != c.Hash {
			t.Errorf("%d heads are left", len(heads))
		}
		item, _ := s.Now().Get(opset.Root, "k")
		if s.Uint(item) != uint64(round) || string(s.Author(s.Graph().Len()-1)) != "me" {
			t.Error("what was written is not there")
		}
	}
	again := opset.New()
	for i := range s.Graph().Len() {
		raw, err := s.Change(i)
		if err != nil {
			t.Fatal(err)
		}
		add(t, again, raw)
	}
	if dump(s.Now(), opset.Root) != dump(again.Now(), opset.Root) {
		t.Error("loaded again it is another document")
	}
	sl := s.NewKey(opset.Root, "k")
	for left := len(s.Now().Conflicts(sl)); left > 0; {
		draft, err := s.Begin([]byte("own"))
		if err != nil {
			t.Fatal(err)
		}
		draft.Delete(sl)
		if _, _, err := draft.Commit(opset.Note{}); err != nil {
			t.Fatal(err)
		}
		now := len(s.Now().Conflicts(sl))
		if now >= left {
			t.Fatal("deleting does not end")
		}
		left = now
	}
}

// A value too large for any change is refused, whole.
func TestDraftRefusesLargeValue(t *testing.T) {
	s := opset.New()
	draft, err := s.Begin([]byte("own"))
	if err != nil {
		t.Fatal(err)
	}
	draft.Set(s.NewKey(opset.Root, "k"), gate.TypeBytes, make([]byte, 1<<28+5)) // the length has 28 bits
	if _, _, err := draft.Commit(opset.Note{}); !isLimit(err) {
		t.Fatalf("committed: %v", err)
	}
	if s.Len() != 0 || s.Graph().Len() != 0 {
		t.Error("something is left")
	}
}

func isLimit(err error) bool {
	_, ok := errors.AsType[*gate.LimitError](err)
	return ok
}

// Positions and places of values are 32 bits wide: what does not fit is refused before it is recorded.
func TestFull(t *testing.T) {
	for _, limits := range [][2]uint64{{3, 1 << 20}, {100, 150}} {
		restore := opset.SetRoom(limits[0], limits[1])
		defer restore()
		s := opset.New()
		a := forge(t, gate.Change{Actor: []byte{1}}, ops(gate.Op{Key: "k", Action: gate.ActSet, Type: gate.TypeBytes, Value: make([]byte, 60)}))
		b := forge(t, gate.Change{Actor: []byte{2}}, ops(
			gate.Op{Key: "k", Action: gate.ActSet, Type: gate.TypeBytes, Value: make([]byte, 100)}, gate.Op{Key: "l", Action: gate.ActSet}, gate.Op{Key: "m", Action: gate.ActSet},
		))
		mustAdd(t, s, a)
		if _, err := s.Add(b); !errors.Is(err, opset.ErrFull) {
			t.Errorf("with room for %v: %v", limits, err)
		}
		if _, err := s.Begin([]byte{3}); !errors.Is(err, opset.ErrFull) {
			t.Errorf("a draft with room for %v: %v", limits, err)
		}
		if s.Graph().Len() != 1 || s.Len() != 1 {
			t.Error("something was recorded")
		}
	}
}
