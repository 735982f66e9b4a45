package tombolo

import (
	"context"
	"iter"
	"slices"

	"tombolo/doc"
)

// Content runs fn on what the document holds, which nothing changes meanwhile: what a view of package schema reads. Like [Handle.Get], it need not
// wait for a large document to be read when its value is known; the marks are then those in the document's header. fn must return, must not
// keep what it is given, and must not use the Handle or close the Engine.
func (h *Handle) Content(fn func(doc.Content) error) error {
	if err := h.use(); err != nil {
		return err
	}
	defer h.e.work.Done()
	d := h.lock()
	value, key, m := d.value, d.key, d.meta
	d.mu.Unlock()
	if value != nil && m.isWhole() && h.e.damaged(key) == nil {
		if marks, err := m.docMarks(); err == nil {
			return fn(value.Content(key.Doc, marks))
		}
	}
	_, err := query(h, func(full *doc.Doc) (struct{}, error) { return struct{}{}, full.Content(fn) })
	return err
}

// Versions yields the document's version after each change from now on, local and remote alike, until ctx ends or the handle or the engine closes. It is
// [Handle.Watch] without patches, at next to no cost: what comes while the loop is busy is one version. The sequence is for one loop.
func (h *Handle) Versions(ctx context.Context) iter.Seq[[]doc.Hash] {
	w := h.watch()
	return func(yield func([]doc.Hash) bool) {
		h.follow(ctx, w, func() bool {
			d := h.lock()
			w.next = nil
			heads := slices.Clone(d.heads)
			d.mu.Unlock()
			return ctx.Err() == nil && yield(heads)
		})
	}
}
