package sync

import (
	"fmt"
	"slices"

	"tombolo/doc"
)

// purgedBatch is how many documents one message names.
const purgedBatch = (MaxFrame - 1<<10) / 20

// Bury tells the Core, before its first session, of a document that this device has purged. It goes on listing the version that it had, so that
// it is in step with devices that have the same; it tells every peer that it has nothing of it; and one with another version brings it
// back whole. Heads are given by their HeadsHash.
func (c *Core) Bury(key Key, headsHash [32]byte) {
	c.Know(key, headsHash)
	c.shelf(key.Space).purged[key.Doc] = true
}

// purge drops a document while sessions run. What sessions say about it ends as in Forget, and peers hear that it is gone.
func (c *Core) purge(ev Purged) {
	c.Forget(ev.Key)
	c.Bury(ev.Key, ev.HeadsHash)
	for _, s := range c.sorted() {
		if l := s.links[ev.Key.Space]; l != nil && l.phase != phaseNone && !s.dropped {
			l.anew[ev.Key.Doc] = true
			c.tellPurged(s, ev.Key.Space, l, []doc.ID{ev.Key.Doc})
		}
	}
}

func (c *Core) tellPurged(s *session, space doc.SpaceID, l *link, ids []doc.ID) {
	if l.phase != phaseDone {
		for _, id := range ids {
			l.gone[id] = true
		}
	}
	for batch := range slices.Chunk(ids, purgedBatch) {
		c.send(s, kindPurged, purged{Space: space, Docs: batch})
	}
}

// purgedThere takes note that a peer has nothing of some documents. What it said of them earlier was true then.
func (c *Core) purgedThere(s *session, m purged) error {
	l := s.links[m.Space]
	if l == nil {
		return nil
	}
	sh := c.shelf(m.Space)
	for _, id := range m.Docs {
		l.purged[id] = true
		if l.phase != phaseDone {
			continue // the comparison will tell
		}
		c.ack(s, l, Key{m.Space, id}, nil, s.frames)
		if _, here := sh.versions[id]; !here {
			delete(l.purged, id) // the comparison is over, and what is not here is not asked for
		} else if t := l.talks[id]; t != nil && !t.differs {
			t.stands(nil, nil)
		}
	}
	if len(l.purged) > maxListed {
		return fmt.Errorf("a list of more than %d purged documents", maxListed)
	}
	return nil
}

// beginsAgain is when a peer has something of a document that it had purged: not what it had when it was in step.
func (c *Core) beginsAgain(s *session, l *link, key Key, heads []doc.Hash) {
	t := c.talk(l, key, heads)
	if l.phase != phaseDone || t.differs || !t.idle() {
		return // what is under way tells
	}
	if t.stands(heads, nil); !c.has(key, heads) {
		c.queue(s, key, t)
		c.pump(s)
	}
}
