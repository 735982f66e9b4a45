package opset_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// makes is the change of another writer that puts a list under a key of the root map.
func makes(t *testing.T, key string, start uint64, deps []gate.Hash) gate.Change {
	t.Helper()
	raw, err := gate.Encode(gate.Change{Actor: []byte(key), Seq: 1, StartOp: start, Deps: deps}, func(yield func(*gate.Op) bool) {
		yield(&gate.Op{Key: key, Action: gate.ActMakeList})
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := gate.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What is placed below a draft is as if it had been there before the draft began: the same changes, byte for byte.
func TestPlace(t *testing.T) {
	a, b := makes(t, "a", 1, nil), makes(t, "b", 1, nil)
	fill := func(s *opset.Set, draft *opset.Draft, list opset.Object, n byte) {
		inner := draft.Make(s.NewKey(opset.Root, string(rune('p'+n))), gate.ActMakeMap)
		draft.Set(s.NewKey(inner, "k"), gate.TypeTrue, nil)
		sl := draft.InsertAfter(opset.Head(list), gate.TypeString, []byte{'x' + n})
		draft.InsertAfter(sl, gate.TypeTrue, nil)
		draft.Set(sl, gate.TypeUint, []byte{n})
		draft.Delete(s.NewKey(inner, "k"))
	}
	objectAt := func(s *opset.Set, key string) opset.Object {
		item, ok := s.Now().Get(opset.Root, key)
		obj, is := s.Object(item)
		if !ok || !is {
			t.Fatalf("nothing at %s", key)
		}
		return obj
	}
	var got [2]gate.Change
	for i := range got {
		s := opset.New()
		if i == 0 { // there before
			for _, c := range []gate.Change{a, b} {
				if _, err := s.Add(c); err != nil {
					t.Fatal(err)
				}
			}
		}
		draft, err := s.Begin([]byte{9})
		if err != nil {
			t.Fatal(err)
		}
		for n, c := range []gate.Change{a, b} {
			key := string(c.Actor)
			if i == 1 {
				if err := draft.Place(s.NewKey(opset.Root, key), c, gate.ActMakeList); err != nil {
					t.Fatal(err)
				}
				item, _ := s.Now().Get(opset.Root, key)
				if p, ok := draft.Placed(item); !ok || p.Hash != c.Hash {
					t.Errorf("what was placed at %s is not known", key)
				}
			}
			fill(s, draft, objectAt(s, key), byte(n))
		}
		item, _ := s.Now().Get(opset.Root, "p")
		if _, ok := draft.Placed(item); ok || draft.Len() != 12 {
			t.Errorf("of %d operations too many are placed", draft.Len())
		}
		var some bool
		if got[i], some, err = draft.Commit(opset.Note{Time: time.Unix(1, 0)}); err != nil || !some || s.Graph().Len() != 3 {
			t.Fatalf("%v, %v, %d changes", some, err, s.Graph().Len())
		}
	}
	if !bytes.Equal(got[0].Raw, got[1].Raw) {
		t.Errorf("placed\n%x\nnot\n%x", got[1].Raw, got[0].Raw)
	}
}

// A change that the document does not take fails the commit, and a draft of nothing but placed changes is none.
func TestPlaceFails(t *testing.T) {
	s := opset.New()
	draft, err := s.Begin([]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	if err := draft.Place(s.NewKey(opset.Root, "a"), makes(t, "a", 1, []gate.Hash{{1}}), gate.ActMakeList); err != nil {
		t.Fatal(err)
	}
	if _, _, err := draft.Commit(opset.Note{}); err == nil || s.Len() != 0 {
		t.Errorf("without its past: %v, %d operations", err, s.Len())
	}
	if draft, err = s.Begin([]byte{9}); err != nil {
		t.Fatal(err)
	}
	if err := draft.Place(s.NewKey(opset.Root, "a"), makes(t, "a", 1, nil), gate.ActMakeList); err != nil {
		t.Fatal(err)
	}
	if _, some, err := draft.Commit(opset.Note{}); err != nil || some || s.Graph().Len() != 1 {
		t.Errorf("%v, %v, %d changes", some, err, s.Graph().Len())
	}
	if draft, err = s.Begin([]byte{9}); err != nil {
		t.Fatal(err)
	}
	obj := opset.Root
	for range gate.MaxDepth {
		obj = draft.Make(s.NewKey(obj, "k"), gate.ActMakeMap)
	}
	err = draft.Place(s.NewKey(obj, "a"), makes(t, "a", 1, nil), gate.ActMakeList)
	if _, ok := errors.AsType[*gate.LimitError](err); !ok {
		t.Errorf("too deep: %v", err)
	}
	draft.Discard()
}
