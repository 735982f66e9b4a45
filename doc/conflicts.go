package doc

import (
	"slices"
	"strconv"
	"time"

	"tombolo/doc/opset"
)

// Conflict is one of the values that changes made apart left at one place. Actor, Time, Message and Author are claims, as in [Entry].
type Conflict struct {
	Value   any    // in Go form
	Actor   []byte // who wrote it
	Change  Hash   // in which change
	Time    time.Time
	Message string
	Author  string
}

// Conflicts are all values at a key or list element: several where devices wrote there without knowing of each other. The last is the one
// shown; all devices choose the same one. [Tx.Set] of the path to any value, also to that one, settles the conflict; setting what holds it
// does not, where that one stays. A path that leads nowhere is a [PathError]. It costs the values read.
func (d *Doc) Conflicts(path string) ([]Conflict, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.reader()
	if err != nil {
		return nil, err
	}
	p, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	if len(p) == 0 {
		return nil, badPath(p, "it has one value, with keys of its own; ask for the path of a key")
	}
	pl, err := r.find(p)
	if err != nil {
		return nil, err
	}
	var out []Conflict
	for _, item := range r.v.Conflicts(pl.slot(r.s)) {
		change := r.s.ChangeOf(item)
		info := r.s.Info(change)
		out = append(out, Conflict{
			Value: r.v.Value(item), Actor: []byte(info.Actor), Change: r.s.Graph().At(change), Time: claimedTime(info.Time), Message: info.Message,
			Author: authorOf(r.s, change),
		})
	}
	return out, nil
}

// AllConflicts are the paths of the places shown that have more than one value, sorted; most documents have none. It costs a look at each key that was
// ever used, and no decoding: for a badge after changes came in, not for every redraw.
func (d *Doc) AllConflicts() ([]Pointer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.reader()
	if err != nil {
		return nil, err
	}
	var out []Pointer
	for sl := range r.s.Conflicted() {
		p, ok := r.pathOf(sl)
		if !ok || p[0] == marksKey {
			continue
		}
		if _, err := r.find(p); err == nil {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, slices.Compare[Pointer])
	return out, nil
}

// pathOf is the path to a slot of the document now; false where no path leads to it: something on the way was removed or replaced. In a text it
// ends with the position of the character.
func (r reader) pathOf(sl opset.Slot) (Pointer, bool) {
	path := make(Pointer, r.s.Depth(sl.Obj)+1)
	for i := len(path) - 1; ; i-- {
		if sl.Seq {
			path[i] = strconv.Itoa(r.s.Rank(sl))
		} else {
			path[i] = r.s.KeyOf(sl)
		}
		if sl.Obj == opset.Root {
			return path, true
		}
		in, made := r.s.Made(sl.Obj)
		if shown, ok := r.v.Item(in); !ok || shown != made {
			return nil, false
		}
		sl = in
	}
}
