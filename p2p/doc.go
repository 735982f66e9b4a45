// Package p2p carries encrypted frames between devices that know each other.
// It is the only place that touches libp2p, and it never looks into a frame.
//
// What it promises:
//
//   - A device is its Ed25519 key. Both ends of a connection have proved theirs
//     before the first byte of ours, and everything is encrypted (TCP, Noise,
//     yamux).
//   - Only members get in (Node.Allow), and, for pairing alone, holders of an
//     invitation that is expected (Node.Expect). A stranger learns our ID and
//     nothing else; not even which protocols there are.
//   - Per member there is at most one session, and its events come strictly in
//     order: Up, Frame…, Down, and again.
//   - Frames of one session arrive whole and in order, or the session goes
//     down. Nothing is sent again afterwards; what was queued is lost.
//   - A member is looked for until it is found: at remembered addresses and on
//     the LAN (mDNS), again at once when a network comes up. A peer that falls
//     silent is down after Options.Dead.
//   - Memory per member is bounded: 4 MiB queued, one frame of MaxFrame being
//     read, and the stream's window (16 MiB at most).
//
// Five lines of use:
//
//	id, err := p2p.LoadIdentity(path)
//	node, err := p2p.Start(ctx, p2p.Options{Identity: id, Events: p2p.Events{Frame: handle}})
//	defer node.Close()
//	err = node.Allow(friend, nil)
//	err = node.Send(friend, []byte("hello")) // once Events.Up has named friend
//
// The stream's layout stands in frame.go, the pairing's in pair.go, a link's at
// Ticket.Link. All types are safe for use by several goroutines.
package p2p
