package doc

import (
	"maps"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// item is what stands for an item now.
func (t *taking) item(item opset.Item) opset.Item {
	if at, ok := t.s.Find(now(t.u.items, t.s.ID(item))); ok {
		return at
	}
	return item
}

// slot is what stands for a slot now; false for an element that was not there any more when its list was copied.
func (t *taking) slot(sl opset.Slot) (opset.Slot, bool) {
	obj := t.object(sl.Obj)
	if !sl.Seq {
		return t.s.NewKey(obj, t.s.KeyOf(sl)), true
	}
	if at, ok := t.placed[sl]; ok {
		return at, true
	}
	return t.s.Element(obj, now(t.u.elems, t.s.ElementID(sl)))
}

func (t *taking) object(obj opset.Object) opset.Object {
	if obj == opset.Root {
		return obj
	}
	_, item := t.s.Made(obj)
	if at, ok := t.s.Object(t.item(item)); ok {
		return at
	}
	return obj
}

// put writes a copy of an item into a slot. An element that was removed holds a value again: it keeps its name and its place, and
// if two users bring it back there is still one of it.
func (t *taking) put(sl opset.Slot, item opset.Item) {
	draft := t.tx.draft
	if obj, ok := t.s.Object(item); ok {
		t.fill(draft.Make(sl, t.s.Kind(obj)), obj)
	} else {
		kind, b := t.scalar(item)
		draft.Set(sl, kind, b)
	}
	at, _ := t.s.Now().Item(sl)
	t.items[t.s.ID(item)] = t.s.ID(at)
}

// insert makes a copy of an element in a copy of its list, behind the nearest one before it that has a copy.
func (t *taking) insert(sl opset.Slot, item opset.Item) {
	after := opset.Head(t.object(sl.Obj))
	for e := range t.s.Preceding(sl) {
		if at, ok := t.slot(e); ok {
			after = at
			break
		}
	}
	t.placed[sl] = t.insertAfter(after, sl, item)
}

func (t *taking) insertAfter(after, sl opset.Slot, item opset.Item) opset.Slot {
	draft := t.tx.draft
	if obj, ok := t.s.Object(item); ok {
		var made opset.Object
		after, made = draft.InsertObject(after, t.s.Kind(obj))
		t.fill(made, obj)
	} else {
		kind, b := t.scalar(item)
		after = draft.InsertAfter(after, kind, b)
	}
	t.items[t.s.ID(item)] = t.s.ElementID(after)
	t.elems[t.s.ElementID(sl)] = t.s.ElementID(after)
	return after
}

// scalar is an item's value for a copy: of a counter the sum.
func (t *taking) scalar(item opset.Item) (gate.ValueType, []byte) {
	kind, b := t.s.Scalar(item)
	if kind == gate.TypeCounter {
		b = appendSleb(nil, t.without.Counter(item))
	}
	return kind, b
}

// fill copies the content of a container into a new one, as it would be now without the step.
func (t *taking) fill(made, obj opset.Object) {
	t.copied[obj] = true
	if t.s.Kind(obj) == gate.ActMakeMap {
		for sl, item := range t.without.Keys(obj) {
			t.put(t.s.NewKey(made, t.s.KeyOf(sl)), item)
		}
		return
	}
	after := opset.Head(made)
	for sl, item := range t.without.Elements(obj) {
		after = t.insertAfter(after, sl, item)
	}
}

// remember keeps what stands for what, for other steps.
func (t *taking) remember() {
	for from, to := range t.items {
		t.u.items[from], t.u.from[to] = to, from
	}
	maps.Copy(t.u.elems, t.elems)
}
