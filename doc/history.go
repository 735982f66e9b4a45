package doc

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"tombolo/doc/opset"
)

// Entry is one change in a document's history. Actor, Time, Message and Author are what the writer's program claims, and nothing proves them: a member with a
// wrong clock, or a dishonest one, can claim anything. Hash, Deps and Ops are facts.
type Entry struct {
	Hash    Hash
	Deps    []Hash    // the changes it builds on; none for the first of a document
	Actor   []byte    // the writer: one opening of the document on one device
	Seq     uint64    // its number among the writer's changes, from 1
	Time    time.Time // when, to the second; zero where the change does not say
	Message string    // why; see [Note]
	Author  string    // who, see [Note]; empty where the writer does not say
	Ops     int       // how many operations it has

	// Structural marks the genesis, the changes that create containers at fixed paths, and seeds ([Tx.Seed]): they are the same whoever
	// made them, and a list for people leaves them out.
	Structural bool
}

// History yields the changes from the newest to the oldest. The order is causal: a change comes before all it builds on. Of changes
// made apart, the one that arrived here later comes first, so devices may differ there.
//
// It costs what is taken: the newest 50 of 100,000 changes cost 50. The document is locked for one entry at a time and may be used and
// edited in the loop; changes that arrive meanwhile are not among the entries. It ends when the document is closed.
func (d *Doc) History() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for pos := d.Len() - 1; pos >= 0; pos-- {
			e, ok := d.entry(pos)
			if !ok || !yield(e) {
				return
			}
		}
	}
}

func (d *Doc) entry(pos int) (Entry, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.set == nil || pos >= d.set.Graph().Len() {
		return Entry{}, false
	}
	return d.entryAt(d.set, pos), true
}

// Entry is the entry of one change; [ErrUnknownChange] if the document does not have it.
func (d *Doc) Entry(h Hash) (Entry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, err := d.open()
	if err != nil {
		return Entry{}, err
	}
	pos, ok := s.Graph().Position(h)
	if !ok {
		return Entry{}, fmt.Errorf("%w: %s", ErrUnknownChange, h)
	}
	return d.entryAt(s, pos), nil
}

func (d *Doc) entryAt(s *opset.Set, pos int) Entry {
	info := s.Info(pos)
	_, structural := d.structure(s, pos)
	return Entry{
		Hash: s.Graph().At(pos), Deps: s.Graph().Deps(pos), Actor: []byte(info.Actor), Seq: info.Seq, Time: claimedTime(info.Time),
		Message: info.Message, Author: authorOf(s, pos), Ops: info.Ops, Structural: structural || d.isSeed(s, pos),
	}
}

// authorOf is who the writer of a change says they are.
func authorOf(s *opset.Set, pos int) string {
	return strings.ToValidUTF8(string(s.Author(pos)), "\uFFFD")
}

// claimedTime is a change's time; 0 stands for none.
func claimedTime(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// structure says whether the change at a position is the genesis, or creates the container at a fixed path: then path is where.
func (d *Doc) structure(s *opset.Set, pos int) (path Pointer, ok bool) {
	info := s.Info(pos)
	if info.Seq != 1 || info.Time != 0 || info.Message != "" {
		return nil, false
	}
	app, h := appOf(s.Now()), s.Graph().At(pos)
	if h == hashOf(Genesis(d.id, app)) {
		return nil, true
	}
	if info.Ops != 1 {
		return nil, false
	}
	for op := range s.Operations(pos) {
		obj, makes := s.Object(op.Item)
		if !op.Value() || !makes {
			return nil, false
		}
		path, fixed := fixedPath(s, op.Slot)
		return path, fixed && h == containerAt(d.id, app, path, kindOf(s.Kind(obj))).hash
	}
	return nil, false
}

// fixedPath is the path to a slot where only map keys lead there.
func fixedPath(s *opset.Set, sl opset.Slot) (Pointer, bool) {
	if sl.Seq {
		return nil, false
	}
	path := make(Pointer, s.Depth(sl.Obj)+1)
	for i := len(path) - 1; ; i-- {
		path[i] = s.KeyOf(sl)
		if sl.Obj == opset.Root {
			return path, true
		}
		if sl, _ = s.Made(sl.Obj); sl.Seq {
			return nil, false
		}
	}
}
