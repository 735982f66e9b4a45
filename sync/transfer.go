package sync

import (
	"fmt"
	"slices"

	"tombolo/doc"
)

// maxFinding is how many look-ups a session has under way.
const maxFinding = 8

// maxSpool bounds the packs of a session that are not complete.
const maxSpool = 2 * maxPack

// talk is what a session knows of a document, about which there is something to say from here on. The peer has sent, unless it purged that.
func (c *Core) talk(l *link, key Key, sent []doc.Hash) *talk {
	t := l.talks[key.Doc]
	if t == nil {
		t = &talk{sent: sent}
		if l.purged[key.Doc] {
			t.sent = nil
		}
		l.talks[key.Doc] = t
	}
	return t
}

// queue notes that the peer lacks something of a document, or is owed an answer about it.
func (c *Core) queue(s *session, key Key, t *talk) {
	if !t.dirty {
		t.dirty = true
		s.dirty = append(s.dirty, key)
	}
}

// pump looks up what is to be sent, as long as the way to the peer is free.
func (c *Core) pump(s *session) {
	for n := len(s.dirty); n > 0 && !s.dropped && s.underWay+s.looking < Window && s.finding < maxFinding; n-- {
		key := s.dirty[0]
		s.dirty = s.dirty[1:]
		l := s.links[key.Space]
		if l == nil || l.talks[key.Doc] == nil || !l.talks[key.Doc].dirty {
			continue
		}
		t := l.talks[key.Doc]
		if t.finding {
			s.dirty = append(s.dirty, key)
			continue
		}
		t.dirty, t.finding, t.outdated = false, true, false
		bytes := findBytes
		if s.finding > 0 || len(s.dirty) > 0 {
			bytes = shareBytes
		}
		s.finding++
		s.looking += bytes
		c.fx.Find = append(c.fx.Find, Find{
			Peer: s.peer, Key: key, Known: slices.Concat(t.sent, t.known), From: t.from, Bytes: bytes, session: s.number,
		})
	}
}

// want notes that this device lacks something of a document that the peer has.
func (c *Core) want(s *session, l *link, key Key, sent []doc.Hash) {
	if !l.grant.Accept {
		return
	}
	t := c.talk(l, key, sent)
	if t.want || t.asked {
		return
	}
	t.want = true
	s.wants = append(s.wants, key)
	c.ask(s)
}

// ask asks for wanted documents, a few at a time. Where this device stands has to be looked up first.
func (c *Core) ask(s *session) {
	for len(s.wants) > 0 && s.asking < maxAsking && !s.dropped {
		key := s.wants[0]
		s.wants = s.wants[1:]
		l := s.links[key.Space]
		if l == nil || l.talks[key.Doc] == nil || !l.talks[key.Doc].want {
			continue
		}
		t := l.talks[key.Doc]
		t.want, t.asked = false, true
		s.asking++
		c.fx.Find = append(c.fx.Find, Find{Peer: s.peer, Key: key, Stand: true, session: s.number})
	}
}

func (c *Core) answered(s *session, t *talk) {
	if t.asked {
		t.asked = false
		s.asking--
		c.ask(s)
	}
}

// found sends what a look-up gave.
func (c *Core) found(s *session, ev Found) {
	if !ev.Stand {
		s.finding--
		s.looking -= ev.Bytes
	}
	l := s.links[ev.Key.Space]
	if l == nil || l.talks[ev.Key.Doc] == nil || s.dropped {
		c.pump(s)
		return
	}
	t := l.talks[ev.Key.Doc]
	if !ev.Stand {
		t.finding = false
	}
	if ev.Err != nil {
		if ev.Stand {
			c.stick(s, ev.Key, t, &t.stuck)
			c.answered(s, t)
		} else {
			c.stick(s, ev.Key, t, &t.unread)
		}
		c.pump(s)
		return
	}
	heads, sample := clip(ev.Heads, maxHeads), clip(ev.Sample, maxSample)
	if ev.Stand {
		c.send(s, kindHave, have{Space: ev.Key.Space, Doc: ev.Key.Doc, Heads: heads, Sample: sample})
		return
	}
	if t.outdated { // the peer has said meanwhile where it really stands; it may wait for an answer
		c.queue(s, ev.Key, t)
		c.pump(s)
		return
	}
	var parts []delta
	if l.grant.Give {
		parts = split(ev.Key, ev.Packs)
	}
	if ev.Next > 0 {
		t.from = ev.Next
		c.queue(s, ev.Key, t)
	} else {
		if len(parts) == 0 {
			parts = []delta{{Space: ev.Key.Space, Doc: ev.Key.Doc}}
		}
		last := &parts[len(parts)-1]
		last.Last, last.Heads, last.Sample = true, heads, sample
		t.sent, t.known, t.from = ev.Heads, nil, 0
		if !c.has(ev.Key, ev.Heads) { // it changed since it was looked up
			c.queue(s, ev.Key, t)
		}
	}
	for _, p := range parts {
		c.send(s, kindDelta, p)
	}
	c.settle(l, ev.Key, t)
	c.pump(s)
}

