package tombolo

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"tombolo/doc"
	"tombolo/persist"
)

// Stats is what this device's store holds, and what that takes. It marshals to JSON as `peer stats --json` prints it.
type Stats struct {
	Documents   int             `json:"documents"`
	Quarantined int             `json:"quarantined"` // of them, see [DamagedError]
	Changes     uint64          `json:"changes"`
	Bytes       SizeStats       `json:"bytes"`
	Disk        uint64          `json:"disk,omitzero"` // bytes of the store's files; zero where the store does not say
	Largest     []DocumentStats `json:"largest"`       // the documents that take most, the largest first
}

// SizeStats is bytes by what they are for, before the store compresses or seals them.
type SizeStats struct {
	Loose   uint64 `json:"loose"`   // changes that are not packed yet
	Packed  uint64 `json:"packed"`  // packs of changes
	Caches  uint64 `json:"caches"`  // what can be made again
	Headers uint64 `json:"headers"` // what is known of each document without reading it
	Aside   uint64 `json:"aside"`   // what was kept of damaged documents
	Orphans uint64 `json:"orphans"` // changes of documents whose headers do not read, or that are being removed
	Rest    uint64 `json:"rest"`    // memberships, acknowledgements and other records of the engine
}

// DocumentStats is what one document takes.
type DocumentStats struct {
	URL     string `json:"url"`
	App     string `json:"app,omitempty"`
	Name    string `json:"name,omitempty"`
	Changes uint64 `json:"changes"`
	Bytes   uint64 `json:"bytes"` // all of it
	Loose   uint64 `json:"loose"`
	Packed  uint64 `json:"packed"`
	Caches  uint64 `json:"caches"`
}

// sized is a store that knows how many bytes its files take.
type sized interface{ Size() (uint64, error) }

// Stats measures the store: it reads all of it once, beside whatever else goes on. largest is how many of the largest documents to
// name. tell, which may be nil, hears how far it is.
func (e *Engine) Stats(ctx context.Context, largest int, tell func(doing string, done, total uint64)) (Stats, error) {
	if err := e.use(); err != nil {
		return Stats{}, err
	}
	defer e.work.Done()
	ctx, end := e.until(ctx)
	defer end()
	var progress func(done, total uint64)
	if tell != nil {
		progress = func(done, total uint64) { tell("measuring documents", done, total) }
	}
	sizes, err := e.log.Sizes(ctx, progress)
	if err != nil {
		return Stats{}, cause(ctx, err)
	}
	s := Stats{
		Quarantined: len(e.quarantined()),
		Bytes:       SizeStats{Aside: sizes.Aside, Orphans: sizes.Orphans, Rest: sizes.Rest},
		Largest:     []DocumentStats{},
	}
	type document struct {
		name    persist.Name
		changes uint64
		size    persist.Size
	}
	var all []document
	for name, slim := range e.log.Docs() {
		size := sizes.Docs[name]
		all = append(all, document{name, slim.Last, size})
		s.Documents, s.Changes = s.Documents+1, s.Changes+slim.Last
		s.Bytes.Headers += size.Header
		s.Bytes.Loose += size.Loose
		s.Bytes.Packed += size.Packed
		s.Bytes.Caches += size.Caches
	}
	slices.SortStableFunc(all, func(a, b document) int { return cmp.Compare(b.size.Sum(), a.size.Sum()) })
	for _, d := range all[:min(max(largest, 0), len(all))] {
		info, err := e.info(ctx, d.name)
		if ctx.Err() != nil {
			return Stats{}, cause(ctx, err)
		}
		if err != nil { // it does not read, or has just gone: its size is true all the same
			e.opts.Log.Warn("a large document has no name in this list", "doc", doc.ID(d.name.Doc).Short(), "err", err)
		}
		s.Largest = append(s.Largest, DocumentStats{
			URL: doc.URL{Space: d.name.Space, Doc: d.name.Doc}.String(), App: info.App, Name: info.Name, Changes: d.changes,
			Bytes: d.size.Sum(), Loose: d.size.Loose, Packed: d.size.Packed, Caches: d.size.Caches,
		})
	}
	s.Disk, err = e.diskSize()
	return s, err
}

// diskSize is the bytes of the store's files, zero where the store does not say.
func (e *Engine) diskSize() (uint64, error) {
	store, ok := e.store.(sized)
	if !ok {
		return 0, nil
	}
	n, err := store.Size()
	if err != nil {
		return 0, fmt.Errorf("measure the store's files: %w", err)
	}
	return n, nil
}

// until is ctx, and ends with ErrClosed when the engine closes: for long work that Close should not have to wait for.
func (e *Engine) until(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(e.run, func() { cancel(ErrClosed) })
	return ctx, func() { stop(); cancel(nil) }
}

// cause is why ctx ended if it has, and otherwise err.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
