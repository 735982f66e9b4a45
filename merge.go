package tombolo

import (
	"context"
	"errors"
	"fmt"

	"tombolo/doc"
	"tombolo/doc/core"
	"tombolo/doc/gate"
)

// SavedError reports an .automerge file that cannot be merged into a document.
type SavedError struct{ Err error }

// Error says what is wrong.
func (e *SavedError) Error() string { return fmt.Sprintf("merge an .automerge file: %v", e.Err) }

// Unwrap gives what is wrong.
func (e *SavedError) Unwrap() error { return e.Err }

// Merge adds the changes of an .automerge file to the document: of one that [Handle.Export] wrote, here or on another device, and that this
// or another program went on with. It gives the version that the file has, and returns when all of it is on this device's disk. A file that
// is damaged, is of another document, or has changes that the engine does not admit is a [SavedError], and then nothing was merged. Only
// files of one's own, as for [Space.Import].
func (h *Handle) Merge(ctx context.Context, saved []byte) ([]doc.Hash, error) {
	if err := h.use(); err != nil {
		return nil, err
	}
	defer h.e.work.Done()
	heads, p, err := h.merge(ctx, saved)
	if err != nil {
		return nil, err
	}
	if err := p.Wait(ctx); err != nil {
		return nil, err
	}
	return heads, nil
}

func (h *Handle) merge(ctx context.Context, saved []byte) ([]doc.Hash, *Pending, error) {
	d, err := h.load(ctx)
	if err != nil {
		return nil, nil, err
	}
	key := d.key
	marks, err := d.full.Marks()
	d.mu.Unlock() // the core takes its time
	if err != nil {
		return nil, nil, err
	}
	changes, heads, err := h.e.readSaved(noted{h.e, key}, marks.App, saved)
	if err != nil {
		return nil, nil, err
	}
	if d, err = h.load(ctx); err != nil {
		return nil, nil, err
	}
	defer d.mu.Unlock()
	if err := h.e.mayWrite(d.key.Space); err != nil {
		return nil, nil, err
	}
	before := d.graph.Heads()
	applied, err := d.full.Apply(changes...)
	if err != nil {
		return nil, nil, &SavedError{err}
	}
	if len(applied.New) == 0 {
		return heads, d.underWay(), nil
	}
	s := &save{before: before}
	for _, c := range applied.New {
		s.changes = append(s.changes, c.Raw)
	}
	return heads, &Pending{s: d.submit(s, d.marks())}, nil
}

// readSaved gives the changes of a file of the document that n names, and its version.
func (e *Engine) readSaved(n noted, app string, saved []byte) ([][]byte, []doc.Hash, error) {
	changes, err := doc.ReadSaved(saved, n)
	if errors.Is(err, core.ErrNoCore) {
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, &SavedError{err}
	}
	alone, err := doc.Load(n.key.Doc, changes, e.opts.Rand)
	if err != nil {
		return nil, nil, &SavedError{err}
	}
	defer alone.Close()
	if !alone.Graph().Has(gate.HashOf(doc.Genesis(n.key.Doc, app))) {
		return nil, nil, &SavedError{fmt.Errorf("it is not of document %s; import it as a new one", n.key.Doc.Short())}
	}
	if marks, err := alone.Marks(); err != nil || marks.Layout == 0 {
		return nil, nil, &SavedError{errors.Join(err, doc.ErrNoMarks)}
	}
	return changes, alone.Heads(), nil
}
