package opset

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"tombolo/doc/gate"
)

// Draft is a local change in the making. What it writes is part of the document at once, and gone again with Discard. A set has one draft at
// a time, and nothing else may be added meanwhile.
type Draft struct {
	s     *Set
	actor []byte
	first int // its place among the changes

	placed   []placed
	gathered []gate.Change
	failed   error // it cannot be committed
}

var (
	// ErrDraft reports that a draft is open.
	ErrDraft = errors.New("opset: a local change is open; commit or discard it first")
	// ErrFull reports that a document has no room for more: its operation counters are used up, or the memory it may take on this device.
	ErrFull = errors.New("opset: the document has no room for more operations here; copy its value into a new document, or allow it more memory")
)

// Begin opens a draft by a writer.
func (s *Set) Begin(actor []byte) (*Draft, error) {
	if s.draft {
		return nil, ErrDraft
	}
	start := s.graph.MaxOp() + 1
	if start+gate.MaxOps >= gate.MaxCounter || !s.wide(gate.MaxOps, gate.MaxChangeBytes) || !s.room(1, 0) {
		return nil, ErrFull
	}
	d := &Draft{s: s, actor: actor}
	d.open(start)
	return d, nil
}

func (d *Draft) open(start uint64) {
	d.first = len(d.s.changes)
	d.s.open(d.actor, uint32(start), 0, "")
	d.s.draft = true
}

// Len is the number of operations so far, without those placed.
func (d *Draft) Len() int { return d.all() - len(d.placed) }

func (d *Draft) all() int { return len(d.s.ops) - int(d.s.changes[d.first].first) }

// Discard takes everything back.
func (d *Draft) Discard() {
	d.s.dropLast()
	d.s.draft = false
}

// Note is what a change says about itself.
type Note struct {
	Message string
	Time    time.Time // to the second; the zero time means 1970
	Author  []byte    // who writes, as others will see it; kept in a writer's first change only
}

// Commit makes the draft a change of the document; false when it wrote nothing. Where the change breaks a limit of the gate's rule it is
// discarded, and the error says which.
func (d *Draft) Commit(n Note) (gate.Change, bool, error) {
	s := d.s
	if d.failed != nil {
		d.Discard()
		return gate.Change{}, false, d.failed
	}
	heads := s.graph.Heads()
	if len(d.placed) > 0 || len(heads) > gate.MaxDeps {
		if err := d.settle(n.Author); err != nil {
			return gate.Change{}, false, err
		}
		heads = s.graph.Heads()
	}
	if d.Len() == 0 {
		d.Discard()
		return gate.Change{}, false, nil
	}
	c := &s.changes[d.first]
	c.message = n.Message
	s.text += len(n.Message)
	if !n.Time.IsZero() {
		c.time = n.Time.Unix()
	}
	if len(n.Author) > 0 && len(s.writers[c.writer].changes) == 1 {
		footer := gate.AuthorFooter(n.Author)
		s.footers[uint32(d.first)] = footer
		s.text += len(footer)
	}
	head := gate.Change{Deps: heads, Actor: d.actor, Seq: uint64(len(s.writers[c.writer].changes))}
	made, err := s.encode(d.first, head)
	if err == nil {
		_, err = s.graph.Add(made)
	}
	if err != nil {
		d.Discard()
		return gate.Change{}, false, err
	}
	s.draft = false
	return made, true, nil
}

// placed is an operation of the draft that will be a change of its own.
type placed struct {
	pos uint32
	c   gate.Change
}

// Place makes a container in a slot that holds nothing, by a change of its own below the draft: c, whose only operation makes it. The document has c
// from Commit on, which checks it and gives the objects, slots and items of the draft other numbers.
func (d *Draft) Place(sl Slot, c gate.Change, kind gate.Action) error {
	if d.s.objects[sl.Obj].depth >= gate.MaxDepth {
		return &gate.LimitError{What: "containers in each other", Have: gate.MaxDepth + 1, Max: gate.MaxDepth}
	}
	d.placed = append(d.placed, placed{d.s.record(d.op(sl, kind, gate.TypeNull), nil, nil), c})
	return nil
}

