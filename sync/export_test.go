package sync

import "tombolo/doc"

// The messages and their limits, for tests that play a peer.
type (
	Hello   = hello
	Offer   = offer
	Members = members
	Summary = summary
	List    = list
	Item    = item
	Have    = have
	Delta   = delta
	Push    = push
	Durable = durable
	Ranges  = ranges
	Gone    = purged
)

const (
	MaxHeads   = maxHeads
	MaxSample  = maxSample
	MaxSpaces  = maxSpaces
	MaxName    = maxName
	MaxPart    = maxPart
	MaxPack    = maxPack
	MaxSpool   = maxSpool
	MaxAsking  = maxAsking
	MaxFinding = maxFinding
	FindBytes  = findBytes
	ListBatch  = listBatch
	GoneBatch  = purgedBatch
	MaxRanges  = maxRanges
	RetryAfter = retryAfter
)

var (
	Decode = decode
	Token  = token
)

// Kept is how many purged documents of a peer are remembered.
func (c *Core) Kept(peer PeerID) (n int) {
	for _, l := range c.sessions[peer].links {
		n += len(l.purged)
	}
	return n
}

// Encode is the frame of any message.
func Encode(m any) []byte {
	switch m.(type) {
	case hello:
		return encode(kindHello, m)
	case members:
		return encode(kindMembers, m)
	case summary:
		return encode(kindSummary, m)
	case list:
		return encode(kindList, m)
	case have:
		return encode(kindHave, m)
	case delta:
		return encode(kindDelta, m)
	case push:
		return encode(kindPush, m)
	case ranges:
		return encode(kindRanges, m)
	case durable:
		return encode(kindDurable, m)
	case purged:
		return encode(kindPurged, m)
	}
	panic("not a message")
}

// Load is what a Core keeps about a peer.
type Load struct {
	Talks, Claims, Wants, Dirty, Stuck, Spooled, Asking, Finding, Looking, UnderWay int
}

// LoadOf counts what c keeps about p.
func (c *Core) LoadOf(p PeerID) (n Load) {
	s := c.sessions[p]
	if s == nil {
		return n
	}
	for _, l := range s.links {
		n.Talks += len(l.talks)
		n.Claims += len(l.claims)
	}
	n.Wants, n.Dirty, n.Stuck = len(s.wants), len(s.dirty), len(s.stuck)
	n.Spooled, n.Asking, n.Finding, n.Looking, n.UnderWay = s.spooled, s.asking, s.finding, s.looking, s.underWay
	return n
}

// Crowd makes c believe that p talks about as many documents that are not here as are allowed.
func (c *Core) Crowd(p PeerID, space doc.SpaceID) {
	t := &talk{asked: true}
	for i := range maxListed + 1 {
		c.sessions[p].links[space].talks[doc.ID{1, byte(i), byte(i >> 8), byte(i >> 16)}] = t
	}
}
