package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/automerge/automerge-go"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// draft edits the document as our own writer would. The core must take that change and show the same, and a draft that is discarded
// must leave nothing.
func (t *trial) draft(a *admission, d *automerge.Doc) *fault {
	f := forger{t.rng}
	before := a.value()
	draft, err := a.set.Begin([]byte("our own writer"))
	if err != nil {
		return faultf(refused, "begin a draft: %v", err)
	}
	for range 1 + f.IntN(5) {
		f.write(a.set, draft)
	}
	if f.chance(4) {
		draft.Discard()
		if after := a.value(); !bytes.Equal(after, before) {
			return faultf(differs, "a discarded draft left a trace: %s", apart(before, after))
		}
		return nil
	}
	made, wrote, err := draft.Commit(opset.Note{Message: "our own", Author: choose(f, nil, []byte("an author")), Time: time.Unix(int64(f.IntN(2e9)), 0)})
	if err != nil {
		return faultf(refused, "commit a draft: %v", err)
	}
	if !wrote {
		return nil
	}
	if parsed, err := gate.Parse(made.Raw); err != nil || parsed.Hash != made.Hash {
		return faultf(refused, "our own change (%v)\n%s", err, tell(made.Raw))
	}
	want, heads := a.value(), a.set.Graph().Heads()
	if err := applied(d, made.Raw); err != nil {
		return faultf(unapplied, "our own change: %v\n%s", err, tell(made.Raw))
	}
	bad := same(d, want, heads, unapplied)
	if bad == nil {
		_, bad = reload(d, want, heads)
	}
	if bad == nil {
		bad = t.again(a, made)
	}
	if bad != nil {
		bad.detail += fmt.Sprintf("\nafter our own change\n%s", tell(made.Raw))
	}
	return bad
}

// again takes our own change back and admits it like one from outside, now and then.
func (t *trial) again(a *admission, made gate.Change) *fault {
	if t.rng.IntN(4) > 0 {
		return nil
	}
	want := a.value()
	a.set.Truncate(a.len() - 1)
	if _, err := a.add(made.Raw); err != nil && !errors.Is(err, gate.ErrKnown) {
		return faultf(refused, "our own change from outside: %v", err)
	}
	if have := a.value(); !bytes.Equal(want, have) {
		return faultf(differs, "our own change from outside: %s", apart(want, have))
	}
	return nil
}

// write makes one edit in a draft: it walks down from the root and stops somewhere.
func (f forger) write(s *opset.Set, draft *opset.Draft) {
	obj := opset.Root
	for {
		v := s.Now()
		var slots []opset.Slot
		var items []opset.Item
		each := v.Elements(obj)
		if s.Kind(obj) == gate.ActMakeMap {
			each = v.Keys(obj)
		}
		for sl, item := range each {
			slots, items = append(slots, sl), append(items, item)
		}
		if len(slots) == 0 {
			f.add(s, draft, obj, opset.Head(obj))
			return
		}
		i := f.IntN(len(slots))
		if inner, ok := s.Object(items[i]); ok && !f.chance(4) {
			obj = inner
			continue
		}
		switch f.IntN(4) {
		case 0:
			draft.Delete(slots[i])
		case 1:
			if !draft.Increment(slots[i], f.number(typeInt)) {
				f.set(draft, slots[i], s.Kind(obj))
			}
		case 2:
			f.set(draft, slots[i], s.Kind(obj))
		default:
			f.add(s, draft, obj, choose(f, slots[i], opset.Head(obj)))
		}
		return
	}
}

// set puts a new value into a slot.
func (f forger) set(draft *opset.Draft, sl opset.Slot, in gate.Action) {
	if in != gate.ActMakeText && f.chance(3) {
		draft.Make(sl, choose(f, gate.ActMakeMap, gate.ActMakeList, gate.ActMakeText))
		return
	}
	t, value := f.own(in)
	draft.Set(sl, t, value)
}

// add makes a new key of a map, or an element of a sequence behind another.
func (f forger) add(s *opset.Set, draft *opset.Draft, obj opset.Object, after opset.Slot) {
	kind := s.Kind(obj)
	switch {
	case kind == gate.ActMakeMap:
		f.set(draft, s.NewKey(obj, fmt.Sprint("k", f.IntN(9))), kind)
	case kind == gate.ActMakeList && f.chance(3):
		draft.InsertObject(after, choose(f, gate.ActMakeMap, gate.ActMakeList, gate.ActMakeText))
	default:
		t, value := f.own(kind)
		draft.InsertAfter(after, t, value)
	}
}

// own is a value as we write it: of any type, in a text a string.
func (f forger) own(in gate.Action) (gate.ValueType, []byte) {
	var o op
	f.scalar(&o)
	if in == gate.ActMakeText {
		o.kind, o.value = typeString, []byte(choose(f, "a", "é", "😀", "two"))
	}
	return gate.ValueType(o.kind), o.value
}
