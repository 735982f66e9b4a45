package doc

import (
	"strconv"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// insertAfter makes want a new element behind another one.
func (tx *Tx) insertAfter(after opset.Slot, want value.Value) (opset.Slot, error) {
	if err := want.Err(); err != nil {
		return opset.Slot{}, err
	}
	draft, err := tx.write()
	if err != nil {
		return opset.Slot{}, err
	}
	if k := kindOfWanted(want); k != kindNone {
		sl, obj := draft.InsertObject(after, k.action())
		return sl, tx.fill(obj, want)
	}
	t, b := tx.encode(want)
	return draft.InsertAfter(after, t, b), nil
}

// insert makes want a new element of a list so that it stands at an index, at most its length.
func (tx *Tx) insert(obj opset.Object, at int, want value.Value) error {
	after := opset.Head(obj)
	if at > 0 {
		after, _ = tx.s.Now().Index(obj, at-1)
	}
	_, err := tx.insertAfter(after, want)
	return err
}

// assignList finds the elements that differ: equal ones at both ends cost a comparison only.
func (tx *Tx) assignList(pl place, want value.Value) error {
	obj, v := pl.object(tx.s), tx.s.Now()
	n, m := v.Len(obj), want.Len()
	start := 0
	for _, e := range v.Elements(obj) {
		if start == m || !tx.same(e, want.Index(start)) {
			break
		}
		start++
	}
	end := 0
	for _, e := range v.Backward(obj) {
		if end == min(n, m)-start || !tx.same(e, want.Index(m-1-end)) {
			break
		}
		end++
	}
	type elem struct {
		sl   opset.Slot
		item opset.Item
	}
	var have []elem
	if n > start+end {
		at, _ := v.Index(obj, start)
		for sl, item := range v.From(at) {
			if len(have) == n-start-end {
				break
			}
			have = append(have, elem{sl, item})
		}
	}
	after := opset.Head(obj)
	if start > 0 {
		after, _ = v.Index(obj, start-1)
	}
	equal := func(i, j int) bool { return tx.same(have[i].item, want.Index(start+j)) }
	edits := difference(len(have), m-start-end, equal)
	if n == m {
		if each := replacements(n-start-end, equal); want.Fixed() || written(each) < written(edits) {
			edits = each
		}
	}
	done := 0 // of have
	for _, e := range edits {
		if e.from > done {
			after = have[e.from-1].sl
		}
		for i := range max(e.del, e.ins) {
			switch {
			case i < min(e.del, e.ins): // changed in place: the element keeps its identity, and a container its content
				at := have[e.from+i]
				in := place{path: pl.path.child(strconv.Itoa(start + e.to + i)), parent: obj, elem: at.sl, item: at.item, has: true}
				if err := tx.assign(in, want.Index(start+e.to+i)); err != nil {
					return err
				}
				after = at.sl
			case i < e.del:
				draft, err := tx.write()
				if err != nil {
					return err
				}
				draft.Delete(have[e.from+i].sl)
			default:
				var err error
				if after, err = tx.insertAfter(after, want.Index(start+e.to+i)); err != nil {
					return err
				}
			}
		}
		done = e.from + e.del
	}
	return nil
}

func (tx *Tx) assignText(pl place, want string) error {
	have, next := []rune(tx.s.Now().Text(pl.object(tx.s))), []rune(want)
	shift := 0
	for _, e := range difference(len(have), len(next), func(i, j int) bool { return have[i] == next[j] }) {
		if err := tx.splice(pl.object(tx.s), pl.path, e.from+shift, e.del, string(next[e.to:e.to+e.ins])); err != nil {
			return err
		}
		shift += e.ins - e.del
	}
	return nil
}

// splice removes del code points at position at of a text and inserts s there. An element that holds several characters (other libraries may
// write such) is replaced as a whole, with the characters that stay.
func (tx *Tx) splice(obj opset.Object, p Pointer, at, del int, s string) error {
	v := tx.s.Now()
	n := v.Len(obj)
	if at < 0 || del < 0 || at > n || del > n-at {
		return badPath(p, "the text has %d characters; cannot remove %d at %d", n, del, at)
	}
	if del == 0 && s == "" {
		return nil
	}
	draft, err := tx.write()
	if err != nil {
		return err
	}
	first, offset, inside := v.Find(obj, at)
	if offset > 0 {
		item, _ := v.Item(first)
		s = string([]rune(string(tx.s.TextOf(item)))[:offset]) + s
		at, del = at-offset, del+offset
	}
	after := opset.Head(obj)
	if at > 0 {
		after, _ = v.Index(obj, at-1)
	}
	if inside && del > 0 {
		var doomed []opset.Slot
		for sl, item := range v.From(first) {
			if del <= 0 {
				break
			}
			text := []rune(string(tx.s.TextOf(item)))
			if len(text) > del {
				s += string(text[del:])
			}
			del -= len(text)
			doomed = append(doomed, sl)
		}
		for _, sl := range doomed {
			draft.Delete(sl)
		}
	}
	tx.insertText(after, s)
	return nil
}

// insertText puts characters behind an element of a text.
func (tx *Tx) insertText(after opset.Slot, s string) {
	for i, r := range s {
		after = tx.draft.InsertAfter(after, gate.TypeString, []byte(s[i:i+runeLen(r)]))
	}
}
