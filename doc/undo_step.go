package doc

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// taking is a step being taken back. The operation index cannot bring an operation back, so what was removed comes back as a copy, and older steps that
// are about the original are about the copy then: that is what the links in Undo are for. Slots and objects in here are those that the step
// wrote in; slot, item and object give what stands for them now.
type taking struct {
	u  *Undo
	tx *Tx
	s  *opset.Set

	step    map[int]bool // positions of the changes; containers at fixed paths are apart
	touched []*touched
	made    []created // containers that the step created at fixed paths

	before, after, without opset.View // the document before the step, after it, and now as if it had not happened

	kept         map[opset.Object]bool     // containers of the step that stay
	copied       map[opset.Object]bool     // containers that came back, without what the step did in them
	placed       map[opset.Slot]opset.Slot // elements that came back in copies
	items, elems map[opset.ID]opset.ID     // what came back in this step, and what stands for it
}

type created struct {
	path Pointer
	item opset.Item
}

// touched is what the step did at a slot.
type touched struct {
	slot     opset.Slot
	wrote    []opset.Item
	by       int64        // sum of increments
	counters []opset.Item // of what
	emptied  bool         // it removed what was there in the end
}

func newTaking(u *Undo, tx *Tx, hashes []Hash) (*taking, error) {
	t := &taking{
		u: u, tx: tx, s: tx.s, step: map[int]bool{},
		kept: map[opset.Object]bool{}, copied: map[opset.Object]bool{}, placed: map[opset.Slot]opset.Slot{},
		items: map[opset.ID]opset.ID{}, elems: map[opset.ID]opset.ID{},
	}
	graph := t.s.Graph()
	var inside, deps []Hash
	for _, h := range hashes {
		pos, ok := graph.Position(h)
		if !ok {
			return nil, fmt.Errorf("%w: %s; it was made in another document", ErrUnknownChange, h)
		}
		if tx.d.isSeed(t.s, pos) { // another device may have made it, too
			deps = append(deps, h)
			continue
		}
		inside, deps = append(inside, h), append(deps, graph.Deps(pos)...)
		path, structural := tx.d.structure(t.s, pos)
		if !structural {
			t.step[pos] = true
		} else if len(path) > 0 && path[0] != marksKey {
			for op := range t.s.Operations(pos) {
				t.made = append(t.made, created{path, op.Item})
			}
		}
	}
	if len(t.made) > 0 {
		if err := tx.makeGone(); err != nil { // containers of a later date would renumber what the draft holds
			return nil, err
		}
	}
	deps = slices.DeleteFunc(deps, func(h Hash) bool { return slices.Contains(inside, h) })
	var before, after error
	t.before, before = t.s.At(deps)
	t.after, after = t.s.At(inside)
	return t, errors.Join(before, after)
}

func (t *taking) run() error {
	changes := t.gather()
	t.without = t.s.Without(changes)
	for _, w := range t.touched {
		if err := t.takeBack(w); err != nil {
			return err
		}
	}
	return t.hide()
}

// gather collects what the step did, slot by slot, outer containers first, and gives the positions of its changes.
func (t *taking) gather() []int {
	var changes []int
	for pos := range t.step {
		changes = append(changes, pos)
	}
	slices.Sort(changes)
	bySlot := map[opset.Slot]*touched{}
	for _, pos := range changes {
		for op := range t.s.Operations(pos) {
			w := bySlot[op.Slot]
			if w == nil {
				w = &touched{slot: op.Slot}
				bySlot[op.Slot] = w
				t.touched = append(t.touched, w)
			}
			switch {
			case op.Value():
				w.wrote, w.emptied = append(w.wrote, op.Item), false
			case op.Action == gate.ActIncrement:
				w.by += op.By
				w.counters = append(w.counters, t.s.Replaced(op.Item)...)
			default:
				w.emptied = true
			}
		}
	}
	slices.SortStableFunc(t.touched, func(a, b *touched) int { return cmp.Compare(t.s.Depth(a.slot.Obj), t.s.Depth(b.slot.Obj)) })
	return changes
}

