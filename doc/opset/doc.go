// Package opset is a document as the operations of its changes: an index in pure Go that checks what others wrote, says what the document
// holds now or held at any version, and makes the changes of local edits.
//
//	s := opset.New()
//	pos, err := s.Add(change)                  // of doc/gate; refused unless every operation fits the document
//	item, ok := s.Now().Get(opset.Root, "title")
//
//	draft, err := s.Begin(actor)               // a local change: it reads like the rest of the document at once
//	draft.Put(opset.Root, "title", value)
//	change, err := draft.Commit(opset.Note{Message: "rename", Time: now}) // or draft.Discard(): nothing happened
//
// What it promises:
//
//   - [Set.Add] is the second stage of the trust boundary (the first is gate.Parse: form). It refuses a change whose operations name objects,
//     elements or predecessors that do not exist, are of another kind, or are not in the change's causal past. The verdict depends on the change and
//     its past alone, so all peers agree. What was refused leaves no trace.
//   - Reading follows Automerge: of concurrent values under one key the one with the greatest operation ID wins, increments add up, lists and
//     texts are RGA sequences. A test compares it with the Rust core on documents of all kinds, and fuzzing on hostile ones.
//   - It keeps everything: [Set.Change] gives the exact bytes of any change back. 40 bytes an operation, its value, and about 150 bytes a change,
//     where the core takes 520 and 1,200.
//   - Adding costs the operations added, reading now costs what is read. Reading an older version walks the operations of what is read;
//     [Set.Compare] finds what differs between versions from the changes they lack.
//
// A Set is not safe for concurrent use.
package opset
