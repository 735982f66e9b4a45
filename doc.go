// Package tombolo is a local-first sync engine for Go programs: documents that are kept on this device, edited at any time, and merged
// with those of other devices over encrypted channels, without a server.
//
//	eng, err := tombolo.Open(ctx, dir, &tombolo.Options{App: "com.example.notes"})
//	defer eng.Close()
//
//	h, err := eng.Home().Open(ctx, "shopping") // same app, same name: same document on every device
//	err = h.Change(ctx, "add milk", func(tx *doc.Tx) error { return tx.List("items").Append("milk") })
//
//	var list struct {
//		Items []string `doc:"items"`
//	}
//	err = h.Read(&list)
//	for ev := range h.Watch(ctx) { redraw(ev.Patches) } // local and remote edits alike
//	err = h.Wait(ctx, tombolo.OnDevices(2))             // on two disks
//
// What it promises:
//
//   - When [Handle.Change] returns nil, the change is on this device's disk, unless [Options].Save says [Coalesce] or [Never]. Only when it is on disk do
//     other devices hear of it.
//   - What [Handle.Status] calls durable on a device is on that device's disk, because the device said so after writing it.
//   - Nobody reads or writes a space who was not invited. Bytes of others pass doc/gate before anything else sees them.
//   - A change of another device that does not fit its document is refused before it is kept; the log names the device.
//   - An .automerge file that ended the process is named at the next start, and not read again: a [QuarantinedError].
//   - A document that does not read is set aside and never overwritten: a [DamagedError]. It heals beside a device that has it, or [Engine.Accept]
//     goes on with what could be read. [Examine] looks through all of a directory, and [Repair] mends what it can.
//   - A directory that a release has written opens in all later ones.
//   - Where the disk is nearly full, changes are errors that say so, documents can be read, and writing goes on by itself when there is room.
//   - [Engine.Backup] is of one moment, while everything goes on. [Restore] makes a new device of it, or the same one, whose changes have new actors.
//   - A program with [Options].Schemas reads what newer versions of it wrote, and does not write where that would damage it: a [schema.VersionError] says so.
//   - A document of a layout to come is kept and passed on, and not opened: a [LayoutError].
//   - [Fork] makes a device to try a new version of a program on: nothing gets from it to the original. [Derive] makes a document of an old one, and tells late edits of that.
//   - A directory that [Seal] made shows those without its secrets how many records it has and how long they are: no value, name or ID. With all secrets lost, the data is lost.
//   - One process owns a directory. A second one gets an [InUseError] that names the first. A copy of a directory is noticed: a [CopiedError].
//   - [Engine.Close] waits for everything the engine began.
//
// An Engine, its Spaces and its Handles may be used from several goroutines.
package tombolo
