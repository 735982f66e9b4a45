package gate

import (
	"errors"
	"fmt"
)

// Rule is the version of everything this package refuses. The limits below belong to it: changing one makes peers disagree on what a
// document holds, so it takes a new rule and a protocol version that announces it.
const Rule = 1

// Limits of rule 1. They bound what one change can cost a reader, since a few hundred bytes of change can stand for a million
// operations, at about 600 bytes of the core's memory each.
const (
	MaxChangeBytes = 16 << 20  // bytes of the plain chunk, header included
	MaxOps         = 1 << 20   // operations of one change
	MaxPreds       = 1 << 20   // predecessors of all operations of one change
	MaxDeps        = 4096      // dependencies of one change
	MaxActors      = 1 << 14   // other actors one change refers to
	MaxActorBytes  = 64        // length of an actor ID; Automerge's own are 16 bytes long
	MaxCounter     = 1<<32 - 1 // seq, startOp, and startOp plus the number of operations: the core ends the process beyond
	MaxTime        = 1 << 53   // seconds before or after 1970; the core cannot load again what is far beyond
	MaxFooter      = 4096      // bytes behind the columns of one change
	MaxDepth       = 1000      // containers in each other: Go and other readers recurse over them
	MaxSkip        = 1 << 20   // how far startOp may lie beyond the operations of the past: one change must not use up the counter
)

// ErrDocument is the verdict of [Parse] on a document chunk (a whole saved document). The gate reads changes only, so nothing in such a
// chunk could be checked; ask for the changes instead.
var ErrDocument = errors.New("gate: this is a whole saved document, only single changes are read; send its changes instead")

// ErrKnown is the answer of [Graph.Add] to a change it has; the position returned with it is the one the change has.
var ErrKnown = errors.New("gate: the change is known already")

// FormError is the verdict on bytes that are not a well-formed change. Asking the same sender again gives the same bytes: ask another.
type FormError struct {
	Reason string // what is wrong, for a person
}

// Error says what is wrong with the form.
func (e *FormError) Error() string {
	return "gate: malformed change: " + e.Reason + "; get it again from another device"
}

// LimitError is the verdict on a change that goes beyond a limit of the [Rule]. A writer that meets it splits its edit.
type LimitError struct {
	What      string // what there is too much of, in the plural
	Have, Max uint64 // Have may be the first value known to be over Max, where counting stopped
}

// Error names the limit and by how much it is exceeded.
func (e *LimitError) Error() string {
	return fmt.Sprintf("gate: change with %d or more %s, %d are allowed; split the edit", e.Have, e.What, e.Max)
}

// MissingError says that a change cannot be judged yet: it builds on changes that are unknown here. Get those, then add it again.
type MissingError struct {
	Change  Hash
	Missing []Hash // in the order in which the change lists them
}

// Error counts what is missing and names the first few.
func (e *MissingError) Error() string {
	few := e.Missing[:min(3, len(e.Missing))]
	return fmt.Sprintf("gate: change %.8v needs %d unknown changes %.8v; get those and add it again", e.Change, len(e.Missing), few)
}

// SequenceError is the final verdict on a change that does not continue the history of its actor, or counts its operations wrongly.
type SequenceError struct {
	Change Hash
	Actor  []byte
	Seq    uint64
	Holder Hash   // the other change with this actor and sequence number, when it is known here; else zero
	Reason string // what is wrong, for a person
}

// Error says what is wrong with the sequence.
func (e *SequenceError) Error() string {
	s := fmt.Sprintf("gate: change %.8v (actor %.8x, number %d): %s", e.Change, e.Actor, e.Seq, e.Reason)
	if e.Holder != (Hash{}) {
		return fmt.Sprintf("%s, held by %.8v; one of the two writers used a copied actor, reopen its document", s, e.Holder)
	}
	return s + "; its writer is faulty, get the document from another device"
}
