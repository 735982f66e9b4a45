package doc

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
	"tombolo/doc/value"
)

func kindOfWanted(v value.Value) kind {
	switch v.Kind() {
	case value.Map:
		return kindMap
	case value.List:
		return kindList
	case value.TextKind:
		return kindText
	}
	return kindNone
}

// prepare creates the containers that want has at fixed paths and the document does not, each by its deterministic change, and the map
// of removed ones if want will remove some: places found before it are void afterwards.
func (tx *Tx) prepare(pl place, want value.Value) error {
	k := kindOfWanted(want)
	if !pl.fixed || k == kindNone || tx.unchanged(pl, want) {
		return nil
	}
	if !pl.has {
		made, err := tx.ensure(pl.path, k)
		if err != nil || !made {
			return err // not made: assign writes it in the ordinary way, and what is in it
		}
		if pl, err = tx.placeInside(pl.path); err != nil {
			return err
		}
	}
	if pl.kind(tx.s) != k || k != kindMap {
		return nil // it will be replaced, or was made in a map that another one replaced
	}
	if err := tx.prepareRemovals(pl, want); err != nil {
		return err
	}
	for key, w := range want.Fields {
		if kindOfWanted(w) == kindNone {
			continue
		}
		obj := pl.object(tx.s) // found anew each time: ensure renumbers what the draft made
		item, has := tx.s.Now().Get(obj, key)
		in := place{path: pl.path.child(key), fixed: true, parent: obj, key: key, item: item, has: has}
		if err := tx.prepare(in, w); err != nil {
			return err
		}
		var err error
		if pl, err = tx.placeInside(pl.path); err != nil {
			return err
		}
	}
	return nil
}

// placeInside is place for a path that exists and may lead through what is hidden.
func (tx *Tx) placeInside(p Pointer) (place, error) {
	return reader{s: tx.s, v: tx.s.Now()}.place(p)
}

// prepareRemovals makes the marks of removed containers if assigning want to the map at a place will need them.
func (tx *Tx) prepareRemovals(pl place, want value.Value) error {
	for _, in := range tx.children(pl) {
		if !tx.clears(in) {
			continue
		}
		stays := want.Partial()
		for key, w := range want.Fields {
			if key == in.key {
				stays = w.Kind() != value.Absent
			}
		}
		if !stays {
			return tx.makeGone()
		}
	}
	return nil
}

// unchanged says whether writing want to a place would change nothing. It costs a comparison and no memory.
func (tx *Tx) unchanged(pl place, want value.Value) bool {
	if len(tx.reader().gone) > 0 && pl.fixed {
		return false // what is hidden is not what it seems
	}
	if pl.root() {
		return tx.sameMap(opset.Root, want)
	}
	return pl.has && tx.same(pl.item, want)
}

// same says whether an item already is what writing want over it would make.
func (tx *Tx) same(item opset.Item, want value.Value) bool {
	v := tx.s.Now()
	obj, ok := tx.s.Object(item)
	if !ok {
		return tx.sameScalar(item, want)
	}
	switch k := kindOf(tx.s.Kind(obj)); {
	case k == kindMap && want.Kind() == value.Map:
		return tx.sameMap(obj, want)
	case k == kindList && want.Kind() == value.List:
		if v.Len(obj) != want.Len() {
			return false
		}
		i := 0
		for _, e := range v.Elements(obj) {
			if !tx.same(e, want.Index(i)) {
				return false
			}
			i++
		}
		return true
	case k == kindText && (want.Kind() == value.TextKind || want.Kind() == value.String && !tx.exact):
		rest := want.Str()
		for _, e := range v.Elements(obj) {
			b := tx.s.TextOf(e)
			if len(rest) < len(b) || rest[:len(b)] != string(b) {
				return false
			}
			rest = rest[len(b):]
		}
		return rest == ""
	}
	return false
}

