package tombolo

import (
	"context"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// BackupLimits sets what is taken into memory of a backup, in bytes, and gives a function that sets it back.
func BackupLimits(headers, changes int64) (undo func()) {
	h, c := maxHeaders, maxChanges
	maxHeaders, maxChanges = headers, changes
	return func() { maxHeaders, maxChanges = h, c }
}

// Raw is the bytes of a change.
func (h *Handle) Raw(hash doc.Hash) ([]byte, error) {
	return query(h, func(full *doc.Doc) ([]byte, error) { return full.Change(hash) })
}

// Scrub checks the records of a document, as the engine does on its own after a while.
func (e *Engine) Scrub(u doc.URL) { e.check(persist.Name{Space: u.Space, Doc: u.Doc}) }

// Utter has an engine that went bad send a change of a document that it has, whatever the change is, to the peers it is connected to.
func (e *Engine) Utter(ctx context.Context, u doc.URL, raw []byte, hash doc.Hash) error {
	h, err := e.Document(ctx, u)
	if err != nil {
		return err
	}
	heads := h.Heads()
	e.step(sync.Changed{Key: sync.Key{Space: u.Space, Doc: u.Doc}, Before: heads, After: []doc.Hash{hash}, Changes: [][]byte{raw}})
	return h.Close()
}
