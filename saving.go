package tombolo

import "context"

// HasUnsaved says whether changes of the document are still on their way to this device's disk: those of [Handle.ChangeAsync], and what other
// devices sent. It is false once the handle is closed.
func (h *Handle) HasUnsaved() bool {
	if h.use() != nil {
		return false
	}
	defer h.e.work.Done()
	d := h.lock()
	defer d.mu.Unlock()
	return len(d.unsaved) > 0
}

// Flush returns when every change of the document that was made before is on this device's disk, or could not be written: then it is undone, and
// the error says why. When ctx ends first, they may still be written.
func (h *Handle) Flush(ctx context.Context) error {
	if err := h.use(); err != nil {
		return err
	}
	defer h.e.work.Done()
	d := h.lock()
	p := d.underWay()
	d.mu.Unlock()
	return p.Wait(ctx)
}