// takeBack takes back what the step did at one slot.
func (t *taking) takeBack(w *touched) error {
	obj := w.slot.Obj
	if t.copied[obj] || t.stepMade(obj) && !t.kept[obj] {
		return nil // settled with the container
	}
	if lasting(t.s.Now(), w.slot) {
		return nil
	}
	sl, there := t.slot(w.slot)
	var live, mine []opset.Item
	if there {
		live = t.s.Now().Conflicts(sl)
	}
	for _, item := range w.wrote {
		if at := t.item(item); slices.Contains(live, at) {
			mine = append(mine, at)
		}
	}
	prior, had := t.prior(w.slot)
	if w.emptied && had && len(live) > 0 {
		if path, hidden := t.hidden(sl); hidden && len(t.after.Conflicts(w.slot)) == 0 {
			live = nil
			if err := t.tx.setGone(path, false); err != nil {
				return err
			}
		}
	}
	draft, err := t.tx.write()
	if err != nil {
		return err
	}
	switch {
	case t.keep(w, mine):
	case len(mine) > 0 && len(mine) < len(live):
		draft.Withdraw(sl, slices.DeleteFunc(live, func(i opset.Item) bool { return !slices.Contains(mine, i) }))
	case len(mine) > 0 && !had:
		draft.Delete(sl)
	case len(mine) > 0:
		t.put(sl, prior)
	case w.emptied && had && t.same(live, w.slot):
		if !there {
			t.insert(w.slot, prior)
			break
		}
		t.put(sl, prior)
	case w.by != 0 && slices.ContainsFunc(w.counters, func(i opset.Item) bool { return slices.Contains(live, t.item(i)) }):
		draft.Increment(sl, appendSleb(nil, -w.by))
	}
	return nil
}

// stepMade says whether the step made a container.
func (t *taking) stepMade(obj opset.Object) bool {
	if obj == opset.Root {
		return false
	}
	_, item := t.s.Made(obj)
	return t.step[t.s.ChangeOf(item)]
}

// prior is what a slot showed before the step, unless somebody else took it away as well.
func (t *taking) prior(sl opset.Slot) (opset.Item, bool) {
	item, ok := t.before.Item(sl)
	if !ok {
		return 0, false
	}
	for change := range t.s.Replacing(item) {
		if !t.step[change] {
			return 0, false
		}
	}
	return item, true
}

// hidden says whether a container that was removed stands at a slot, and where that is.
func (t *taking) hidden(sl opset.Slot) (Pointer, bool) {
	path, fixed := fixedPath(t.s, sl)
	if !fixed {
		return nil, false
	}
	pl, err := t.tx.placeInside(path)
	return path, err == nil && t.tx.reader().hides(pl)
}

// same says whether a slot holds what the step left there.
func (t *taking) same(live []opset.Item, sl opset.Slot) bool {
	left := t.after.Conflicts(sl)
	for i := range left {
		left[i] = t.item(left[i])
	}
	return len(left) == len(live) && !slices.ContainsFunc(left, func(i opset.Item) bool { return !slices.Contains(live, i) })
}

// keep says whether a container that the step put into a slot, and that is still there, has something of others in it. Then it stays.
func (t *taking) keep(w *touched, mine []opset.Item) bool {
	keep := false
	for _, item := range w.wrote {
		obj, ok := t.s.Object(item)
		if at, _ := t.s.Object(t.item(item)); ok && slices.Contains(mine, t.item(item)) && t.foreign(at) {
			t.kept[obj], keep = true, true
		}
	}
	return keep
}

// foreign says whether a container shows something that another user wrote.
func (t *taking) foreign(obj opset.Object) bool {
	v, graph := t.s.Now(), t.s.Graph()
	seq := v.Keys(obj)
	if t.s.Kind(obj) != gate.ActMakeMap {
		seq = v.Elements(obj)
	}
	for _, item := range seq {
		if in, ok := t.s.Object(item); ok && t.foreign(in) {
			return true
		}
		if t.step[t.s.ChangeOf(item)] {
			continue // also what the step copied: taking back an undo removes again what its user removed
		}
		first, ok := t.s.Find(now(t.u.from, t.s.ID(item)))
		if ok && !t.u.own[graph.At(t.s.ChangeOf(first))] {
			return true
		}
	}
	return false
}

// hide hides the containers that the step created at fixed paths and that are empty now, inner ones first. They are marked also where they do not
// show, since what is in their place may go again.
func (t *taking) hide() error {
	slices.SortStableFunc(t.made, func(a, b created) int { return cmp.Compare(len(b.path), len(a.path)) })
	for _, c := range t.made {
		r := t.tx.reader()
		if r.isGone(c.path) {
			continue
		}
		pl, err := t.tx.placeInside(c.path)
		if err == nil && pl.kind(t.s) != kindNone {
			ours := t.s.ID(pl.item) == now(t.items, now(t.u.items, t.s.ID(c.item)))
			if !ours || !r.empty(pl) {
				continue
			}
		}
		if err := t.tx.setGone(c.path, true); err != nil {
			return err
		}
	}
	return nil
}

// empty says whether a container shows nothing inside.
func (r reader) empty(pl place) bool {
	v, _ := r.value(pl)
	m, ok := v.(map[string]any)
	return ok && len(m) == 0 || !ok && r.v.Len(pl.object(r.s)) == 0
}
