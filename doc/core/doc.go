// Package core is the one door to the Rust core of Automerge: it reads and writes whole documents in Automerge's own format, and is a
// second opinion in tests and fuzzing. Nothing on the way of an edit needs it.
//
//	d, err := core.FromChanges(changes, core.Options{Box: box, Doc: id}) // what doc/gate admitted, in causal order
//	defer d.Close()                                                      // gives back its C memory at once
//	file, err := d.Save()                                                // an .automerge file
//	d, err = core.Load(file, core.Options{})                             // only the user's own files
//	changes, err = d.Changes()                                           // plain, in causal order
//
// What it promises:
//
//   - An answer is true. After [FromChanges], [Load] and [Doc.Add] the core holds exactly the changes it was given: its heads are compared
//     with those of a [gate.Graph] of the same changes. Where they differ there is an [Error] and no document. What the gate refuses, or
//     what builds on changes the document lacks, is refused before the core sees it, and the document stays as it was.
//   - Every method is safe for use from several goroutines; after [Doc.Close] each returns [ErrClosed]. Panics of the binding are errors.
//   - C memory is accounted for ([InUse]) and given back by [Doc.Close], not by some later garbage collection. What the binding hides in
//     a call, and documents that nobody closed, are left to its finalizers; collections are then paced by estimated bytes.
//   - Bytes from outside are noted in a [Box] while the core has them, so that a process that dies of them knows at its next start.
//   - A build without cgo, or for a system the core does not exist for, compiles: constructors return [ErrNoCore].
//
// A malformed document ends the process: the core is built so. The gate checks changes, and nobody can check a document chunk without
// being Automerge; nor does the size of a file bound the memory it unfolds to (2 KB can stand for 600 MB). So strangers' documents never
// come here, and the user's own go past a [Box].
//
// What the binding has and this package has not, because it crashes, lies or deadlocks: applying its change objects (applies others
// too), more than two hashes in any call (use after free), merge and fork, its sync messages (unchecked checksums), handles of maps,
// lists and texts, paths, and every write (with them silent commits, the clock in changes, numbers turned into floats).
package core
