package sync

import (
	"fmt"
	"maps"
	"slices"

	"tombolo/doc"
)

// maxListed bounds the documents of one space in a peer's list.
const maxListed = 1 << 20

// compare looks at both summaries. Both sides compare the same two values, so they agree on whether lists are needed.
func (c *Core) compare(s *session, space doc.SpaceID, l *link) {
	if l.phase != phaseSummary || l.theirs == nil {
		return
	}
	if *l.theirs == l.mine {
		l.listed = nil
		c.compared(s, space, l, func(doc.ID) verdict { return equal })
		return
	}
	// The list supersedes the summary: what changed in between is in it.
	l.phase, l.talks, l.listed = phaseList, map[doc.ID]*talk{}, map[doc.ID]version{}
	versions := c.shelf(space).versions
	ids := slices.SortedFunc(maps.Keys(versions), func(a, b doc.ID) int { return slices.Compare(a[:], b[:]) })
	for first := true; first || len(ids) > 0; first = false {
		n := min(len(ids), listBatch)
		m := list{Space: space, Last: n == len(ids)}
		for _, id := range ids[:n] {
			m.Items = append(m.Items, item{Doc: id, Hash: versions[id]})
		}
		ids = ids[n:]
		c.send(s, kindList, m)
	}
}

// list collects the peer's list; with its last part the documents are compared.
func (c *Core) list(s *session, l *link, m list) error {
	if l.phase != phaseList {
		return fmt.Errorf("a list that was not its turn")
	}
	for _, it := range m.Items {
		l.listed[it.Doc] = it.Hash
	}
	if len(l.listed) > maxListed {
		return fmt.Errorf("a list of more than %d documents", maxListed)
	}
	if !m.Last {
		return nil
	}
	versions := c.shelf(m.Space).versions
	ours := func(id doc.ID) (version, bool) { // as in our list: a document may have changed, or begun, since
		if t := l.talks[id]; t != nil {
			if len(t.sent) == 0 {
				return version{}, false
			}
			return versionOf(id, t.sent), true
		}
		v, ok := versions[id]
		return v, ok
	}
	listed := l.listed
	l.listed = nil
	var asks []doc.ID
	for _, id := range slices.SortedFunc(maps.Keys(listed), func(a, b doc.ID) int { return slices.Compare(a[:], b[:]) }) {
		// Whoever lacks a document asks for it. Where versions differ, the lower ID asks, or the one that may only read; the
		// answer tells the other what to send.
		if v, ok := ours(id); !ok || v != listed[id] && (c.opts.Self < s.peer || !l.grant.Give) {
			asks = append(asks, id)
		}
	}
	c.compared(s, m.Space, l, func(id doc.ID) verdict {
		v, ok := ours(id)
		w, there := listed[id]
		switch {
		case ok == there && v == w:
			return equal
		case !ok && !l.grant.Accept:
			return unasked
		}
		return differs
	})
	for _, id := range asks {
		c.want(s, l, Key{m.Space, id}, nil)
	}
	c.pump(s)
	return nil
}

// verdict is what the comparison says of a document.
type verdict uint8

const (
	equal   verdict = iota // both had the same version, or none
	differs                // one of both asks for it
	unasked                // it began here after our list; the peer, a reader, had it before and will not be asked
)

// compared ends the comparison of a space.
func (c *Core) compared(s *session, space doc.SpaceID, l *link, judge func(doc.ID) verdict) {
	versions := c.shelf(space).versions
	for _, id := range slices.SortedFunc(maps.Keys(versions), func(a, b doc.ID) int { return slices.Compare(a[:], b[:]) }) {
		key := Key{space, id}
		t := l.talks[id]
		switch v := judge(id); {
		case v == differs:
			l.talks[id] = &talk{differs: true} // its heads, when one of both asks, tell what to send
		case t == nil:
			c.fx.Acks = append(c.fx.Acks, Ack{Peer: s.peer, Key: key, Same: true})
		default: // it has changed here since
			if v == equal {
				c.fx.Acks = append(c.fx.Acks, Ack{Peer: s.peer, Key: key, Heads: t.sent})
				t.theirs = t.sent
			}
			c.queue(s, key, t)
		}
	}
	l.phase = phaseDone
	c.pump(s)
}
