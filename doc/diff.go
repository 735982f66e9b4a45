package doc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
	"tombolo/doc/value"
)

// Diff is what a reader of the version from must change to have the version to, as patches to the whole document's value ([Doc.Get] of ""): local
// and remote changes alike, no marks, and a removed container comes and goes as a whole. A container that is new at its place is one patch with
// its whole value. The patches are in order of keys and indexes.
//
// It costs the changes that one of the versions lacks of the document now, and reading what was added or removed, however large the document is. Heads
// that the document does not know are [ErrUnknownChange].
func (d *Doc) Diff(from, to []Hash) ([]Patch, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.open()
	if err != nil {
		return nil, err
	}
	for _, heads := range [][]Hash{from, to} {
		if missing := s.Graph().Missing(heads); len(missing) > 0 {
			return nil, fmt.Errorf("%w: %w; compare versions it has, or get its changes first", ErrUnknownChange, &gate.MissingError{Missing: missing})
		}
	}
	return diff(s.Compare(s.Graph().Since(from), s.Graph().Since(to))), nil
}

// PatchesSince is what the changes from position n on, in the order in which they were added, did to the document's value: [Doc.Diff] from when [Doc.Len]
// was n to now. It costs those changes. next is the length now, which the next call takes: a caller that keeps a value up to date this way misses
// nothing and gets nothing twice, whoever edits meanwhile.
func (d *Doc) PatchesSince(n int) (patches []Patch, next int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.open()
	if err != nil {
		return nil, 0, err
	}
	next = s.Graph().Len()
	if n < 0 || n > next {
		return nil, 0, fmt.Errorf("patches since change %d: the document has %d; read it as a whole", n, next)
	}
	lacking := make([]int, next-n)
	for i := range lacking {
		lacking[i] = n + i
	}
	return diff(s.Compare(lacking, nil)), next, nil
}

// differ walks down from the root through the slots that can differ.
type differ struct {
	s             *opset.Set
	d             *opset.Difference
	before, after reader
	out           []Patch
}

func diff(d *opset.Difference) []Patch {
	s := d.After.Set()
	x := &differ{s: s, d: d, before: readerOf(s, d.Before), after: readerOf(s, d.After)}
	x.markGone()
	x.inMap(nil, opset.Root, true)
	return x.out
}

// markGone marks the containers that were hidden or shown again as ones that can differ.
func (x *differ) markGone() {
	before, after := x.before.gone, x.after.gone
	if before == after {
		if after != opset.Root {
			for sl := range x.d.Keys(after) {
				x.markPath(x.s.KeyOf(sl))
			}
		}
		return
	}
	for _, r := range []reader{x.before, x.after} {
		if r.gone != opset.Root {
			for sl := range r.v.Keys(r.gone) {
				x.markPath(x.s.KeyOf(sl))
			}
		}
	}
}

// markPath marks the slots on the way to a container. Where the versions have different containers on the way, those are marked already.
func (x *differ) markPath(path string) {
	p, err := ParsePointer(path)
	if err != nil {
		return // somebody else's key
	}
	obj := opset.Root
	for _, token := range p {
		if x.s.Kind(obj) != gate.ActMakeMap {
			return
		}
		sl, ok := x.s.Key(obj, token)
		if !ok {
			return
		}
		x.d.Mark(sl)
		item, ok := x.after.v.Item(sl)
		if !ok {
			return
		}
		if obj, ok = x.s.Object(item); !ok {
			return
		}
	}
}

// inside compares a container that both versions show at a place.
func (x *differ) inside(p Pointer, obj opset.Object, fixed bool) {
	switch {
	case !x.d.Has(obj):
	case x.s.Kind(obj) == gate.ActMakeMap:
		x.inMap(p, obj, fixed)
	case x.s.Kind(obj) == gate.ActMakeList:
		x.inList(p, obj)
	default:
		x.inText(p, obj)
	}
}