func (tx *Tx) sameMap(obj opset.Object, want value.Value) bool {
	if want.Kind() != value.Map {
		return false
	}
	v, n := tx.s.Now(), 0
	for key, w := range want.Fields {
		item, has := v.Get(obj, key)
		if has != (w.Kind() != value.Absent) || has && !tx.same(item, w) {
			return false
		}
		n++
	}
	if want.Partial() {
		return true
	}
	if obj == opset.Root {
		if _, ok := v.Get(obj, marksKey); ok {
			n++
		}
	}
	return v.Len(obj) == n
}

func (tx *Tx) sameScalar(item opset.Item, want value.Value) bool {
	t, b := tx.s.Scalar(item)
	switch want.Kind() {
	case value.Null:
		return t == gate.TypeNull
	case value.Bool:
		return t == gate.TypeTrue && want.Bool() || t == gate.TypeFalse && !want.Bool()
	case value.Int:
		switch t {
		case gate.TypeInt:
			return tx.s.Int(item) == want.Int()
		case gate.TypeUint:
			return want.Int() >= 0 && tx.s.Uint(item) == uint64(want.Int())
		case gate.TypeCounter:
			return !tx.exact && tx.s.Now().Counter(item) == want.Int()
		}
	case value.Uint:
		switch n := want.Uint(); t {
		case gate.TypeUint:
			return tx.s.Uint(item) == n
		case gate.TypeInt:
			return n <= math.MaxInt64 && tx.s.Int(item) == int64(n)
		case gate.TypeCounter:
			return !tx.exact && n <= math.MaxInt64 && tx.s.Now().Counter(item) == int64(n)
		}
	case value.Float:
		return t == gate.TypeFloat && math.Float64bits(tx.s.Float(item)) == math.Float64bits(want.Float())
	case value.String:
		return t == gate.TypeString && string(b) == want.Str()
	case value.Bytes:
		return t == gate.TypeBytes && string(b) == string(want.Bytes())
	case value.Time:
		return t == gate.TypeTime && tx.s.Int(item) == want.Time().UnixMilli()
	case value.CounterKind:
		return t == gate.TypeCounter && tx.s.Now().Counter(item) == want.Int()
	}
	return false
}

// kindAt is the kind of the scalar at a place; value.Absent where there is none.
func (tx *Tx) kindAt(pl place) value.Kind {
	if !pl.has || pl.kind(tx.s) != kindNone {
		return value.Absent
	}
	t, _ := tx.s.Scalar(pl.item)
	return scalarKinds[t]
}

// assign makes want, which is not absent, the value at a place, by the least difference to what is there.
func (tx *Tx) assign(pl place, want value.Value) error {
	have := pl.kind(tx.s)
	switch want.Kind() {
	case value.Map:
		if have == kindMap {
			return tx.assignMap(pl, want)
		}
	case value.List:
		if have == kindList {
			return tx.assignList(pl, want)
		}
	case value.TextKind:
		if have == kindText {
			return tx.assignText(pl, want.Str())
		}
	case value.String:
		if have == kindText && !pl.hidden && !tx.exact {
			return tx.assignText(pl, want.Str())
		}
	case value.CounterKind, value.Int:
		if tx.kindAt(pl) == value.CounterKind && (want.Kind() == value.CounterKind || !tx.exact) {
			return tx.assignCounter(pl, want.Int())
		}
	case value.Uint:
		if tx.kindAt(pl) == value.CounterKind && want.Uint() <= math.MaxInt64 && !tx.exact {
			return tx.assignCounter(pl, int64(want.Uint()))
		}
	}
	if pl.has && have == kindNone && tx.sameScalar(pl.item, want) {
		return nil
	}
	if err := tx.revealBelow(pl, want); err != nil {
		return err
	}
	return tx.put(pl.slot(tx.s), want)
}