// Placed is the change that will have made an item; false when that is the draft itself, or an older one.
func (d *Draft) Placed(item Item) (gate.Change, bool) {
	i, ok := slices.BinarySearchFunc(d.placed, uint32(item), func(p placed, pos uint32) int { return cmp.Compare(p.pos, pos) })
	if !ok {
		return gate.Change{}, false
	}
	return d.placed[i].c, true
}

// settle adds the changes that were placed, gathers the heads where they are too many, and records the draft's own operations once more on top
// of that. On an error the draft is discarded; the changes added stay.
func (d *Draft) settle(author []byte) error {
	s := d.s
	base, objects := s.changes[d.first].first, uint32(len(s.objects))
	type saved struct {
		o     op
		value []byte
		preds []uint32
	}
	all, own := make([]saved, 0, d.all()), d.Len()
	for pos := base; int(pos) < len(s.ops); pos++ {
		one := saved{o: s.ops[pos]}
		s.lists.each(one.o.pred, func(p uint32) bool { one.preds = append(one.preds, p); return true })
		if isMake(one.o.action) {
			objects = min(objects, one.o.val)
		} else {
			one.value = slices.Clone(s.value(pos))
		}
		all = append(all, one)
	}
	s.dropOps() // the keys' numbers stay, as the operations saved have them
	s.draft = false
	positions, objs := make([]uint32, len(all)), map[uint32]uint32{}
	settled := func(i, pos uint32) {
		positions[i] = pos
		if isMake(all[i].o.action) {
			objs[all[i].o.val] = s.ops[pos].val
		}
	}
	done := make([]bool, len(all))
	for _, p := range d.placed {
		if _, err := s.Add(p.c); err != nil {
			return err
		}
		settled(p.pos-base, uint32(len(s.ops)-1))
		done[p.pos-base] = true
	}
	d.placed = nil
	if own > 0 {
		if err := d.gather(author); err != nil {
			return err
		}
	}
	d.open(s.graph.MaxOp() + 1)
	move := func(p *uint32) {
		if *p >= base {
			*p = positions[*p-base]
		}
	}
	for i, one := range all {
		if done[i] {
			continue
		}
		o := one.o
		o.change, o.pred, o.succ = uint32(d.first), 0, 0
		o.flags &^= flagElem
		if o.obj >= objects {
			o.obj = objs[o.obj]
		}
		switch {
		case o.is(flagInsert) && o.ref > 0:
			o.ref--
			move(&o.ref)
			o.ref++
		case o.is(flagSeq) && !o.is(flagInsert):
			move(&o.key)
		}
		for k := range one.preds {
			move(&one.preds[k])
		}
		settled(uint32(i), s.record(o, one.value, one.preds))
	}
	return nil
}

// gather makes changes without operations until one change can build on all heads: edits that create thousands of containers leave as many, and so
// can a hostile device.
func (d *Draft) gather(author []byte) error {
	g := d.s.graph
	for {
		heads := g.Heads()
		if len(heads) <= gate.MaxDeps {
			return nil
		}
		c := gate.Change{Deps: heads[:gate.MaxDeps-1], Actor: d.actor, Seq: 1}
		if n, ok := g.ActorNumber(d.actor); ok {
			c.Seq += uint64(g.Count(n))
			own := g.At(int(d.s.writers[n].changes[c.Seq-2]))
			if at, found := slices.BinarySearchFunc(c.Deps, own, gate.Hash.Compare); !found {
				c.Deps = slices.Insert(c.Deps, at, own)
			}
		} else if len(author) > 0 {
			c.Footer = gate.AuthorFooter(author)
		}
		for _, h := range c.Deps {
			if pos, ok := g.Position(h); ok {
				c.StartOp = max(c.StartOp, g.MaxOpOf(pos)+1)
			}
		}
		raw, err := gate.Encode(c, func(func(*gate.Op) bool) {})
		if err == nil {
			c, err = gate.Parse(raw)
		}
		if err == nil {
			_, err = d.s.Add(c)
		}
		if err != nil {
			return err
		}
		d.gathered = append(d.gathered, c)
	}
}