func clip(h []doc.Hash, n int) []doc.Hash { return h[:min(len(h), n)] }

// split cuts packs into frames.
func split(key Key, packs [][]byte) []delta {
	var out []delta
	for _, pack := range packs {
		for len(pack) > 0 {
			n := min(len(pack), maxPart)
			out = append(out, delta{Space: key.Space, Doc: key.Doc, Part: pack[:n], Cont: n < len(pack)})
			pack = pack[n:]
		}
	}
	return out
}

// have answers a peer that says where it stands.
func (c *Core) have(s *session, m have) error {
	if len(m.Heads) > maxHeads || len(m.Sample) > maxHeads {
		return fmt.Errorf("a have with %d hashes", len(m.Heads)+len(m.Sample))
	}
	l := s.links[m.Space]
	if l == nil || l.phase != phaseDone {
		return nil
	}
	key := Key{m.Space, m.Doc}
	if !c.known(l, key) {
		c.send(s, kindDelta, delta{Space: m.Space, Doc: m.Doc, Last: true}) // nothing here, and nothing kept of the question
		return nil
	}
	t := c.talk(l, key, m.Heads)
	t.stands(m.Heads, m.Sample)
	c.queue(s, key, t)
	c.ack(s, l, key, m.Heads, s.frames)
	c.pump(s)
	return nil
}

// known reports whether this device has a document, or talks about it.
func (c *Core) known(l *link, key Key) bool {
	sh := c.shelf(key.Space)
	_, ok := sh.versions[key.Doc]
	return ok && !sh.purged[key.Doc] || l.talks[key.Doc] != nil
}

// stands takes note of where the peer says that it stands, which counts more than what it should have by now.
func (t *talk) stands(heads, sample []doc.Hash) {
	t.sent, t.known, t.from, t.differs, t.outdated = heads, sample, 0, false, true
}

// delta collects the parts of a pack and hands complete ones on.
func (c *Core) delta(s *session, m delta) error {
	if len(m.Heads) > maxHeads || len(m.Sample) > maxHeads {
		return fmt.Errorf("a delta with %d hashes", len(m.Heads)+len(m.Sample))
	}
	l := s.links[m.Space]
	if l == nil || l.phase != phaseDone {
		return nil
	}
	key := Key{m.Space, m.Doc}
	take := Take{Peer: s.peer, Key: key, session: s.number}
	if l.grant.Accept && len(m.Part) > 0 {
		t := c.talk(l, key, nil)
		if len(l.talks) > len(c.shelf(m.Space).versions)+maxListed {
			return fmt.Errorf("it talks about more than %d documents that are not here", maxListed)
		}
		t.spool = append(t.spool, m.Part...)
		if s.spooled += len(m.Part); len(t.spool) > maxPack || s.spooled > maxSpool {
			return fmt.Errorf("a pack of more than %d bytes", maxPack)
		}
		if !m.Cont {
			take.Pack = t.spool
			s.spooled -= len(t.spool)
			t.spool = nil
		}
	}
	if m.Last {
		take.Tail = &Tail{Heads: m.Heads, Sample: m.Sample, Answer: true, frame: s.frames}
	}
	if take.Pack != nil || take.Tail != nil {
		c.fx.Take = append(c.fx.Take, take)
	}
	return nil
}

// push hands new changes on.
func (c *Core) push(s *session, m push) error {
	if len(m.Heads) > maxHeads {
		return fmt.Errorf("a push with %d heads", len(m.Heads))
	}
	l := s.links[m.Space]
	if l == nil || l.phase != phaseDone || !l.grant.Accept {
		return nil
	}
	c.fx.Take = append(c.fx.Take, Take{
		Peer: s.peer, Key: Key{m.Space, m.Doc}, Changes: m.Changes, Pack: m.Pack, Tail: &Tail{Heads: m.Heads, frame: s.frames}, session: s.number,
	})
	return nil
}

