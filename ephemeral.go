package tombolo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// holdFor is hold for a handle: of the ephemeral document of this name where there is to be one, else of the one on disk.
func (e *Engine) holdFor(ctx context.Context, key sync.Key, o opening) (*document, error) {
	u := doc.URL{Space: key.Space, Doc: key.Doc}
	if !o.saving.never {
		if e.isEphemeral(key) {
			return nil, fmt.Errorf("%s is open as an ephemeral document: close its handles first, or open it with Never", u)
		}
		return e.hold(key), nil
	}
	_, err := e.log.Header(ctx, persist.Name{Space: key.Space, Doc: key.Doc})
	if err == nil {
		return nil, fmt.Errorf("%s is on this device's disk and cannot be ephemeral: open it without Never, or open another name", u)
	}
	if !errors.Is(err, persist.ErrNotFound) {
		return nil, err
	}
	e.docsMu.Lock()
	defer e.docsMu.Unlock()
	d := e.ephemeral[key]
	if d == nil {
		d = &document{e: e, key: key, ephemeral: true, watchers: map[*watcher]struct{}{}}
		e.ephemeral[key] = d
	}
	d.holds++
	return d, nil
}

func (e *Engine) isEphemeral(key sync.Key) bool {
	e.docsMu.Lock()
	defer e.docsMu.Unlock()
	return e.ephemeral[key] != nil
}

// kept is what becomes of changes that have no disk to go to. Called with mu held.
func (d *document) kept(s *save) {
	d.durable, d.heads = s.len, s.after
	d.size.Store(int64(d.full.Size()))
	close(s.done)
	if len(s.changes) > 0 {
		d.tell(Event{Changes: len(s.changes)})
	}
}

// ephemeralStatus is the status of a document that no device has on its disk.
func (h *Handle) ephemeralStatus() (DocumentStatus, error) {
	d := h.lock()
	defer d.mu.Unlock()
	u := doc.URL{Space: d.key.Space, Doc: d.key.Doc}
	s := DocumentStatus{
		URL: u.String(), App: d.meta.App, Name: d.meta.Name, State: StateReady, Changes: uint64(d.durable), Heads: slices.Clone(d.heads),
		Devices: []DeviceStatus{{Device: h.e.Self(), Self: true, Connected: true}},
	}
	info := Info{State: s.State}
	h.e.addSchema(&info, d.meta)
	s.State, s.Problem, s.Schema, s.MinWriter = info.State, info.Problem, info.Schema, info.MinWriter
	return s, nil
}
