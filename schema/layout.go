package schema

import (
	"crypto/sha256"
	"encoding/base64"
	"sync/atomic"

	"tombolo/doc"
)

// Storage layout 1 of what lenses keep, in the map of the fields they are made of. S is the step, E an epoch:
//
//	cur~S     the epoch that counts
//	=old~S@E  what an old field held when E began
//	^old~S@E  the echo: what a newer version wrote into it in E. Another value there than this, or else than =old, is the work of an older version, or of
//	          a newer one in another epoch.
//	+new~S@E  what a new field began E with
//	new~S@E   what was written into it in E
//
// An epoch follows from the values it begins with, old and new, and from the epoch before: devices that take the same edit of an older version over, apart,
// begin the same one, with the same = and +. Nothing else is written into it but what somebody changed, so no such edit loses against a copy.
// Where an old field and its echo are written, they are neighbours in one change: of two changes the same one wins both.
//
// A set that was one string (Wrap, the step S) keeps in the map of that string:
//
//	^key~S    the echo: the element that a newer version wrote into the string, whose key it is. Another text there is the work of an older
//	          version and an element; this one is an element where the set's map has it, and else was removed apart.

// keys are what a group needs for its keys.
type keys struct {
	cur  string
	last *atomic.Pointer[epoch] // that was read last: many documents begin the same one, and those of one document are read again and again
}

// epoch is one of a group, with its keys.
type epoch struct {
	name          string
	echoes, begun []string // by old field
	news, starts  []string // by new field
}

func (k *keys) begin(g *group) {
	k.cur, k.last = "cur~"+g.id, &atomic.Pointer[epoch]{}
}

// epoch gives an epoch by its name.
func (g *group) epoch(name []byte) *epoch {
	if last := g.keys.last.Load(); last != nil && last.name == string(name) {
		return last
	}
	e := &epoch{name: string(name)}
	end := "~" + g.id + "@" + e.name
	for _, n := range g.olds {
		e.echoes, e.begun = append(e.echoes, "^"+n.name+end), append(e.begun, "="+n.name+end)
	}
	for _, n := range g.news {
		e.news, e.starts = append(e.news, n.name+end), append(e.starts, "+"+n.name+end)
	}
	g.keys.last.Store(e)
	return e
}

// next is the epoch that begins with what a group holds.
func (g *group) next(e *eval) (*epoch, error) {
	olds := make([]any, len(e.olds))
	for i, r := range e.olds {
		if !r.absent {
			olds[i] = []any{echoOf(r.raw)}
		}
	}
	json, err := doc.EncodeJSON([]any{olds, e.values})
	if err != nil {
		return nil, err
	}
	before := ""
	if e.epoch != nil {
		before = e.epoch.name
	}
	sum := digest("tombolo epoch 1", []byte(g.id), json, []byte(before))
	return g.epoch(base64.RawURLEncoding.AppendEncode(nil, sum[:8])), nil
}

// longEcho is how long a text may be that its echo repeats.
const longEcho = 32

// echoOf is what the echo of a value holds: the value, for a long text the first half of its hash, and for what is no register its kind.
func echoOf(v any) any {
	switch v := v.(type) {
	case string:
		if len(v) > longEcho {
			sum := sha256.Sum256([]byte(v))
			return sum[:16]
		}
	case doc.Text:
		return echoOf(string(v))
	case doc.Counter:
		return int64(v)
	case unreadable:
		return []byte(v.String())
	}
	return v
}
