package doc

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tombolo/doc/gate"
	"tombolo/doc/opset"
)

// Cursor is a place in a text or list that stays where it is while people edit around it: before one character or element, or at the end. Cursors
// are values: they can be compared, kept, and sent to other devices that have the same document. The zero Cursor is no place.
type Cursor struct {
	in, at opset.ID // the text or list, and the element; no element is the end
}

// ErrCursorGone reports a cursor whose text or list is not in the document any more, or not yet.
var ErrCursorGone = errors.New("doc: the text or list of this cursor is not in the document; set the cursor anew where the user looks now, or sync first if it came from another device")

// Cursor is the place before the character (code point) of a text, or the element of a list, at an index; the end where at is the
// length. The cursor at the end stays at the end.
func (d *Doc) Cursor(path string, at int) (Cursor, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.reader()
	if err != nil {
		return Cursor{}, err
	}
	return r.cursor(path, at)
}

// Cursor is the place at an index, as [Doc.Cursor] gives it. What this transaction wrote itself has no lasting name yet: take cursors there after
// the edit.
func (tx *Tx) Cursor(path string, at int) (Cursor, error) {
	if tx.over {
		return Cursor{}, errTxOver
	}
	return tx.reader().cursor(path, at)
}

// Position is the index at which a cursor stands now. Where its character was deleted it is where that was. A text or list that
// was removed is [ErrCursorGone]; one that was removed and brought back is a new one.
func (d *Doc) Position(c Cursor) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, err := d.reader()
	if err != nil {
		return 0, err
	}
	return r.position(c)
}

// Position is the index at which a cursor stands, as [Doc.Position] gives it, with the writes of this transaction in place.
func (tx *Tx) Position(c Cursor) (int, error) {
	if tx.over {
		return 0, errTxOver
	}
	return tx.reader().position(c)
}

func (r reader) cursor(path string, at int) (Cursor, error) {
	p, err := parsePath(path)
	if err != nil {
		return Cursor{}, err
	}
	pl, err := r.find(p)
	if err != nil {
		return Cursor{}, err
	}
	if k := pl.kind(r.s); k != kindText && k != kindList {
		return Cursor{}, badPath(p, "it is %s; cursors are for texts and lists", r.word(pl))
	}
	obj := pl.object(r.s)
	if n := r.v.Len(obj); at < 0 || at > n {
		return Cursor{}, badPath(p, "there is no place %d; its length is %d", at, n)
	}
	_, made := r.s.Made(obj)
	c, fresh := Cursor{in: r.s.ID(made)}, r.fresh(made)
	if sl, ok := r.v.Index(obj, at); ok {
		c.at = r.s.ElementID(sl)
		fresh = fresh || r.fresh(r.s.Inserted(sl))
	}
	if fresh {
		return Cursor{}, badPath(p, "this transaction wrote what stands there; take the cursor after the edit")
	}
	return c, nil
}

// fresh says whether an item belongs to the edit that is going on.
func (r reader) fresh(item opset.Item) bool { return r.s.ChangeOf(item) >= r.s.Graph().Len() }

func (r reader) position(c Cursor) (int, error) {
	if c.in.Counter == 0 {
		return 0, fmt.Errorf("%w (it is the zero Cursor)", ErrCursorGone)
	}
	item, ok := r.s.Find(c.in)
	if !ok {
		return 0, ErrCursorGone
	}
	obj, ok := r.s.Object(item)
	if !ok || r.s.Kind(obj) == gate.ActMakeMap {
		return 0, ErrCursorGone
	}
	sl, _ := r.s.Made(obj)
	path, ok := r.pathOf(sl)
	if shown, has := r.v.Item(sl); !ok || !has || shown != item {
		return 0, ErrCursorGone
	}
	if _, err := r.find(path); err != nil {
		return 0, ErrCursorGone
	}
	if c.at.Counter == 0 {
		return r.v.Len(obj), nil
	}
	if sl, ok = r.s.Element(obj, c.at); !ok {
		return 0, ErrCursorGone
	}
	return r.s.Rank(sl), nil
}

// MarshalText writes a cursor as letters, digits and - @ / that [Cursor.UnmarshalText] reads on any device; the zero Cursor as nothing.
func (c Cursor) MarshalText() ([]byte, error) {
	if c.in.Counter == 0 {
		return nil, nil
	}
	out := idText(c.in) + "/"
	if c.at.Counter == 0 {
		return []byte(out + "end"), nil
	}
	return []byte(out + idText(c.at)), nil
}

func idText(id opset.ID) string { return fmt.Sprintf("%d@%x", id.Counter, id.Actor) }

// UnmarshalText reads what [Cursor.MarshalText] wrote. Anything else is an error, and leaves c as it was.
func (c *Cursor) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*c = Cursor{}
		return nil
	}
	in, at, ok := strings.Cut(string(text), "/")
	var out Cursor
	if ok {
		out.in, ok = parseOpID(in)
	}
	if ok && at != "end" {
		out.at, ok = parseOpID(at)
	}
	if !ok {
		return fmt.Errorf("doc: this is not a cursor; it looks like 12@a0b1/34@c2d3 or 12@a0b1/end")
	}
	*c = out
	return nil
}

func parseOpID(s string) (opset.ID, bool) {
	number, actor, _ := strings.Cut(s, "@")
	n, err := strconv.ParseUint(number, 10, 32)
	id, bad := hex.DecodeString(actor)
	out := opset.ID{Counter: uint32(n), Actor: string(id)}
	return out, err == nil && bad == nil && n > 0 && len(id) > 0 && idText(out) == s
}
