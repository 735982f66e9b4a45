package doc

import (
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"

	"github.com/automerge/automerge-go"
)

func kindOfGo(v any) kind {
	switch v.(type) {
	case map[string]any:
		return kindMap
	case []any:
		return kindList
	case Text:
		return kindText
	}
	return kindNone
}

// prepare creates the containers that v has at fixed paths and the document does not, each by its deterministic change, and the map
// of removed ones if v will remove some, before the first write of v: a write and the creation of what it writes into cannot share
// a change.
func (tx *Tx) prepare(pl place, v any) error {
	k := kindOfGo(v)
	if !pl.fixed || k == kindNone {
		return nil
	}
	if pl.now.Kind() == automerge.KindVoid {
		made, err := tx.ensure(pl.path, k)
		if err != nil || !made {
			return err // not made: assign writes it in the ordinary way, and what is in it
		}
		if pl.now, err = pl.m.Get(pl.key); err != nil {
			return err
		}
	}
	if kindOf(pl.now) != k {
		return nil // it will be replaced, or was made in a map that another one replaced
	}
	want, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	m := pl.now.Map()
	values, err := m.Values()
	if err != nil {
		return err
	}
	for key, now := range values {
		_, keep := want[key]
		if keep || (len(pl.path) == 0 && key == marksKey) || !tx.clears(place{fixed: true, now: now}) {
			continue
		}
		if err := tx.makeGone(); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if kindOfGo(want[key]) == kindNone {
			continue
		}
		now := values[key]
		if now == nil {
			if now, err = m.Get(key); err != nil {
				return err
			}
		}
		if err := tx.prepare(place{path: pl.path.child(key), fixed: true, m: m, key: key, now: now}, want[key]); err != nil {
			return err
		}
	}
	return nil
}

// assign makes v the value at a place, by the least difference to what is there.
func (tx *Tx) assign(pl place, v any) error {
	switch v := v.(type) {
	case map[string]any:
		if pl.now.Kind() == automerge.KindMap {
			return tx.assignMap(pl.now.Map(), pl.path, pl.fixed, v)
		}
	case []any:
		if pl.now.Kind() == automerge.KindList {
			return tx.assignList(pl.now.List(), pl.path, v)
		}
	case Text:
		if pl.now.Kind() == automerge.KindText {
			return tx.assignText(pl.now, pl.path, string(v))
		}
	case string:
		if pl.now.Kind() == automerge.KindText && !pl.hidden {
			return tx.assignText(pl.now, pl.path, v)
		}
	case Counter:
		if pl.now.Kind() == automerge.KindCounter {
			return tx.assignCounter(pl.now, int64(v))
		}
	case int64:
		if pl.now.Kind() == automerge.KindCounter {
			return tx.assignCounter(pl.now, v)
		}
	case uint64:
		if pl.now.Kind() == automerge.KindCounter && v <= math.MaxInt64 {
			return tx.assignCounter(pl.now, int64(v))
		}
	}
	put := func(x any) error { return pl.m.Set(pl.key, x) }
	if pl.l != nil {
		put = func(x any) error { return pl.l.Set(pl.idx, x) }
	}
	if kindOf(pl.now) == kindNone && pl.now.Kind() != automerge.KindVoid {
		now, err := scalar(pl.now)
		if err != nil {
			return err
		}
		if Equal(now, v) {
			return nil
		}
		if f, ok := now.(float64); ok && f == 0 && v == any(-f) { // the core takes 0.0 and -0.0 for one value and would not write
			tx.write()
			if err := put(nil); err != nil {
				return err
			}
		}
	}
	if err := tx.revealBelow(pl, v); err != nil {
		return err
	}
	tx.write()
	return fill(v, put)
}

