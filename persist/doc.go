// Package persist keeps bytes under keys, and documents' changes on top of
// that. It never looks into what it keeps: what a change is, a Codec knows.
//
// A Store is the smallest promise: ordered keys, consistent listing, writes
// that are all or nothing and durable when they return (persist/badgerstore,
// persist/memstore, or an embedder's own, checked by persist/storetest). A
// Committer makes the writes of many goroutines durable together. A Log holds
// documents: a header each, and the changes in the order in which they came.
//
// What an append acknowledged is on disk, and nothing is deleted before its
// replacement was read back. Whatever fails, and wherever a crash falls, each
// document is in a state it was given: its header never speaks of changes that
// are not there. Damage is reported, per document, and never papered over. A
// store written by a newer format is refused untouched. Everything here is
// safe for use by several goroutines, except a Batch being filled.
//
//	log, err := persist.OpenLog(ctx, store, codec)
//	defer log.Close()
//	h, err := log.Append(ctx, name, persist.Append{Changes: raw, Heads: heads, HeadsHash: sum})
//	for change, err := range log.Changes(ctx, name, 1) { … }
//	err = log.Pack(ctx, name) // when h.Loose has grown
package persist