// took goes on after changes of a peer were taken, or could not be.
func (c *Core) took(ev Took) {
	s := c.sessions[ev.Peer]
	if s != nil && s.number != ev.Take.session {
		s = nil // it came in an earlier session: for the one there is now, it is news like any other
	}
	if !sameHeads(ev.Before, ev.After) {
		from := PeerID("")
		if s != nil {
			from = s.peer
			if l := s.links[ev.Key.Space]; l != nil {
				if t := l.talks[ev.Key.Doc]; t != nil && sameHeads(t.sent, ev.Before) && !t.differs {
					t.sent = ev.After // it was in step, and what is new came from it
				}
			}
		}
		c.changed(from, Changed{Key: ev.Key, Before: ev.Before, After: ev.After, Changes: ev.New})
	}
	if s == nil || s.dropped {
		return
	}
	if ev.Bad != nil {
		c.drop(s, ev.Bad.Error())
		return
	}
	l := s.links[ev.Key.Space]
	if l == nil {
		return
	}
	answer := ev.Tail != nil && ev.Tail.Answer
	if t := l.talks[ev.Key.Doc]; answer && t != nil {
		c.answered(s, t)
	}
	switch {
	case ev.Err != nil:
		t := c.talk(l, ev.Key, ev.Before)
		c.stick(s, ev.Key, t, &t.stuck)
	case len(ev.Missing) > 0:
		c.lacking(s, l, ev, answer)
	case ev.Tail != nil:
		c.complete(s, l, ev)
	}
}

// lacking asks for what is still missing. A peer whose answers bring nothing, though it announces something, is hung up on.
func (c *Core) lacking(s *session, l *link, ev Took, answer bool) {
	if !l.grant.Accept {
		return
	}
	if len(l.talks) > len(c.shelf(ev.Key.Space).versions)+maxListed {
		c.drop(s, fmt.Sprintf("it talks about more than %d documents that are not here", maxListed))
		return
	}
	t := c.talk(l, ev.Key, ev.Before)
	if t.stuck {
		return // this device could not take what the peer sent: it asks again at the retry
	}
	if answer {
		fruitless := sameHeads(ev.Before, ev.After)
		if fruitless && t.stalled && l.anew[ev.Key.Doc] {
			s.dropped = true
			c.fx.Drop = append(c.fx.Drop, Dropped{Peer: s.peer, Reason: "it went on from what this device has purged: connecting again", Blameless: true})
			return
		}
		if fruitless && t.stalled {
			c.drop(s, fmt.Sprintf("its answers about document %s do not contain what they announce", ev.Key.Doc.Short()))
			return
		}
		t.stalled = fruitless
	}
	c.want(s, l, ev.Key, ev.Before)
}

// complete compares where the peer stands with where this device stands, which has everything the peer named.
func (c *Core) complete(s *session, l *link, ev Took) {
	key, heads := ev.Key, ev.Tail.Heads
	t := l.talks[key.Doc]
	if t != nil {
		t.stalled = false
		if t.differs || (ev.Tail.Answer && !c.has(key, t.sent)) {
			t.stands(heads, ev.Tail.Sample)
		}
		if !c.has(key, t.sent) && l.grant.Give && l.phase == phaseDone {
			c.queue(s, key, t) // what is sent then names this device's heads
			c.ack(s, l, key, heads, ev.Tail.frame)
			c.pump(s)
			return
		}
	}
	c.ack(s, l, key, heads, ev.Tail.frame)
	c.send(s, kindDurable, durable{Space: key.Space, Doc: key.Doc, Heads: clip(ev.After, maxHeads)})
}

// stick notes a document that this device failed to read (unread) or write (stuck), and when to try again.
func (c *Core) stick(s *session, key Key, t *talk, what *bool) {
	if !t.stuck && !t.unread {
		s.stuck = append(s.stuck, key)
	}
	*what = true
	if s.retry.IsZero() {
		s.retry = c.now.Add(retryAfter)
	}
}

// retry takes stuck documents up again, in both directions.
func (c *Core) retry(s *session) {
	keys := s.stuck
	s.stuck = nil
	for _, key := range keys {
		if l := s.links[key.Space]; l != nil && l.talks[key.Doc] != nil {
			t := l.talks[key.Doc]
			if t.stuck {
				t.stuck = false
				c.want(s, l, key, nil)
			}
			if t.unread {
				t.unread = false
				c.queue(s, key, t)
			}
		}
	}
	c.pump(s)
}
