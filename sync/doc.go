// Package sync is what two devices say to each other about the documents of the spaces they share: a plain value without I/O. [Core]
// takes one event and returns effects; time comes in as a value. The engine and sync/lab carry the effects out.
//
//	fx := core.Step(now, sync.Received{Peer: p, Frame: frame})
//	for _, t := range fx.Take { … }  // check, apply and make durable; answer with Took
//	for _, f := range fx.Find { … }  // look up what a peer lacks; answer with Found
//	for _, o := range fx.Send { … }  // hand to the transport; answer with Sent once written
//
// What it promises:
//
//   - After every edit has stopped and every pair that shares a space is connected long enough, both have the same changes: sync/lab
//     tests this under cuts, crashes and any order of events.
//   - Every version (heads) a device names on the wire is on its disk. So a list entry, a delta, a push and a durable message are
//     all acknowledgements, and "synced" is true.
//   - What a device has purged it lists at the version it had, and names in a purged message before it compares. So devices with that version stay
//     in step with it, and none of them counts it among those that have the document on their disks: equality of versions is no acknowledgement
//     from a device that said it has nothing. With another version, the one that purged asks and gets the document whole. Where both have purged,
//     or the other never had it, nobody asks.
//   - A session lives as long as one connection. Nothing of it outlives [PeerDown]: what was in flight is found again by comparing.
//   - A stranger learns no space: spaces are named by hashes keyed with a secret of the space and both peers.
//   - Back-pressure is a set of documents per peer, never a queue of messages: [Window] bytes are under way at most.
//   - A broken or hostile frame costs its sender the connection, and the reason is said.
//
// One exchange, from a connection to equal documents:
//
//	hello ⇄ hello            versions, names, spaces as keyed hashes, membership digests (then members, where they differ)
//	purged ⇄ purged          documents of which only the version is left, if there are any; later ones as they are purged
//	summary ⇄ summary        count and sum of a space's documents; equal: done
//	ranges ⇄ ranges          the same by parts of the IDs, where the sums differ and documents are many
//	list ⇄ list              (document, version hash) in the parts that differ
//	have →                   heads and some ancestors of one document, from the lower peer ID, or from whoever lacks it
//	← delta                  packs of what the asker lacks, then the sender's heads
//	delta →                  the other way, if there is something
//	← durable                it is on disk
//	push →, ← durable        from then on each change as it is made
//
// The wire format is in docs/format.md. A Core is for one goroutine.
package sync
