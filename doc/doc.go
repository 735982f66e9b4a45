// Package doc is a document: a value that several devices write apart and that merges, with its history. The format is Automerge's; reading, writing
// and merging are in Go, and the Rust core (doc/core, cgo) has a part in .automerge files alone.
//
//	d, err := doc.New(id, rand.Reader)
//	_, err = d.Apply(doc.Genesis(id, "com.example.notes"))
//	edited, err := d.Edit(doc.Note{Message: "add milk", Time: now}, func(tx *doc.Tx) error {
//		return tx.List("items").Append("milk")
//	})
//	// edited.Changes are the bytes to make durable first and to send to peers afterwards
//	items, err := doc.Get[[]string](d, "items")
//
// What it promises:
//
//   - Documents with the same changes have the same value, in whatever order those came. [HeadsHash] and [Doc.Hash] compare them.
//   - An edit happens as a whole or leaves no trace, also when its function panics. It writes what differs and no more.
//   - [Doc.Apply] tells the truth: what was new, what is missing, what was refused. It takes bytes from anyone: doc/gate and doc/opset check them.
//   - Nothing is guessed: a value or path that does not fit is an error that names the place ([PathError], [ValueError]).
//   - A Doc, a [Version] and an [Undo] are safe for use from several goroutines. Actors are random and new at every open, never stored.
//
// Paths are JSON Pointers ("/items/0/title"), or a plain key for a pointer with that one key; "" is the whole document.
//
// # Documents
//
// An [ID] is random ([NewID]) or follows from app and name ([NamedID]); a [URL] names a document in a space. Each document starts with the same [Genesis]
// everywhere. [New] and [Load] open one, from its changes; [Doc.Changes] and [Doc.Change] give those; [Doc.Close] gives it up.
// [Doc.Save], [ReadSaved] and [Imported] are for .automerge files, which other Automerge libraries read and write.
//
// # Types
//
// Structs with tags, maps, slices, pointers, times, bytes and types with hooks are stored as package doc/value says, and checked when the type is
// registered. [Text] and [Counter] merge character by character and increment by increment; a [Set] by element:
//
//	type Task struct {
//		Title string          `doc:"title,text"`
//		Votes int             `doc:"votes,counter"`
//		Due   *time.Time      `doc:"due,omitempty"`
//		Tags  doc.Set[string] `doc:"tags"`
//	}
//
// # Writing
//
// [Doc.Edit] runs a function with a [Tx]; what it writes is one change. [Tx.Set] and [Tx.Put] write a Go value over what is there: fields of a
// struct, elements of a list and characters of a text that are equal stay, and so do keys that the struct does not know. [Tx.Remove] takes a value away.
// [Tx.List] appends, inserts, deletes and reinserts; [Tx.Text] splices; [Tx.Add] counts; [Tx.Patch] applies a JSON Patch:
//
//	err = tx.Set("/tasks/7", task)
//	err = tx.Text("/tasks/7/title").Splice(0, 4, "oat milk")
//	err = tx.Add("/tasks/7/votes", 1)
//
// Containers at fixed paths (map keys only) are made by changes that follow from document, path and kind alone, so that two devices that create a
// list at /items apart share that list and all items of both. So what each device fills in at the start, such as a text or list of defaults, is there
// twice after they met: begin with empty ones, or show defaults without writing them. Such containers are cleared and hidden, never deleted: see docs/format.md. Go arrays are
// the exception: they keep their length, so one of two that were made apart counts. [Tx.Seed] begins a place with content by a change that follows from
// that content: devices that do so apart have begun it once.
//
// A [Table] holds records of one type by ID, with times, deletion and restoring. An [Action] is a named edit with a payload, which the history shows.
//
// # Reading
//
// [Doc.Get] reads the Go form, [Doc.Read] and [Get] a Go variable, [Doc.JSON] the canonical JSON ([EncodeJSON], [DecodeJSON]): equal values give equal bytes.
// The same methods of [Tx] see what was written so far, and those of [Version], which [Doc.At] gives, the document at older heads. A [Cursor]
// stays at its character or element while others edit. [Doc.Content] looks at the whole value where it lies, without a copy.
// [Doc.Conflicts] are the values that devices wrote in one place apart, and [Doc.AllConflicts] says where there are any.
//
// # Changes
//
// [Doc.PatchesSince] and [Doc.Diff] say what changed as a list of [Patch], at a cost that follows the change and not the document: this is what
// screens redraw from, and [ApplyPatches] keeps a copy of the value up to date. [Doc.History] yields who changed what, when and why, as claimed.
// [Doc.Revert] makes an older version the value again; [Doc.Undo] and [Doc.Redo] take back the steps of one user, and [Doc.TakeBack] any
// change, without what others wrote since:
//
//	patches, seen, err := d.PatchesSince(seen)
//	u.Did(edited)
//	edited, err = d.Undo(u, doc.Note{Message: "undo"})
//
// # Records
//
// A table is a map at a fixed path, from the ID of a record to a map with its fields. Only one thing more is stored: the key $deleted with
// the time of deletion, in a record that is deleted. It is a mark and no removal, so that what others write at the same time is not lost and
// everything can be restored. When a record was created and updated follows from the changes that wrote it: it takes no place, cannot be in
// conflict, and counts edits made in any way; a copy without history starts these times again. A record under a new ID is made within
// the edit's own change, one under a given ID by a change that follows from its path, as all containers at fixed paths are, so that two
// devices share it. A container that comes into a record later is made by a change that follows from the operation that made the record.
//
// # Marks
//
// The key $m of the root map belongs to the engine (app, name, removed containers, deletion, versions of a schema that wrote here): [Doc.Marks],
// [Tx.SetName], [Tx.SetDeleted], [Tx.MarkSchema] and [Tx.RequireWriter]. It is hidden from reading and refused in writing.
package doc
