package sync

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"time"

	"tombolo/doc"
	"tombolo/doc/pack"
)

// Limits of one session.
const (
	// Window is how many bytes may be under way to a peer before its documents wait their turn.
	Window = 1 << 20
	// maxAsking is how many documents a session asks for at a time.
	maxAsking = 16
	// findBytes is what one look-up should give when no other document waits: a few frames.
	findBytes = 512 << 10
	// shareBytes is that when others do, so that all look-ups under way fit into the window.
	shareBytes = Window / maxFinding
	// retryAfter is the pause after this device failed to take or find a document (a full disk, say).
	retryAfter = 10 * time.Second
)

// Options describes this device to a Core.
type Options struct {
	Self  PeerID
	Name  string      // for people, shown on the other devices; up to 256 bytes of it
	Codec *pack.Codec // packs changes for the wire
}

// Core decides what to say to whom. It is for one goroutine.
type Core struct {
	opts     Options
	docs     map[doc.SpaceID]*shelf
	sessions map[PeerID]*session
	begun    uint64 // sessions so far
	compares uint64 // comparisons that have ended so far
	fx       Effects
	now      time.Time
}

// shelf is the documents of one space by version, with their sum, so that two shelves compare in 40 bytes.
type shelf struct {
	versions map[doc.ID]version
	purged   map[doc.ID]bool // those of which only the version is left
	sum      [4]uint64       // sum modulo 2^256 of a hash over each (document, version)
}

// New is a Core that knows no documents and no peers.
func New(opts Options) *Core {
	opts.Name = strings.ToValidUTF8(opts.Name[:min(len(opts.Name), maxName)], "") // others refuse what is longer, and what is not text
	return &Core{opts: opts, docs: map[doc.SpaceID]*shelf{}, sessions: map[PeerID]*session{}}
}

// Know tells the Core, before its first session, of a document this device has. Heads are given by their HeadsHash.
func (c *Core) Know(key Key, headsHash [32]byte) {
	c.shelf(key.Space).put(key.Doc, version(headsHash[:16]))
}

// Forget removes a document from this device's list, with what sessions say about it: it moved to another space or was purged.
func (c *Core) Forget(key Key) {
	c.shelf(key.Space).remove(key.Doc)
	for _, s := range c.sessions {
		l := s.links[key.Space]
		if l == nil || l.talks[key.Doc] == nil {
			continue
		}
		t := l.talks[key.Doc]
		s.spooled -= len(t.spool)
		t.spool, t.theirs = nil, nil
		t.stands(nil, nil)
		if t.idle() { // else what is under way ends first: the peer may wait for an answer
			delete(l.talks, key.Doc)
		}
	}
}

func (c *Core) shelf(space doc.SpaceID) *shelf {
	sh := c.docs[space]
	if sh == nil {
		sh = &shelf{versions: map[doc.ID]version{}, purged: map[doc.ID]bool{}}
		c.docs[space] = sh
	}
	return sh
}

func (sh *shelf) put(id doc.ID, v version) {
	sh.remove(id)
	sh.versions[id] = v
	sh.add(id, v, bits.Add64)
}

func (sh *shelf) remove(id doc.ID) {
	if v, ok := sh.versions[id]; ok {
		sh.add(id, v, bits.Sub64)
		delete(sh.versions, id)
		delete(sh.purged, id)
	}
}

func (sh *shelf) add(id doc.ID, v version, op func(x, y, carry uint64) (uint64, uint64)) {
	h := itemHash(id, v)
	var carry uint64
	for i := range sh.sum {
		sh.sum[i], carry = op(sh.sum[i], binary.LittleEndian.Uint64(h[8*i:]), carry)
	}
}

func itemHash(id doc.ID, v version) [32]byte { return sha256.Sum256(append(id[:], v[:]...)) }

func (sh *shelf) summary(space doc.SpaceID) summary {
	m := summary{Space: space, Count: uint64(len(sh.versions))}
	for i, w := range sh.sum {
		binary.LittleEndian.PutUint64(m.Sum[8*i:], w)
	}
	return m
}

func versionOf(id doc.ID, heads []doc.Hash) version {
	h := doc.HeadsHash(id, heads)
	return version(h[:16])
}

// has reports whether this device's version of a document is that of heads. A document it does not have is at no heads.
func (c *Core) has(key Key, heads []doc.Hash) bool {
	sh := c.shelf(key.Space)
	v, ok := sh.versions[key.Doc]
	if !ok || sh.purged[key.Doc] {
		return len(heads) == 0
	}
	return v == versionOf(key.Doc, heads)
}

// Step takes one event and says what the world should do about it.
func (c *Core) Step(now time.Time, ev Event) Effects {
	c.fx, c.now = Effects{}, now
	switch ev := ev.(type) {
	case PeerUp:
		c.peerUp(ev)
	case PeerDown:
		c.peerDown(ev.Peer)
	case Granted:
		c.granted(ev)
	case Joined:
		c.joined(ev)
	case Changed:
		c.changed("", ev)
	case Lost:
		c.lost(ev)
	case Purged:
		c.purge(ev)
	default:
		c.stepSession(ev)
	}
	fx := c.fx
	fx.Wake = c.wake()
	c.fx = Effects{}
	return fx
}

