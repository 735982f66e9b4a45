package opset_test

import (
	"slices"
	"testing"
	"time"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// write makes one local change.
func write(t *testing.T, s *opset.Set, actor, message string, fn func(d *opset.Draft)) gate.Change {
	t.Helper()
	d, err := s.Begin([]byte(actor))
	if err != nil {
		t.Fatal(err)
	}
	fn(d)
	c, _, err := d.Commit(opset.Note{Message: message, Time: time.Unix(7, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestInfoAndOperations(t *testing.T) {
	s := opset.New()
	var text opset.Object
	write(t, s, "a", "one", func(d *opset.Draft) {
		text = d.Make(s.NewKey(opset.Root, "t"), gate.ActMakeText)
		d.Set(s.NewKey(opset.Root, "n"), gate.TypeCounter, []byte{1})
	})
	write(t, s, "b", "two", func(d *opset.Draft) {
		e := d.InsertAfter(opset.Head(text), gate.TypeString, []byte("x"))
		d.InsertAfter(e, gate.TypeString, []byte("y"))
		d.Delete(e)
		d.Increment(s.NewKey(opset.Root, "n"), []byte{0x7e}) // -2
	})
	write(t, s, "a", "", func(d *opset.Draft) { d.Set(s.NewKey(opset.Root, "n"), gate.TypeNull, nil) })
	for pos, want := range []opset.Info{
		{Actor: "a", Seq: 1, Time: 7, Message: "one", Ops: 2}, {Actor: "b", Seq: 1, Time: 7, Message: "two", Ops: 4}, {Actor: "a", Seq: 2, Time: 7, Ops: 1},
	} {
		if got := s.Info(pos); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	ops := slices.Collect(s.Operations(1))
	if len(ops) != 4 || ops[2].Slot != ops[0].Slot || ops[2].Value() || !ops[1].Value() || ops[3].By != -2 {
		t.Fatalf("%+v", ops)
	}
	n, _ := s.Key(opset.Root, "n")
	number := s.Replaced(ops[3].Item)
	if len(number) != 1 || !slices.Equal(slices.Collect(s.Replacing(number[0])), []int{2}) {
		t.Errorf("the counter %v is replaced by %v", number, slices.Collect(s.Replacing(number[0])))
	}
	if before := slices.Collect(s.Preceding(ops[1].Slot)); !slices.Equal(before, []opset.Slot{ops[0].Slot}) || s.Inserted(before[0]) != ops[0].Item {
		t.Errorf("before y stands %v", before)
	}
	v := s.Without([]int{2})
	if item, ok := v.Item(n); !ok || v.Counter(item) != -1 {
		t.Error("without the last change the counter should be there")
	}
	if v = s.Without([]int{1}); v.Text(text) != "" {
		t.Errorf("without its change the text says %q", v.Text(text))
	}
	if item, ok := s.Find(s.ID(ops[1].Item)); !ok || item != ops[1].Item {
		t.Error("an item is not found by its ID")
	}
	for _, id := range []opset.ID{{}, {Counter: 1, Actor: "c"}, {Counter: 99, Actor: "a"}, s.ID(ops[2].Item)} {
		if _, ok := s.Find(id); ok {
			t.Errorf("%v names a value", id)
		}
	}
}

func TestWithdrawAndConflicted(t *testing.T) {
	a, b := opset.New(), opset.New()
	key := a.NewKey(opset.Root, "k")
	one := write(t, a, "a", "", func(d *opset.Draft) { d.Set(key, gate.TypeTrue, nil) })
	write(t, b, "b", "", func(d *opset.Draft) { d.Set(b.NewKey(opset.Root, "k"), gate.TypeFalse, nil) })
	if _, err := b.Add(one); err != nil {
		t.Fatal(err)
	}
	key, _ = b.Key(opset.Root, "k")
	if got := slices.Collect(b.Conflicted()); !slices.Equal(got, []opset.Slot{key}) {
		t.Fatalf("conflicts at %v", got)
	}
	items := b.Now().Conflicts(key)
	write(t, b, "b", "", func(d *opset.Draft) { d.Withdraw(key, items[1:]) })
	if got := b.Now().Conflicts(key); !slices.Equal(got, items[:1]) {
		t.Errorf("left are %v of %v", got, items)
	}
	if len(slices.Collect(b.Conflicted())) != 0 {
		t.Error("the conflict is settled")
	}
}
