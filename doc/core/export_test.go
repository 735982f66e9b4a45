package core

import "tombolo/doc/gate"

// Give hands chunks to the core past the gate and the graph, under the note of the box, as Add does it with what was admitted.
func (d *Doc) Give(chunks []byte) error {
	return d.with("give", func() error {
		return d.opts.noted([][]byte{chunks}, func() error { return d.give(chunks) })
	})
}

// Expect makes the document believe that it was given changes.
func (d *Doc) Expect(changes ...[]byte) error {
	_, _, err := gate.Admit(d.graph, changes)
	return err
}

// Panic is a call in which the binding panics.
func (d *Doc) Panic() error {
	return d.with("panic", func() error { panic("of the binding") })
}

// Owed is what waits for the next collection.
func Owed() int64 {
	owed.mu.Lock()
	defer owed.mu.Unlock()
	return owed.waiting
}

const CollectEvery = collectEvery

// Loose reads the frames of a file.
func Loose(saved []byte) ([]gate.Hash, error) { return loose(saved) }