// stepSession handles the events of one session. What comes for a session that is over has no effect.
func (c *Core) stepSession(ev Event) {
	switch ev := ev.(type) {
	case Received:
		if s := c.sessions[ev.Peer]; s != nil {
			s.frames++
			m, err := decode(ev.Frame)
			if err == nil {
				err = c.receive(s, m)
			}
			if err != nil {
				c.drop(s, err.Error())
			}
		}
	case Sent:
		if s := c.sessions[ev.Peer]; s != nil {
			s.underWay = max(0, s.underWay-ev.N) // it may be about frames of the session before
			c.lists(s)
			c.pump(s)
		}
	case Found:
		if s := c.sessions[ev.Peer]; s != nil && s.number == ev.Find.session {
			c.found(s, ev)
		}
	case Took:
		c.took(ev)
	case Tick:
		for _, s := range c.sorted() {
			if !s.retry.IsZero() && !c.now.Before(s.retry) {
				s.retry = time.Time{}
				c.retry(s)
			}
		}
	}
}

// wake is the earliest time any session wants to be stepped at.
func (c *Core) wake() time.Time {
	var t time.Time
	for _, s := range c.sessions {
		if !s.retry.IsZero() && (t.IsZero() || s.retry.Before(t)) {
			t = s.retry
		}
	}
	return t
}

// sorted gives the sessions in a fixed order, so that the same events give the same effects.
func (c *Core) sorted() []*session {
	return slices.SortedFunc(maps.Values(c.sessions), func(a, b *session) int { return cmp.Compare(a.peer, b.peer) })
}

func (c *Core) send(s *session, k kind, m any) {
	frame := encode(k, m)
	s.underWay += len(frame)
	c.fx.Send = append(c.fx.Send, Outgoing{s.peer, frame})
}

// drop hangs up. The session stays until the transport says PeerDown, but nothing more is sent or taken.
func (c *Core) drop(s *session, reason string) {
	if !s.dropped {
		s.dropped = true
		c.fx.Drop = append(c.fx.Drop, Dropped{Peer: s.peer, Reason: reason})
	}
}

// again hangs up so that the next session begins with a comparison under the rights there are now. Frames of the comparison before
// could not be told from those of a second one in the same session.
func (c *Core) again(s *session) {
	if !s.dropped {
		s.dropped = true
		c.fx.Drop = append(c.fx.Drop, Dropped{Peer: s.peer, Reason: "who may do what in a space has changed: connecting again", Blameless: true})
	}
}

// token names a space to a peer: only one who knows the space's secret can tell which space it is.
func token(secret [32]byte, from, to PeerID) [16]byte {
	m := hmac.New(sha256.New, secret[:])
	fmt.Fprintf(m, "tombolo hello 1|%s|%s", from, to)
	return [16]byte(m.Sum(nil))
}

// changed spreads changes that are durable here to every session but the one they came from.
func (c *Core) changed(from PeerID, ev Changed) {
	hash := doc.HeadsHash(ev.Key.Doc, ev.After)
	c.Know(ev.Key, hash)
	for _, s := range c.sorted() {
		if s.peer != from {
			c.spread(s, ev)
		}
	}
}

// spread pushes a change to a peer that has everything before it. To one that lacks more, it is looked up; one that has it already, or
// is not sent any by this device, is told that it is durable here.
func (c *Core) spread(s *session, ev Changed) {
	l := s.links[ev.Key.Space]
	if l == nil || s.dropped || l.phase == phaseNone {
		return
	}
	t := c.talk(l, ev.Key, ev.Before)
	if l.phase != phaseDone {
		return // the comparison will tell
	}
	has := sameHeads(t.theirs, ev.After)
	if has {
		t.sent = ev.After
	}
	if has || !l.grant.Give {
		c.send(s, kindDurable, durable{Space: ev.Key.Space, Doc: ev.Key.Doc, Heads: clip(ev.After, maxHeads)})
		c.settle(l, ev.Key, t)
		return
	}
	size := 0
	for _, raw := range ev.Changes {
		size += len(raw)
	}
	inStep := !t.dirty && !t.finding && !t.differs && sameHeads(t.sent, ev.Before)
	if inStep && len(ev.Changes) > 0 && size <= MaxPush && s.underWay < Window {
		t.sent = ev.After
		m := push{Space: ev.Key.Space, Doc: ev.Key.Doc, Changes: ev.Changes, Heads: clip(ev.After, maxHeads)}
		if len(ev.Changes) >= packFrom {
			if p, err := c.opts.Codec.Pack(ev.Changes); err == nil { // raw they are as good
				m.Changes, m.Pack = nil, p
			}
		}
		c.send(s, kindPush, m)
		return
	}
	if !t.differs { // where versions differ, the peer's heads come first
		c.queue(s, ev.Key, t)
	}
	c.pump(s)
}

func sameHeads(a, b []doc.Hash) bool { return slices.Equal(a, b) }
