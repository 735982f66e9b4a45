package sync

// Answer is what a peer has said of a document that this device does not have.
type Answer uint8

const (
	Away    Answer = iota // nothing: there is no session with it
	Unknown               // nothing, and nothing is expected: it does not share the space, or its changes are not taken
	Waiting               // it is about to say: the comparison is under way, or it was asked for the document
	Given                 // it has said what it has, and what it sent is here
)

// Compared is how many comparisons of a space with a peer have ended since the start.
func (c *Core) Compared() uint64 { return c.compares }

// Answered is what a peer has said of a document.
func (c *Core) Answered(peer PeerID, key Key) Answer {
	s := c.sessions[peer]
	if s == nil || s.dropped {
		return Away
	}
	if g, ok := s.grants[key.Space]; !ok || !g.Accept {
		return Unknown
	}
	if !s.greeted {
		return Waiting
	}
	l := s.links[key.Space]
	switch {
	case l == nil:
		return Unknown
	case l.phase != phaseDone:
		return Waiting
	}
	if t := l.talks[key.Doc]; t != nil && (t.want || t.asked || t.stuck || len(t.spool) > 0) {
		return Waiting
	}
	return Given
}
