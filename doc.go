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
//   - One process owns a directory. A second one gets an [InUseError] that names the first.
//   - [Engine.Close] waits for everything the engine began.
//
// An Engine, its Spaces and its Handles may be used from several goroutines.
package tombolo