// revealBelow forgets the marks of what a map at this place held before: they would hide what is empty in the new one.
func (tx *Tx) revealBelow(pl place, want value.Value) error {
	if !pl.fixed || want.Kind() != value.Map {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(tx.reader().gone)) {
		p, err := ParsePointer(key)
		if err != nil || len(p) <= len(pl.path) || !slices.Equal(p[:len(pl.path)], pl.path) {
			continue // another device may have written anything there
		}
		if err := tx.setGone(p, false); err != nil {
			return err
		}
	}
	return nil
}

// put writes want, new, into a slot: a container empty and then its content, map keys in ascending order.
func (tx *Tx) put(sl opset.Slot, want value.Value) error {
	if err := want.Err(); err != nil {
		return err // a hook that answers otherwise than when it was checked
	}
	draft, err := tx.write()
	if err != nil {
		return err
	}
	if k := kindOfWanted(want); k != kindNone {
		return tx.fill(draft.Make(sl, k.action()), want)
	}
	t, b := tx.encode(want)
	draft.Set(sl, t, b)
	return nil
}

// fill writes the content of a new container.
func (tx *Tx) fill(obj opset.Object, want value.Value) error {
	switch want.Kind() {
	case value.Map:
		for key, w := range want.Fields {
			if w.Kind() == value.Absent {
				continue
			}
			if err := tx.put(tx.s.NewKey(obj, key), w); err != nil {
				return err
			}
		}
	case value.List:
		after := opset.Head(obj)
		for i := range want.Len() {
			var err error
			if after, err = tx.insertAfter(after, want.Index(i)); err != nil {
				return err
			}
		}
	case value.TextKind:
		tx.insertText(opset.Head(obj), want.Str())
	}
	return nil
}

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

func (tx *Tx) assignMap(pl place, want value.Value) error {
	obj, v := pl.object(tx.s), tx.s.Now()
	r := tx.reader()
	if !want.Partial() {
		if err := tx.takeOthers(pl, want); err != nil {
			return err
		}
	}
	for key, w := range want.Fields {
		item, has := v.Get(obj, key)
		switch {
		case len(r.gone) > 0 && pl.fixed: // what is hidden is not what it seems
		case has && tx.same(item, w), !has && w.Kind() == value.Absent:
			continue
		}
		in := place{path: pl.path.child(key), fixed: pl.fixed, parent: obj, key: key, item: item, has: has}
		in.hidden = r.hides(in)
		if w.Kind() == value.Absent {
			if in.has && !in.hidden {
				if err := tx.take(in); err != nil {
					return err
				}
			}
			continue
		}
		if in.fixed && r.isGone(in.path) {
			if err := tx.setGone(in.path, false); err != nil {
				return err
			}
		}
		if err := tx.assign(in, w); err != nil {
			return err
		}
	}
	return nil
}

// takeOthers removes what a map holds and want has not.
func (tx *Tx) takeOthers(pl place, want value.Value) error {
	keep, n := 0, tx.s.Now().Len(pl.object(tx.s))
	for key := range want.Fields {
		if _, ok := tx.s.Now().Get(pl.object(tx.s), key); ok {
			keep++
		}
	}
	if keep == n {
		return nil // the usual case, without a list of all keys
	}
	kept := map[string]bool{}
	for key := range want.Fields {
		kept[key] = true
	}
	for _, in := range tx.children(pl) {
		if kept[in.key] || tx.reader().hides(in) {
			continue // hidden: removed before
		}
		if err := tx.take(in); err != nil {
			return err
		}
	}
	return nil
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
	done := 0 // of have
	for _, e := range difference(len(have), m-start-end, func(i, j int) bool { return tx.same(have[i].item, want.Index(start+j)) }) {
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

func (tx *Tx) assignCounter(pl place, want int64) error {
	have := tx.s.Now().Counter(pl.item)
	if have == want {
		return nil
	}
	return tx.increment(pl.slot(tx.s), want-have)
}

func (tx *Tx) increment(sl opset.Slot, by int64) error {
	draft, err := tx.write()
	if err != nil {
		return err
	}
	draft.Increment(sl, appendSleb(nil, by))
	return nil
}
