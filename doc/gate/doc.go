// Package gate is the first stage of the trust boundary: it reads Automerge changes in pure Go and refuses what is malformed, before
// a byte of them reaches the core (where a malformed change can end the process).
//
//	c, err := gate.Parse(raw)       // form, hash and operations: a verdict on the bytes alone
//	for op := range c.Operations() {
//		fmt.Println(op.Action, op.Key)
//	}
//	pos, err := graph.Add(c)        // causality: a verdict on the change and its past
//	missing := graph.Missing(theirHeads)
//	for _, pos := range graph.Since(theirHeads) {
//		send(log[pos])
//	}
//
// What it promises:
//
//   - [Parse] never panics, and takes at most a few times [MaxChangeBytes] of memory, whatever it is given. It costs about a microsecond
//     for a small change and 60 nanoseconds for each operation of a large one.
//   - A change has one spelling: [Encode] makes the same bytes of what Parse read, and so does the core. One that the core would spell in
//     another way changes its hash when a document is saved, and then the document cannot be loaded.
//   - A verdict depends on the change and on its causal past only, under the versioned [Rule]: never on a setting, a clock or the order
//     of arrival. Local writes pass the same rule, so no peer writes what another refuses. The one exception is two contents for one
//     actor and sequence number: the first to arrive stays, the other is a [SequenceError] that names both.
//   - What [Graph.Add] refused leaves no trace.
//
// What the bytes alone do not tell is left to the next stage, which stands before the core and knows the document: whether the objects,
// elements and predecessors that operations name exist and fit. A change that Parse took may be stored and relayed, not yet applied.
//
// The format is that of https://automerge.org/automerge-binary-format-spec/; the package needs nothing but the standard library.
package gate