func (x *differ) inMap(p Pointer, obj opset.Object, fixed bool) {
	slots := slices.SortedFunc(x.d.Keys(obj), func(a, b opset.Slot) int { return strings.Compare(x.s.KeyOf(a), x.s.KeyOf(b)) })
	for _, sl := range slots {
		if key := x.s.KeyOf(sl); len(p) > 0 || key != marksKey {
			if pair := x.d.Pair(sl); fixed || x.may(pair) {
				x.at(p.child(key), pair, fixed)
			}
		}
	}
}

func (x *differ) inList(p Pointer, obj opset.Object) {
	for pair := range x.d.Elements(obj) {
		if x.may(pair) {
			x.at(p.child(strconv.Itoa(pair.At)), pair, false)
		}
	}
}

// may says whether the versions can differ in a slot that nothing hides: looking there is not for free.
func (x *differ) may(pair opset.Pair) bool {
	if pair.Was != pair.Is || pair.Before != pair.After {
		return true
	}
	if obj, ok := x.s.Object(pair.After); ok {
		return x.d.Has(obj)
	}
	return x.isCounter(pair.After)
}

func (x *differ) isCounter(item opset.Item) bool {
	t, _ := x.s.Scalar(item)
	return t == gate.TypeCounter
}

// at compares what the versions show in a slot.
func (x *differ) at(p Pointer, pair opset.Pair, fixed bool) {
	before := place{path: p, fixed: fixed, item: pair.Before, has: pair.Was}
	after := place{path: p, fixed: fixed, item: pair.After, has: pair.Is}
	was, is := x.before.shows(before), x.after.shows(after)
	same := pair.Before == pair.After
	switch obj, container := x.container(pair); {
	case was && is && same && container:
		x.inside(p, obj, fixed)
	case was && is && same && !x.isCounter(pair.After):
	case was && is:
		old, now := x.value(x.before, pair.Slot, before), x.value(x.after, pair.Slot, after)
		if !value.Equal(old, now) {
			x.out = append(x.out, Patch{Path: p, Kind: PatchReplace, Old: old, New: now})
		}
	case is:
		x.out = append(x.out, Patch{Path: p, Kind: PatchAdd, New: x.value(x.after, pair.Slot, after)})
	case was:
		x.out = append(x.out, Patch{Path: p, Kind: PatchRemove, Old: x.value(x.before, pair.Slot, before)})
	}
}

// container is the object that the version after shows in a slot.
func (x *differ) container(pair opset.Pair) (opset.Object, bool) {
	if !pair.Is {
		return 0, false
	}
	return x.s.Object(pair.After)
}

// value is what a version shows at a place.
func (x *differ) value(r reader, sl opset.Slot, pl place) any {
	if pl.kind(x.s) == kindNone && x.isCounter(pl.item) {
		return Counter(x.d.Counter(r.v, sl, pl.item))
	}
	v, _ := r.value(pl)
	return v
}

// inText gathers what came and went in one place into one patch.
func (x *differ) inText(p Pointer, obj opset.Object) {
	var old, now []byte
	start, end := 0, 0 // of now, in the version after
	flush := func() {
		if string(old) != string(now) {
			x.out = append(x.out, Patch{Path: p, Kind: PatchSplice, At: start, Old: Text(old), New: Text(now)})
		}
		old, now = old[:0], now[:0]
	}
	for pair := range x.d.Elements(obj) {
		if pair.Was == pair.Is && (!pair.Is || pair.Before == pair.After) {
			continue
		}
		if pair.At != end {
			flush()
		}
		if len(old)+len(now) == 0 {
			start = pair.At
		}
		end = pair.At + pair.IsLong
		if pair.Was {
			old = append(old, x.s.TextOf(pair.Before)...)
		}
		if pair.Is {
			now = append(now, x.s.TextOf(pair.After)...)
		}
	}
	flush()
}
