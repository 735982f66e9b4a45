package opset_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// drafts edits a set at random: maps, lists, texts and counters in each other, with a change at the end.
func drafts(rt *rapid.T, s *opset.Set, actor byte, seconds int64) (gate.Change, bool) {
	draft, err := s.Begin([]byte{actor})
	if err != nil {
		rt.Fatal(err)
	}
	for range rapid.IntRange(1, 4).Draw(rt, "operations") {
		obj := opset.Root
		for range rapid.IntRange(0, 3).Draw(rt, "depth") {
			var inner []opset.Object
			for _, sl := range slotsIn(s, obj) {
				if item, ok := s.Now().Item(sl); ok {
					if o, is := s.Object(item); is {
						inner = append(inner, o)
					}
				}
			}
			if len(inner) > 0 {
				obj = rapid.SampledFrom(inner).Draw(rt, "object")
			}
		}
		kind := rapid.SampledFrom([]gate.Action{gate.ActMakeMap, gate.ActMakeList, gate.ActMakeText}).Draw(rt, "kind")
		var sl opset.Slot
		if s.Kind(obj) == gate.ActMakeMap {
			sl = s.NewKey(obj, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "key"))
		} else if there := slotsIn(s, obj); len(there) > 0 && rapid.Bool().Draw(rt, "old") {
			sl = rapid.SampledFrom(there).Draw(rt, "element")
		} else {
			sl = draft.InsertAfter(opset.Head(obj), gate.TypeString, []byte("x"))
		}
		switch rapid.IntRange(0, 4).Draw(rt, "op") {
		case 0:
			draft.Delete(sl)
		case 1:
			draft.Set(sl, gate.TypeCounter, []byte{3})
		case 2:
			draft.Increment(sl, []byte{1})
		case 3:
			draft.Set(sl, gate.TypeTrue, nil)
		default:
			draft.Make(sl, kind)
		}
	}
	c, some, err := draft.Commit(opset.Note{Time: time.Unix(seconds, 0)})
	if err != nil {
		rt.Fatal(err)
	}
	return c, some
}

func slotsIn(s *opset.Set, obj opset.Object) []opset.Slot {
	if s.Kind(obj) == gate.ActMakeMap {
		return slices.Collect(maps.Keys(maps.Collect(s.Now().Keys(obj))))
	}
	return slices.Collect(maps.Keys(maps.Collect(s.Now().Elements(obj))))
}

// Writes finds exactly the operations that acted in a container and in what it holds, each with its change.
func TestWrites(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sets, sent := []*opset.Set{opset.New(), opset.New()}, [2]int{}
		changes := [2][]gate.Change{}
		for i := range rapid.IntRange(1, 8).Draw(rt, "changes") {
			n := rapid.IntRange(0, 1).Draw(rt, "device")
			if c, some := drafts(rt, sets[n], byte(n+1), int64(i)); some {
				changes[n] = append(changes[n], c)
			}
			if rapid.Bool().Draw(rt, "merge") {
				for from := range sets {
					for ; sent[from] < len(changes[from]); sent[from]++ {
						if _, err := sets[1-from].Add(changes[from][sent[from]]); err != nil {
							rt.Fatal(err)
						}
					}
				}
			}
		}
		s := sets[0]
		n := s.Graph().Len()
		for _, v := range []opset.View{s.Now(), s.Before(rapid.IntRange(0, n).Draw(rt, "before"))} {
			for _, obj := range objectsOf(s) {
				got := map[opset.ID]string{}
				for w := range v.Writes(obj) {
					got[w.ID] = fmt.Sprint(w.Slot, w.Change)
				}
				if want := writesByHand(s, v, obj, n); !maps.Equal(got, want) {
					rt.Fatalf("object %d has\n%v, want\n%v", obj, got, want)
				}
			}
		}
		for range s.Now().Writes(opset.Root) {
			break
		}
	})
}

func objectsOf(s *opset.Set) []opset.Object {
	out := []opset.Object{opset.Root}
	for i := 0; i < len(out); i++ {
		for _, sl := range slotsIn(s, out[i]) {
			if item, ok := s.Now().Item(sl); ok {
				if o, is := s.Object(item); is {
					out = append(out, o)
				}
			}
		}
	}
	return out
}

// writesByHand looks at every operation there is.
func writesByHand(s *opset.Set, v opset.View, obj opset.Object, changes int) map[opset.ID]string {
	out := map[opset.ID]string{}
	if obj != opset.Root {
		sl, item := s.Made(obj)
		out[s.ID(item)] = fmt.Sprint(sl, s.ChangeOf(item))
	}
	for c := range changes {
		touched := slices.Collect(s.Touched(c))
		for i, sl := range touched {
			id := opset.ID{Counter: s.LastOp(c) - uint32(len(touched)-1-i), Actor: s.Graph().ActorID(s.Graph().Actor(c))}
			for at := sl.Obj; v.Has(c); {
				if at == obj {
					out[id] = fmt.Sprint(sl, c)
				}
				if at == opset.Root || at == obj {
					break
				}
				place, item := s.Made(at)
				if !slices.Contains(v.Conflicts(place), item) {
					break // it was replaced
				}
				at = place.Obj
			}
		}
	}
	return out
}
