// Package schema gives a document several versions at once: programs of version 1 and of version 3 edit it at the same time, on different devices, and
// neither loses what the other wrote. Nothing is ever migrated.
//
//	var Notes = schema.MustNew("com.example.notes",
//		schema.V(1, schema.Object(schema.Root, schema.Text("title"), schema.Bool("done"))),
//		schema.V(2, schema.Rename(schema.Root, "title", "name")),
//	)
//	var view = schema.MustBind[Note](Notes, 2)
//
//	note, report, err := view.Read(h)                                   // h is a *tombolo.Handle
//	err = view.Update(ctx, h, "done", func(n *Note) error { n.Done = true; return nil })
//
// What it promises:
//
//   - Every field has one place in the document for ever. A version is a view: reading computes from what is stored, and reading, opening and
//     upgrading a program write nothing.
//   - Writing writes what differs and no more: keys that a version does not know stay. A field that was renamed or moved is the same field for all.
//   - Where a step translates values (a lens), the old field stays the place of the old version, and the new values stand beside it. An echo of the old
//     value says who wrote last. An edit of one side is lost only to an edit of the other side that was made at the same time. An older
//     version that sets a value back to what a newer one left there brings back what the newer one had.
//   - Documents with the same changes show the same in each version.
//   - A value that does not fit is reported, kept, and never overwritten by reading, nor by writing other fields.
//   - An update happens as a whole or leaves no trace, also when a function of the application fails or panics.
//   - Older programs read, store and pass on what newer ones wrote, and write too, unless a step says [RequireWriter]. A program with another definition
//     of the same version may only read ([ForkedError]).
//   - Declarations and Go types are checked when the program starts: [New] and [Bind] name the step and the field.
//
// A Schema and a View are safe for concurrent use. Package schematest tests a schema against its released versions; docs/schema.md is a tutorial.
//
// # Plain versions
//
// [Plain] is for applications that want versions as Go code: per version a Load, which makes its data of the version before's, and perhaps a Save, which
// checks. Loading converts and writes nothing. The first save by a version copies the data to a place of its own; older places stay, and older versions only
// read from then on. Devices that upgrade the same data apart share one copy. What went to a place that does not count is a [LateEdit]:
// reported, kept, and taken in with [PlainHandle.Resolve].
//
// # Invariants of the code
//
// A [Schema] is compiled to trees of nodes, one tree for each object type and version. Nodes never change: a step copies. A read walks the tree of one
// version over a [doc.Content]; it is a pure function of what is stored. A write is planned as a whole from one read and then carried out: containers
// first, then seeds, then values (see [doc.Tx.Seed]); nothing is written before the last function of the application has answered. Containers are
// made on first need by package doc, each by a change that follows from its place alone. Groups (steps with a lens) keep what layout.go says.
package schema
