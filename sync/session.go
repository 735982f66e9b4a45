package sync

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"tombolo/doc"
)

// session is what is known of a peer while one connection lasts.
type session struct {
	peer     PeerID
	number   uint64                // answers to what an earlier session asked for are told apart by it
	grants   map[doc.SpaceID]Grant // what we would share, once the peer has shown that it knows the space
	links    map[doc.SpaceID]*link // spaces both have named
	tokens   map[[16]byte]offer    // what the peer offered and we do not know (yet)
	greeted  bool                  // its hello has come
	dropped  bool
	frames   uint64               // received so far
	underWay int                  // bytes handed to the transport and not yet written
	asking   int                  // documents asked for and not yet answered
	finding  int                  // look-ups under way
	looking  int                  // bytes they may give
	spooled  int                  // bytes of packs that are not complete
	listing  []doc.SpaceID        // spaces whose list is not all out
	ended    map[doc.SpaceID]bool // spaces that were shared in this session, and are not any more
	dirty    []Key                // documents to send from, each once
	wants    []Key                // documents to ask for, each once
	stuck    []Key                // documents to try again at retry: this device failed to read or write them
	retry    time.Time
}

// link is a space that both sides of a session share.
type link struct {
	grant  Grant
	phase  phase
	mine   summary // as sent
	theirs *summary
	sums   []byte             // of our ranges, as sent
	apart  []bool             // ranges that differ: those are listed
	unsent []item             // what is not yet out of our list
	told   bool               // our list is out
	heard  bool               // its list is in
	listed map[doc.ID]version // collected from its list
	claims map[doc.ID]uint64  // by number, the newest frame that named the peer's heads of a document
	anew   map[doc.ID]bool    // purged here in this session: what comes may still be about what was here
	gone   map[doc.ID]bool    // until compared: the peer was told that we keep only their versions, and does not ask for them
	purged map[doc.ID]bool    // the peer has listed these and keeps only their versions
	talks  map[doc.ID]*talk   // documents about which there is something to say; without a talk, a peer is in step once phase is done
}

// phase is how far the comparison of a space has come.
type phase uint8

const (
	phaseNone    phase = iota // not begun
	phaseSummary              // our summary is out
	phaseRanges               // our sums by ranges are out
	phaseList                 // our list is out, or on its way
	phaseDone                 // compared; from here on changes are pushed
)

// talk is what a session knows of one document.
type talk struct {
	sent     []doc.Hash // the peer has these, or will when what is under way arrives
	known    []doc.Hash // further hashes the peer has
	theirs   []doc.Hash // heads the peer last named: they are on its disk
	differs  bool       // versions differed when compared, and nothing else is known yet
	dirty    bool       // the peer lacks something, or is owed an answer
	finding  bool       // a Find is under way
	outdated bool       // what the Find under way was told is no longer true
	from     uint64     // where the Find goes on
	want     bool       // we lack something and have not asked yet
	asked    bool       // we asked and wait for the tail
	unread   bool       // this device failed to look up what the peer lacks: it is tried again
	stuck    bool       // this device failed to take changes: they are asked for again
	stalled  bool       // the last answer brought nothing new
	spool    []byte     // parts of a pack
}

func (c *Core) peerUp(ev PeerUp) {
	if s := c.sessions[ev.Peer]; keepSessions && s != nil {
		s.underWay = 0
		c.greet(s)
		return
	}
	c.begun++
	s := &session{peer: ev.Peer, number: c.begun, grants: map[doc.SpaceID]Grant{}, links: map[doc.SpaceID]*link{}, ended: map[doc.SpaceID]bool{}}
	c.sessions[ev.Peer] = s
	for _, g := range ev.Spaces {
		s.grants[g.Space] = g
	}
	c.greet(s)
}

func (c *Core) peerDown(p PeerID) {
	if !keepSessions {
		delete(c.sessions, p)
	}
}

func (c *Core) greet(s *session) {
	m := hello{Min: minVersion, Max: maxVersion, Name: c.opts.Name}
	for _, id := range sortedSpaces(s.grants) {
		g := s.grants[id]
		m.Spaces = append(m.Spaces, offer{Token: token(g.Secret, c.opts.Self, s.peer), Members: g.Members})
		if len(m.Spaces) == maxSpaces {
			break
		}
	}
	c.send(s, kindHello, m)
}

func sortedSpaces[T any](m map[doc.SpaceID]T) []doc.SpaceID {
	return slices.SortedFunc(maps.Keys(m), func(a, b doc.SpaceID) int { return slices.Compare(a[:], b[:]) })
}

// hello may come more than once in a session: membership changed at the peer.
func (c *Core) hello(s *session, m hello) error {
	if m.Min > maxVersion {
		return fmt.Errorf("it speaks protocol %d and later, this device %d: update this device", m.Min, maxVersion)
	}
	if m.Max < minVersion {
		return fmt.Errorf("it speaks protocol %d and earlier, this device %d: update that device", m.Max, minVersion)
	}
	if len(m.Spaces) > maxSpaces || len(m.Name) > maxName {
		return fmt.Errorf("a hello with %d spaces and a name of %d bytes", len(m.Spaces), len(m.Name))
	}
	s.greeted = true
	c.fx.Met = append(c.fx.Met, Met{s.peer, m.Name})
	s.tokens = map[[16]byte]offer{}
	for _, o := range m.Spaces {
		s.tokens[o.Token] = o
	}
	c.match(s)
	return nil
}

