package sync

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"tombolo/doc"
)

// maxListed bounds the documents of one space in a peer's list.
const maxListed = 1 << 20

// Ranges are equal parts of the document IDs. 100,000 documents take 16 KiB of sums, and 50 documents are listed for each that differs.
const (
	maxRanges = 2048
	inRange   = 16  // documents in one range, as long as there are no more than maxRanges
	wholeList = 128 // so many are listed at once, without ranges
)

// rangesFor is into how many ranges two devices with so many documents part a space: a power of two, the same on both.
func rangesFor(a, b uint64) int {
	if min(a, b) == 0 || max(a, b) <= wholeList {
		return 1
	}
	n := 1
	for n < maxRanges && uint64(n)*inRange < max(a, b) {
		n *= 2
	}
	return n
}

func rangeOf(id doc.ID, ranges int) int { return int(binary.BigEndian.Uint16(id[:2])) * ranges >> 16 }

func rangeSums(items []item, ranges int) []byte {
	sums := make([]byte, 8*ranges)
	for _, it := range items {
		h, at := itemHash(it.Doc, it.Hash), sums[8*rangeOf(it.Doc, ranges):]
		binary.LittleEndian.PutUint64(at, binary.LittleEndian.Uint64(at)+binary.LittleEndian.Uint64(h[:]))
	}
	return sums
}

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
	// What is listed now supersedes the summary: what changed in between is in it.
	l.talks, l.listed = map[doc.ID]*talk{}, map[doc.ID]version{}
	versions := c.shelf(space).versions
	l.unsent = make([]item, 0, len(versions))
	for id, v := range versions {
		l.unsent = append(l.unsent, item{Doc: id, Hash: v})
	}
	slices.SortFunc(l.unsent, func(a, b item) int { return compareIDs(a.Doc, b.Doc) })
	if n := rangesFor(l.mine.Count, l.theirs.Count); n > 1 {
		l.phase, l.sums = phaseRanges, rangeSums(l.unsent, n)
		c.send(s, kindRanges, ranges{Space: space, Sums: l.sums})
		return
	}
	l.apart = []bool{true}
	c.enlist(s, space, l)
}

// ranges compares sums by ranges. Both sides compare the same two, so they agree on what is to be listed.
func (c *Core) ranges(s *session, l *link, m ranges) error {
	if l.phase != phaseRanges || len(m.Sums) != len(l.sums) {
		return fmt.Errorf("ranges that were not their turn")
	}
	l.apart = make([]bool, len(l.sums)/8)
	for i := range l.apart {
		l.apart[i] = !bytes.Equal(l.sums[8*i:8*i+8], m.Sums[8*i:8*i+8])
	}
	l.unsent = slices.DeleteFunc(l.unsent, func(it item) bool { return !l.apart[rangeOf(it.Doc, len(l.apart))] })
	l.sums = nil
	c.enlist(s, m.Space, l)
	return nil
}

// enlist begins to send this device's list.
func (c *Core) enlist(s *session, space doc.SpaceID, l *link) {
	l.phase = phaseList
	s.listing = append(s.listing, space)
	c.lists(s)
}

// lists sends what is not yet out of this device's lists, as long as the way to the peer is free.
func (c *Core) lists(s *session) {
	for len(s.listing) > 0 && s.underWay < Window && !s.dropped {
		space := s.listing[0]
		l := s.links[space]
		if l == nil {
			s.listing = s.listing[1:]
			continue
		}
		n := min(len(l.unsent), listBatch)
		m := list{Space: space, Items: l.unsent[:n], Last: n == len(l.unsent)}
		c.send(s, kindList, m)
		if l.unsent = l.unsent[n:]; m.Last {
			l.unsent, l.told, s.listing = nil, true, s.listing[1:]
			c.judge(s, space, l)
		}
	}
}

// list collects the peer's list.
func (c *Core) list(s *session, l *link, m list) error {
	if l.phase != phaseList || l.heard {
		return fmt.Errorf("a list that was not its turn")
	}
	for _, it := range m.Items {
		if l.apart[rangeOf(it.Doc, len(l.apart))] {
			l.listed[it.Doc] = it.Hash
		}
	}
	if len(l.listed) > maxListed {
		return fmt.Errorf("a list of more than %d documents", maxListed)
	}
	l.heard = m.Last
	c.judge(s, m.Space, l)
	return nil
}

