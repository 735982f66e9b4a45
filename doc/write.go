package doc

import (
	"maps"
	"math"
	"slices"

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
	if !pl.fixed || k == kindNone || want.Fixed() || tx.unchanged(pl, want) {
		return nil // two devices that fill one array apart would double it
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
	obj, v, named := pl.object(tx.s), tx.s.Now(), 0
	for key, w := range want.Fields {
		item, has := v.Get(obj, key)
		if !has {
			continue
		}
		if named++; w.Kind() == value.Absent && tx.clears(place{path: pl.path.child(key), fixed: pl.fixed, item: item, has: true}) {
			return tx.makeGone()
		}
	}
	if want.Partial() || named == v.Len(obj) {
		return nil // the usual case, without a list of all keys
	}
	stays := map[string]bool{}
	for key := range want.Fields {
		stays[key] = true
	}
	for _, in := range tx.children(pl) {
		if !stays[in.key] && tx.clears(in) {
			return tx.makeGone()
		}
	}
	return nil
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
		if have == kindList && (!want.Fixed() || tx.s.Now().Len(pl.object(tx.s)) == want.Len()) {
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
	for _, key := range slices.Sorted(maps.Keys(goneOf(tx.s.Now()))) {
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
		case r.hiding() && pl.fixed: // what is hidden is not what it seems
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
