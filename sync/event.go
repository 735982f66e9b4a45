package sync

import (
	"time"

	"tombolo/doc"
)

// PeerID names a device, as the transport authenticated it.
type PeerID string

// Key names a document in a space. The same ID in two spaces is two documents.
type Key struct {
	Space doc.SpaceID
	Doc   doc.ID
}

// Event is what happened: one of the types below.
type Event interface{ event() }

// PeerUp begins a session. Spaces are those that, as far as this device knows, the peer is a member of too.
type PeerUp struct {
	Peer   PeerID
	Spaces []Grant
}

// Grant says what a session may do in a space.
type Grant struct {
	Space   doc.SpaceID
	Secret  [32]byte // known to members only
	Members [8]byte  // the state of this device's membership log
	Give    bool     // this device may write: its changes are sent
	Accept  bool     // the peer may write: its changes are taken
}

// PeerDown ends a session and forgets it.
type PeerDown struct{ Peer PeerID }

// Received is a frame from a peer. Frames of one session come in the order in which they were sent.
type Received struct {
	Peer  PeerID
	Frame []byte
}

// Sent says that n bytes of frames for a peer have been written to the network.
type Sent struct {
	Peer PeerID
	N    int
}

// Changed says that a document has, durably, new changes that were made here. A document that is new has no Before.
type Changed struct {
	Key           Key
	Before, After []doc.Hash
	Changes       [][]byte // raw, causal order; none where they are too many to keep at hand
}

// Found answers a [Find], which it repeats.
type Found struct {
	Find
	Packs  [][]byte   // what the peer lacks, in causal order
	Next   uint64     // where to go on; 0 for nothing more
	Heads  []doc.Hash // this device's durable heads now; none where it does not have the document
	Sample []doc.Hash // some ancestors of them
	Err    error      // this device cannot read the document now; it is tried again later
}

// Took answers a [Take], which it repeats; pack and changes may be left out.
type Took struct {
	Take
	Before, After []doc.Hash // durable heads before and after; equal where nothing was new
	New           [][]byte   // the changes that were new, raw; none where they are too many to keep at hand
	Missing       []doc.Hash // named by the peer, as dependency or in the tail, but not here: more has to be asked for
	Bad           error      // the peer's fault: it loses the connection
	Err           error      // this device's fault: it is tried again later
}

// Granted replaces what a running session may do, after the membership of a space changed. Where a role changed, or a space comes
// back, the session is dropped and the next one compares again.
type Granted struct {
	Peer   PeerID
	Spaces []Grant
}

// Joined carries a space's membership log to the peers that share the space: to all after it changed here, or to one, in answer to
// [Told].
type Joined struct {
	Peer    PeerID // empty for all
	Space   doc.SpaceID
	Records [][]byte
}

// Purged says that this device has dropped everything of a document but its version: see [Core.Bury].
type Purged struct {
	Key       Key
	HeadsHash [32]byte
}

// Tick says that the time asked for by [Effects].Wake has come.
type Tick struct{}

func (PeerUp) event()   {}
func (PeerDown) event() {}
func (Received) event() {}
func (Sent) event()     {}
func (Changed) event()  {}
func (Found) event()    {}
func (Took) event()     {}
func (Granted) event()  {}
func (Joined) event()   {}
func (Purged) event()   {}
func (Tick) event()     {}

// Effects is what the world should do, in any order across fields but in slice order within one. Nothing here names heads that
// are not durable, so nothing has to be saved before it is sent.
type Effects struct {
	Take  []Take     // changes from a peer: check, apply, make durable, answer with Took; in order for one document
	Find  []Find     // look up what a peer lacks, answer with Found
	Send  []Outgoing // hand to the transport in this order
	Learn []Learned  // membership records from a peer: verify and merge
	Tell  []Told     // a peer's membership log differs: answer with Joined
	Acks  []Ack      // news about what is on a peer's disk
	Met   []Met      // the peer introduced itself
	Drop  []Dropped  // hang up, and why
	Wake  time.Time  // step with a Tick then; zero for never
}

// Take is changes of one document from a peer: a pack, or raw changes, or only the tail of an answer.
type Take struct {
	Peer    PeerID
	Key     Key
	Pack    []byte
	Changes [][]byte
	Tail    *Tail // nil within an answer

	session uint64 // in which it came
}

// Tail says where the peer stands, after the changes it comes with.
type Tail struct {
	Heads, Sample []doc.Hash
	Answer        bool // it ends the answer to what this device asked

	frame uint64 // the frame it came in
}

// Find asks what this device has of a document: where it stands, and the changes that a peer lacks.
type Find struct {
	Peer  PeerID
	Key   Key
	Stand bool       // only heads and sample are wanted
	Known []doc.Hash // the peer has these and all before them; hashes unknown here are ignored
	From  uint64     // where an earlier answer stopped
	Bytes int        // about how many bytes of packs to give

	session uint64 // for which it is
}

// Outgoing is a frame for a peer.
type Outgoing struct {
	Peer  PeerID
	Frame []byte
}

// Learned is a space's membership log as a peer has it.
type Learned struct {
	Peer    PeerID
	Space   doc.SpaceID
	Records [][]byte
}

// Told names a peer that should get this device's membership log of a space.
type Told struct {
	Peer  PeerID
	Space doc.SpaceID
}

// Ack says what a peer has of a document on its disk.
type Ack struct {
	Peer  PeerID
	Key   Key
	Heads []doc.Hash // nil where Same
	Same  bool       // the heads this device has
}

// Met is what a peer says of itself.
type Met struct {
	Peer PeerID
	Name string
}

// Dropped names a peer to hang up on.
type Dropped struct {
	Peer      PeerID
	Reason    string
	Blameless bool // it did nothing wrong: connect again soon
}