// match begins a link for each space that both sides have named, and ends those that one side no longer names.
func (c *Core) match(s *session) {
	for _, id := range sortedSpaces(s.links) {
		if _, ok := s.grants[id]; !ok {
			c.unlink(s, id)
		}
	}
	for _, id := range sortedSpaces(s.grants) {
		g := s.grants[id]
		o, ok := s.tokens[token(g.Secret, s.peer, c.opts.Self)]
		if !ok {
			c.unlink(s, id)
			continue
		}
		l := s.links[id]
		if s.ended[id] || l != nil && (l.grant.Give != g.Give || l.grant.Accept != g.Accept) {
			c.again(s)
			return
		}
		if l == nil {
			l = &link{talks: map[doc.ID]*talk{}, claims: map[doc.ID]uint64{}, anew: map[doc.ID]bool{}, gone: map[doc.ID]bool{}, purged: map[doc.ID]bool{}}
			s.links[id] = l
		}
		l.grant = g
		if o.Members != g.Members {
			c.fx.Tell = append(c.fx.Tell, Told{Peer: s.peer, Space: id})
		}
		if l.phase == phaseNone {
			l.phase, l.mine = phaseSummary, c.shelf(id).summary(id)
			c.tellPurged(s, id, l, slices.SortedFunc(maps.Keys(c.shelf(id).purged), compareIDs)) // first, since the summaries may be equal
			c.send(s, kindSummary, l.mine)
		}
	}
}

func (c *Core) unlink(s *session, id doc.SpaceID) {
	if l := s.links[id]; l != nil {
		delete(s.links, id)
		s.ended[id] = true
		for _, t := range l.talks {
			s.spooled -= len(t.spool)
			c.answered(s, t)
		}
	}
}

// granted takes a changed membership into a running session.
func (c *Core) granted(ev Granted) {
	s := c.sessions[ev.Peer]
	if s == nil || s.dropped {
		return
	}
	s.grants = map[doc.SpaceID]Grant{}
	for _, g := range ev.Spaces {
		s.grants[g.Space] = g
	}
	c.greet(s)
	if s.greeted {
		c.match(s)
	}
}

// joined sends a membership log to one peer, or to everyone linked to the space: in several messages where it is long.
func (c *Core) joined(ev Joined) {
	for _, s := range c.sorted() {
		if s.links[ev.Space] != nil && !s.dropped && (ev.Peer == "" || ev.Peer == s.peer) {
			for batch := range batches(ev.Records) {
				c.send(s, kindMembers, members{Space: ev.Space, Records: batch})
			}
		}
	}
}

// batches cuts records into runs that fit a frame. One record is never too large for it: package space sees to that.
func batches(records [][]byte) iter.Seq[[][]byte] {
	return func(yield func([][]byte) bool) {
		for len(records) > 0 {
			n, size := 0, 0
			for n < len(records) && (n == 0 || size+len(records[n])+8 <= maxPart) {
				size += len(records[n]) + 8
				n++
			}
			if !yield(records[:n]) {
				return
			}
			records = records[n:]
		}
	}
}

// receive handles one message. An error is the peer's fault and ends the session.
func (c *Core) receive(s *session, m any) error {
	if s.dropped {
		return nil
	}
	if h, ok := m.(hello); ok {
		return c.hello(s, h)
	}
	if !s.greeted {
		return fmt.Errorf("a message before hello")
	}
	switch m := m.(type) {
	case members:
		if s.links[m.Space] != nil {
			c.fx.Learn = append(c.fx.Learn, Learned{s.peer, m.Space, m.Records})
		}
	case summary:
		if l := s.links[m.Space]; l != nil {
			l.theirs = &m
			c.compare(s, m.Space, l)
		}
	case ranges:
		if l := s.links[m.Space]; l != nil {
			return c.ranges(s, l, m)
		}
	case list:
		if l := s.links[m.Space]; l != nil {
			return c.list(s, l, m)
		}
	case have:
		return c.have(s, m)
	case delta:
		return c.delta(s, m)
	case push:
		return c.push(s, m)
	case purged:
		return c.purgedThere(s, m)
	case durable:
		if len(m.Heads) > maxHeads {
			return fmt.Errorf("a durable with %d heads", len(m.Heads))
		}
		if l := s.links[m.Space]; l != nil {
			c.ack(s, l, Key{m.Space, m.Doc}, m.Heads, s.frames)
		}
	}
	return nil
}

// ack takes note that heads are on the peer's disk, as the frame of the given number said. Frames with changes have their say only
// when those are taken, so an older frame may come after a newer one; the newer counts.
func (c *Core) ack(s *session, l *link, key Key, heads []doc.Hash, frame uint64) {
	if frame < l.claims[key.Doc] {
		return
	}
	sh := c.shelf(key.Space)
	if _, ok := sh.versions[key.Doc]; !ok {
		return // a document of which this device knows nothing: keeping claims about those would be keeping whatever a peer makes up
	}
	if len(heads) > 0 && l.purged[key.Doc] {
		delete(l.purged, key.Doc)
		c.beginsAgain(s, l, key, heads)
	}
	l.claims[key.Doc] = frame
	if !sh.purged[key.Doc] {
		c.fx.Acks = append(c.fx.Acks, Ack{Peer: s.peer, Key: key, Heads: heads})
	}
	if t := l.talks[key.Doc]; t != nil {
		t.theirs = heads
		c.settle(l, key, t)
	}
}

// settle forgets a talk when there is nothing left to say: both have the same and know it.
func (c *Core) settle(l *link, key Key, t *talk) {
	if l.phase == phaseDone && t.idle() && sameHeads(t.sent, t.theirs) && c.has(key, t.theirs) {
		delete(l.talks, key.Doc)
	}
}

// idle reports that nothing is under way, and nothing waits to be.
func (t *talk) idle() bool {
	return !t.dirty && !t.finding && !t.want && !t.asked && !t.stuck && !t.unread && len(t.spool) == 0
}
