// Package pack joins a run of changes into a pack: one record for disk and wire, without what a reader can work out again.
//
//	codec := pack.New()
//	p, err := codec.Pack(changes)                // in causal order
//	count, raw, needs, err := pack.Info(p)       // cheap: nothing is inflated
//	changes, err = codec.Unpack(p)               // the same bytes again
//	c, err := gate.Parse(changes[0])             // from others: they pass the gate like single changes
//
// What it promises:
//
//   - [Codec.Unpack] gives back the exact bytes of every change (a deflated one in its plain form), or an error: a digest over all hashes
//     finds accidental damage. It vouches for nothing else, since whoever makes a pack can make its digest too.
//   - A pack stands alone: what its changes build on is in it, or is named in its head.
//   - Reading a hostile pack takes at most about three times [MaxRaw] of memory, and never panics.
//   - Equal runs give equal packs, as long as the compressor stays the same release; any release reads them.
//   - A [Codec] is safe for concurrent use. It starts no goroutines and needs no closing.
//
// Layout ("pack 1" in docs/format.md). Numbers are unsigned LEB128:
//
//	byte     1, the codec
//	number   how many changes
//	number   how long they are in plain form, together
//	number   how many outside changes they build on, then their hashes (32 bytes each) in the order of first use
//	8 bytes  the first of the SHA-256 over the hashes of all changes in order
//	zstd     one frame with a window up to 1 MiB, which says its content size when that is over 255; for each change:
//	           number  length of the rest
//	           number  how many dependencies; then for each, in change number i (from 0),
//	             number  d: 1 to i is the change d before this one; above i, outside change number d-i-1
//	           rest    the body of the change after its dependencies
//
// Left out are the magic, the checksum, the lengths and the hashes of dependencies. Of 111 bytes of a change that types one letter, 7
// to 9 remain when 8 KiB to 1 MiB of them are packed together.
package pack
