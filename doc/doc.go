// Package doc is a document: one Automerge CRDT with an identity, its history and its value. It is the only package that
// touches Automerge (and cgo).
//
//	d := doc.New(id, rand.Reader)
//	d.Apply(doc.Genesis(id, "com.example.notes"))
//	edited, err := d.Edit(doc.Note{Message: "add milk", Time: now}, func(tx *doc.Tx) error {
//		return tx.List("items").Append("milk")
//	})
//	// edited.Changes are the bytes to make durable first and to send to peers afterwards
//
// What it promises:
//
//   - A document starts with the same genesis change everywhere: its bytes follow from app and ID alone ([Genesis]). Containers at
//     fixed paths (map keys only) come from changes that follow from document, path and kind alone, so that two devices that create
//     a list at /items apart share that list and all items of both. Such containers are cleared, never deleted: see docs/format.md.
//   - [Doc.Apply] tells the truth: what was new, what is missing, what was refused. Nothing reaches the core before doc/gate read it.
//   - An error in the function given to [Doc.Edit] leaves the document as it was.
//   - Values have one canonical JSON form ([EncodeJSON]): equal documents give equal bytes on every peer.
//   - A Doc is safe for use from several goroutines. Actors are random and new at every open, never stored.
//
// The key $m of the root map belongs to the engine (app, name, marks); it is hidden from reading and refused in writing.
//
// # Records
//
// A [Table] is a map at a fixed path, from the ID of a record to a map with its fields. Only one thing more is stored: the key $deleted with
// the time of deletion, in a record that is deleted. It is a mark and no removal, so that what others write at the same time is not lost and
// everything can be restored. When a record was created and updated follows from the changes that wrote it: it takes no place, cannot be in
// conflict, and counts edits made in any way; a copy without history starts these times again. A record under a new ID is made within
// the edit's own change, one under a given ID by a change that follows from its path, as all containers at fixed paths are, so that two
// devices share it. A container that comes into a record later is made by a change that follows from the operation that made the record.
//
// An [Action] is a named edit: its name and payload are the message of its change.
package doc