// revealBelow forgets the marks of what a map at this place held before: they would hide what is empty in the new one.
func (tx *Tx) revealBelow(pl place, v any) error {
	r, err := tx.reader()
	if err != nil || !pl.fixed || kindOfGo(v) != kindMap {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(r.gone)) {
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

// fill writes v, new, through put: a scalar as it is; a container empty and then its content, map keys in sorted order, since the
// order of a Go map must never decide bytes.
func fill(v any, put func(any) error) error {
	switch v := v.(type) {
	case map[string]any:
		m := automerge.NewMap()
		if err := put(m); err != nil {
			return err
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if err := fill(v[k], func(x any) error { return m.Set(k, x) }); err != nil {
				return err
			}
		}
		return nil
	case []any:
		l := automerge.NewList()
		if err := put(l); err != nil {
			return err
		}
		for _, e := range v {
			if err := fill(e, func(x any) error { return l.Append(x) }); err != nil {
				return err
			}
		}
		return nil
	case Text:
		t := automerge.NewText(string(v))
		err := put(t)
		runtime.KeepAlive(t)
		return err
	case Counter:
		return put(automerge.NewCounter(int64(v)))
	}
	return put(v)
}

func (tx *Tx) assignMap(m *automerge.Map, p Pointer, fixed bool, want map[string]any) error {
	values, err := m.Values()
	if err != nil {
		return err
	}
	r, err := tx.reader()
	if err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(values)) {
		if _, keep := want[k]; keep || (len(p) == 0 && k == marksKey) {
			continue
		}
		pl := place{path: p.child(k), fixed: fixed, m: m, key: k, now: values[k]}
		if hidden, err := r.hides(pl); err != nil || hidden {
			if err != nil {
				return err
			}
			continue // removed before
		}
		if err := tx.take(pl); err != nil {
			return err
		}
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		pl := place{path: p.child(k), fixed: fixed, m: m, key: k, now: values[k]}
		if pl.now == nil {
			if pl.now, err = m.Get(k); err != nil {
				return err
			}
		}
		if pl.hidden, err = r.hides(pl); err != nil {
			return err
		}
		if fixed && r.isGone(pl.path) {
			if err := tx.setGone(pl.path, false); err != nil {
				return err
			}
		}
		if err := tx.assign(pl, want[k]); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) assignList(l *automerge.List, p Pointer, want []any) error {
	values, err := l.Values()
	if err != nil {
		return err
	}
	r, err := tx.reader()
	if err != nil {
		return err
	}
	have := make([]any, len(values))
	for i, v := range values {
		if have[i], _, err = r.value(v, p, false); err != nil {
			return err
		}
	}
	shift := 0 // how much longer the list has become so far
	for _, e := range difference(len(have), len(want), func(i, j int) bool { return same(have[i], want[j]) }) {
		n := min(e.del, e.ins)
		for i := range n { // changed in place: the element keeps its identity, and a container its content
			at := e.from + i + shift
			now, err := l.Get(at)
			if err != nil {
				return err
			}
			if err := tx.assign(place{path: p.child(fmt.Sprint(at)), l: l, idx: at, now: now}, want[e.to+i]); err != nil {
				return err
			}
		}
		for range e.del - n {
			tx.write()
			if err := l.Delete(e.from + n + shift); err != nil {
				return err
			}
		}
		for i := n; i < e.ins; i++ {
			if err := tx.insert(l, e.from+i+shift, want[e.to+i]); err != nil {
				return err
			}
		}
		shift += e.ins - e.del
	}
	return nil
}

// same says whether writing want over have would change nothing.
func same(have, want any) bool {
	switch h := have.(type) {
	case Text:
		if s, ok := want.(string); ok {
			return string(h) == s
		}
	case Counter:
		switch n := want.(type) {
		case int64:
			return int64(h) == n
		case uint64:
			return n <= math.MaxInt64 && int64(h) == int64(n)
		}
	case []any:
		w, ok := want.([]any)
		return ok && slices.EqualFunc(h, w, same)
	case map[string]any:
		w, ok := want.(map[string]any)
		if !ok || len(h) != len(w) {
			return false
		}
		for k := range h {
			if x, ok := w[k]; !ok || !same(h[k], x) {
				return false
			}
		}
		return true
	}
	return Equal(have, want)
}

func (tx *Tx) insert(l *automerge.List, at int, v any) error {
	tx.write()
	return fill(v, func(x any) error { return l.Insert(at, x) })
}

func (tx *Tx) assignText(now *automerge.Value, p Pointer, want string) error {
	s, err := textOf(now)
	if err != nil {
		return err
	}
	have, next := []rune(s), []rune(want)
	shift := 0
	for _, e := range difference(len(have), len(next), func(i, j int) bool { return have[i] == next[j] }) {
		if err := tx.splice(now.Text(), p, e.from+shift, e.del, string(next[e.to:e.to+e.ins])); err != nil {
			return err
		}
		shift += e.ins - e.del
	}
	return nil
}

// splice removes del code points at position at and inserts s there.
func (tx *Tx) splice(t *automerge.Text, p Pointer, at, del int, s string) error {
	n := t.Len()
	if at < 0 || del < 0 || at > n || del > n-at {
		return badPath(p, "the text has %d characters; cannot remove %d at %d", n, del, at)
	}
	if del == 0 && s == "" {
		return nil
	}
	tx.write()
	err := t.Splice(at, del, s)
	runtime.KeepAlive(t)
	return err
}

func (tx *Tx) assignCounter(now *automerge.Value, want int64) error {
	c := now.Counter()
	have, err := c.Get()
	if err != nil || have == want {
		return err
	}
	tx.write()
	return c.Inc(want - have)
}
