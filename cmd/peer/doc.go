// Command peer is a node that keeps documents and shares them with other devices.
//
//	peer run                          # on each machine; Ctrl-C stops it
//	peer invite                       # on one of them: prints a link
//	peer join LINK                    # on the other, once
//	peer doc create --name shopping '{"items":[]}'
//	peer status                       # which device has what on its disk
//
// What it promises:
//
//   - A command that ends with exit code 0 has made its changes durable on this device. Exit code 1 is a failure, with one
//     line on standard error that says what to try; 2 is a command line that cannot be understood.
//   - --json, on every command, makes the output one JSON value, or JSON lines for commands that go on. The shapes are those
//     of the types in this package and of tombolo.Status; errors become {"error":"…"} on standard error,
//     where long work also says how far it is: {"progress":{"doing":"…","done":5,"total":10}}, with total 0 if nobody knows.
//   - A directory has one owner. Where a node runs, commands are carried out by it; where none does, they open the
//     directory themselves, without a network (join excepted).
//
// Each command is one function over an engine and streams ([peer] carries them), whether the engine is this process's own
// or that of the running node; see reach.go for the choice and internal/control for the way to the node.
package main
