// Package gate is the first stage of the trust boundary: it reads Automerge changes in pure Go and refuses what is malformed, before
// a byte of them reaches the core (where a malformed change can end the process).
//
//	c, err := gate.Parse(raw)       // form and hash: a verdict on the bytes alone
//	pos, err := graph.Add(c)        // causality: a verdict on the change and its past
//	missing := graph.Missing(theirHeads)
//	for _, pos := range graph.Since(theirHeads) {
//		send(log[pos])
//	}
//
// What it promises:
//
//   - [Parse] never panics, and takes at most a few times [MaxChangeBytes] of memory, whatever it is given.
//   - A verdict depends on the change and on its causal past only, under the versioned [Rule]: never on a setting, a clock or the order
//     of arrival. Local writes pass the same rule, so no peer writes what another refuses. The one exception is two contents for one
//     actor and sequence number: the first to arrive stays, the other is a [SequenceError] that names both.
//   - What [Graph.Add] refused leaves no trace.
//
// What it leaves to the next stage, which stands before the core and needs the document's objects: the operations themselves. Here
// they are counted and their actions are known; that the objects, elements and predecessors they name exist is not checked, so an
// admitted change may be stored and relayed, not yet applied.
//
// The format is that of https://automerge.org/automerge-binary-format-spec/; the package needs nothing but the standard library.
package gate
