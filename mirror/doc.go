// Package mirror keeps a document and a place outside alike: a file that an editor opens, a URL, whatever else can be read and written as a whole.
//
//	m, err := mirror.New(handle, mirror.File("notes.json"), nil)
//	defer m.Close()
//	err = m.StartAutoLoad(ctx, nil) // edits of the file go into the document
//	err = m.StartAutoSave(ctx)      // changes of the document, from here and from other devices, go into the file
//	// or by hand: m.Load(ctx), m.Save(ctx)
//
// What it promises:
//
//   - Nothing is overwritten. What somebody wrote into the place is merged into the document by its difference from what was mirrored last, as if
//     another device had made that edit then: what came meanwhile survives. A save that finds an edit it has not loaded loads it first while
//     StartAutoLoad is on, and is [ErrUnread] otherwise.
//   - That holds over restarts, crashes included: the version last mirrored is kept in a [State], for a file ".NAME.tombolo" beside it.
//   - What cannot be read as a document (an empty or half-written file) is a [BadError], is neither loaded nor overwritten, and the mirror waits for
//     something better. A place that has nothing is nothing: StartAutoSave writes it again, StartAutoLoad leaves the document as it is.
//   - A save and a load of one Mirror never overlap. All methods are safe for use from several goroutines.
//
// What was decided:
//
//   - The place has the canonical JSON of the document (package doc: {"$text":…} and so on), indented, with a line break at the end; or, in a file
//     named *.automerge, the document with its history, whose changes are merged as such. A place whose content only looks different (white space,
//     order of keys) stays so until the document changes.
//   - Without a version last mirrored (the first time, or the state is lost, or is of an older store) nobody knows what the writer of the place removed. The
//     first load then removes nothing: keys that only the document has stay, everything else becomes what the place says; the history has what was there.
//   - The state is written before the place, naming what is about to be there, and after it. A load names itself in the message of its change.
//     So whatever a crash leaves is recognised, and no edit is merged twice.
//   - Who writes the place must have read what the mirror wrote last, as editors do that warn of a file changed on disk. Of an older copy written
//     over a newer one nobody can tell that the difference was not meant: it is merged, and the history has what was there.
//   - A place belongs to one Mirror. Two devices that mirror one document into a synchronised folder would both merge each edit.
//   - The mirror's edits can be undone through the [tombolo.Handle] it was given: give it one of its own.
package mirror