// Gathered are the changes without operations that Commit made below the draft's own, where the document had more heads than one change may build on.
func (d *Draft) Gathered() []gate.Change { return d.gathered }

func (d *Draft) op(sl Slot, action gate.Action, t gate.ValueType) op {
	o := op{change: uint32(d.first), obj: uint32(sl.Obj), key: sl.key, action: action, meta: uint32(t)}
	if sl.Seq {
		o.flags |= flagSeq
	}
	return o
}

// maxReplaced is how many values one operation replaces. A change may refer to gate.MaxActors writers and no more, so a slot with values of more could
// otherwise never be written again; the last ones go, so that the new value is shown.
const maxReplaced = 1000

// preds are the values a slot holds now, which a write replaces.
func (d *Draft) preds(sl Slot) []uint32 {
	items := d.s.Now().Conflicts(sl)
	items = items[max(0, len(items)-maxReplaced):]
	out := make([]uint32, len(items))
	for i, item := range items {
		out[i] = uint32(item)
	}
	return out
}

// fit is a value that one change can hold; one that is too large makes Commit fail.
func (d *Draft) fit(value []byte) []byte {
	switch {
	case len(value) > gate.MaxChangeBytes:
		d.failed = &gate.LimitError{What: "bytes", Have: uint64(len(value)), Max: gate.MaxChangeBytes}
	case !d.s.room(1, len(value)):
		d.failed = ErrFull
	default:
		return value
	}
	return nil
}

// Set puts a scalar into a slot. value is copied.
func (d *Draft) Set(sl Slot, t gate.ValueType, value []byte) Item {
	return Item(d.s.record(d.op(sl, gate.ActSet, t), d.fit(value), d.preds(sl)))
}

// Make puts a new container into a slot: gate.ActMakeMap, gate.ActMakeList or gate.ActMakeText.
func (d *Draft) Make(sl Slot, kind gate.Action) Object {
	return Object(d.s.ops[d.s.record(d.op(sl, kind, gate.TypeNull), nil, d.preds(sl))].val)
}

// Delete empties a slot; where a thousand and more concurrent values stand, it takes away a thousand. It does nothing where nothing is.
func (d *Draft) Delete(sl Slot) {
	if preds := d.preds(sl); len(preds) > 0 {
		d.s.record(d.op(sl, gate.ActDelete, gate.TypeNull), nil, preds)
	}
}

// Increment adds to the counters in a slot; false when there is none. by is a signed LEB128 number.
func (d *Draft) Increment(sl Slot, by []byte) bool {
	preds := slices.DeleteFunc(d.preds(sl), func(p uint32) bool { return !d.s.isCounter(p) })
	if len(preds) == 0 {
		return false
	}
	d.s.record(d.op(sl, gate.ActIncrement, gate.TypeInt), by, preds)
	return true
}

// Head stands before the first element of a list or text.
func Head(obj Object) Slot { return Slot{Obj: obj, Seq: true, key: ^uint32(0)} }

// InsertAfter puts a scalar into a list or text as a new element behind another one or the [Head].
func (d *Draft) InsertAfter(sl Slot, t gate.ValueType, value []byte) Slot {
	return d.s.slot(d.s.record(d.insertion(sl, gate.ActSet, t), d.fit(value), nil))
}

// InsertObject is InsertAfter for a new container.
func (d *Draft) InsertObject(sl Slot, kind gate.Action) (Slot, Object) {
	pos := d.s.record(d.insertion(sl, kind, gate.TypeNull), nil, nil)
	return d.s.slot(pos), Object(d.s.ops[pos].val)
}

func (d *Draft) insertion(sl Slot, action gate.Action, t gate.ValueType) op {
	o := d.op(sl, action, t)
	o.flags |= flagInsert
	o.ref = sl.key + 1 // 0 for the head
	return o
}
