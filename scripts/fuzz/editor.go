package main

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/automerge/automerge-go"
)

// editor makes random edits of a document through the core's own interface. What it writes is honest by definition.
type editor struct{ *rand.Rand }

// edit makes n random edits and commits them at a time that the random numbers decide.
func (e editor) edit(d *automerge.Doc, n int) error {
	for range n {
		if err := e.one(d); err != nil {
			return err
		}
	}
	return e.commit(d)
}

func (e editor) commit(d *automerge.Doc) error {
	at := time.UnixMilli(int64(e.IntN(2e9)))
	message := ""
	if e.IntN(3) == 0 {
		message = "edit ü"
	}
	_, err := d.Commit(message, automerge.CommitOptions{Time: &at, AllowEmpty: true})
	return err
}

// one makes one edit: it walks down from the root and stops somewhere.
func (e editor) one(d *automerge.Doc) error {
	v := d.Root()
	for range 6 {
		var inner *automerge.Value
		switch v.Kind() {
		case automerge.KindMap:
			values, err := v.Map().Values()
			if err != nil {
				return err
			}
			delete(values, "") // the core reads this key and refuses to write it
			if len(values) > 0 && e.IntN(4) > 0 {
				inner = values[e.key(values)]
			}
		case automerge.KindList:
			values, err := v.List().Values()
			if err != nil {
				return err
			}
			if len(values) > 0 && e.IntN(3) > 0 {
				inner = values[e.IntN(len(values))]
			}
		}
		if inner == nil || !editable(inner.Kind()) {
			break
		}
		v = inner
	}
	switch v.Kind() {
	case automerge.KindList:
		return e.list(v.List())
	case automerge.KindText:
		t := v.Text()
		return e.splice(t)
	case automerge.KindCounter:
		return v.Counter().Inc(int64(e.IntN(9)) - 4)
	}
	return e.inMap(v.Map())
}

func editable(k automerge.Kind) bool {
	return k == automerge.KindMap || k == automerge.KindList || k == automerge.KindText || k == automerge.KindCounter
}

// key picks one of a map's keys.
func (e editor) key(values map[string]*automerge.Value) string {
	keys := slices.Sorted(maps.Keys(values))
	return keys[e.IntN(len(keys))]
}

func (e editor) inMap(m *automerge.Map) error {
	key := fmt.Sprint("k", e.IntN(8))
	if values, err := m.Values(); err == nil && len(values) > 0 && e.IntN(2) == 0 {
		key = e.key(values)
	}
	if key == "" {
		key = "k"
	}
	if e.IntN(5) == 0 {
		return m.Delete(key)
	}
	return m.Set(key, e.value())
}

func (e editor) list(l *automerge.List) error {
	n := l.Len()
	switch {
	case n > 0 && e.IntN(4) == 0:
		return l.Delete(e.IntN(n))
	case n > 0 && e.IntN(3) == 0:
		return l.Set(e.IntN(n), e.value())
	}
	return l.Insert(e.IntN(n+1), e.value())
}

func (e editor) splice(t *automerge.Text) error {
	at := e.IntN(t.Len() + 1)
	return t.Splice(at, e.IntN(min(3, t.Len()-at)+1), []string{"", "a", "bc", "ü😀", "line\n", "words of a text"}[e.IntN(6)])
}

// value is a new value of any type.
func (e editor) value() any {
	switch e.IntN(15) {
	case 0:
		return nil
	case 1:
		return e.IntN(2) == 0
	case 2:
		return []int64{0, -1, math.MaxInt64, math.MinInt64, int64(e.Uint64()) >> e.IntN(64)}[e.IntN(5)]
	case 3:
		return []uint64{0, 1, math.MaxUint64, e.Uint64() >> e.IntN(64)}[e.IntN(4)]
	case 4:
		return []float64{0, 1.5, math.NaN(), math.Inf(-1), math.Copysign(0, -1), math.MaxFloat64}[e.IntN(6)]
	case 5:
		return []byte(strings.Repeat("\xfe\x00", e.IntN(4)))
	case 6:
		return time.UnixMilli([]int64{0, -1, 1 << 45, int64(e.IntN(2e9))}[e.IntN(4)])
	case 7, 8:
		return automerge.NewCounter([]int64{0, 5, -7, math.MaxInt64}[e.IntN(4)])
	case 9:
		return automerge.NewMap()
	case 10:
		return automerge.NewList()
	case 11, 12:
		return automerge.NewText([]string{"", "text", "ü😀 text"}[e.IntN(3)])
	}
	return []string{"", "a string", "ü😀", "nul\x00"}[e.IntN(4)]
}