// judge compares the documents of a space when both lists are complete.
func (c *Core) judge(s *session, space doc.SpaceID, l *link) {
	if !l.told || !l.heard {
		return
	}
	versions, purged := c.shelf(space).versions, c.shelf(space).purged
	back := func(id doc.ID) bool { return l.gone[id] && !purged[id] } // since the peer was told, so it will not ask
	ours := func(id doc.ID) (version, bool) {                         // as in our list: a document may have changed, or begun, since
		if t := l.talks[id]; t != nil {
			if len(t.sent) == 0 {
				return version{}, false
			}
			return versionOf(id, t.sent), true
		}
		v, ok := versions[id]
		return v, ok
	}
	listed, apart := l.listed, l.apart
	l.listed, l.apart = nil, nil
	var asks []doc.ID
	for _, id := range slices.SortedFunc(maps.Keys(listed), compareIDs) {
		// Whoever lacks a document asks for it. Where versions differ, the lower ID asks, or the one that may only read, or the one that has
		// only the version; the answer tells the other what to send. Nobody asks for what the other has purged.
		v, ok := ours(id)
		if !l.purged[id] && !back(id) && (!ok || v != listed[id] && (c.opts.Self < s.peer || !l.grant.Give || purged[id])) {
			asks = append(asks, id)
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(l.gone), compareIDs) {
		if back(id) {
			asks = append(asks, id)
		}
	}
	c.compared(s, space, l, func(id doc.ID) verdict {
		v, ok := ours(id)
		w, there := listed[id]
		switch {
		case back(id) && l.grant.Accept:
			return differs
		case back(id):
			return unasked
		case !apart[rangeOf(id, len(apart))], ok == there && v == w:
			return equal
		case purged[id] && (!there || l.purged[id] || !l.grant.Accept):
			return equal // there is nothing to be had from either
		case !ok && l.purged[id]:
			return equal // it began here after our list, and the peer, which has purged it, found nothing to ask for
		case !ok && !l.grant.Accept:
			return unasked
		}
		return differs
	})
	for _, id := range asks {
		c.want(s, l, Key{space, id}, nil)
	}
	c.pump(s)
}

func compareIDs(a, b doc.ID) int { return slices.Compare(a[:], b[:]) }

// verdict is what the comparison says of a document.
type verdict uint8

const (
	equal   verdict = iota // both had the same version, or none
	differs                // one of both asks for it
	unasked                // it began here after our list; the peer, a reader, will not be asked what it had before
)

// compared ends the comparison of a space.
func (c *Core) compared(s *session, space doc.SpaceID, l *link, judge func(doc.ID) verdict) {
	sh := c.shelf(space)
	for _, id := range slices.SortedFunc(maps.Keys(sh.versions), compareIDs) {
		key := Key{space, id}
		t := l.talks[id]
		v := judge(id)
		mute := v == differs && !l.grant.Give && !l.grant.Accept // two readers say nothing more, and it may have purged what it had
		if (l.purged[id] || mute) && !sh.purged[id] {
			c.fx.Acks = append(c.fx.Acks, Ack{Peer: s.peer, Key: key})
		}
		switch {
		case sh.purged[id] && v != differs:
		case l.purged[id] && v == equal:
			if t != nil { // it has changed here since
				t.sent, t.theirs = nil, nil
				c.queue(s, key, t)
			}
		case v == differs:
			l.talks[id] = &talk{differs: true} // its heads, when one of both asks, tell what to send
		case t == nil && v == unasked:
			l.talks[id] = &talk{}
			c.queue(s, key, l.talks[id])
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
	maps.DeleteFunc(l.purged, func(id doc.ID, _ bool) bool { // what is not here is not asked for
		_, here := sh.versions[id]
		return !here
	})
	l.phase, l.gone = phaseDone, nil
	c.compares++
	c.pump(s)
}
