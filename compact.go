package tombolo

import (
	"context"
	"errors"
	"fmt"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/persist/sealed"
)

// CompactReport says what a Compact did.
type CompactReport struct {
	Before  uint64 `json:"before"`  // bytes of the store's files; zero where the store does not say
	After   uint64 `json:"after"`   // the same afterwards
	Packed  int    `json:"packed"`  // documents whose loose changes were packed
	Caches  uint64 `json:"caches"`  // bytes of caches that were out of date
	Skipped int    `json:"skipped"` // documents that cannot be packed, damaged ones for example, and were left as they are
}

// compacter is a store that can give back the space of what was deleted.
type compacter interface {
	Compact(ctx context.Context, tell func(done, total uint64)) error
}

// cacheSaved is the kind of cache that earlier versions wrote, the core's saved document.
const cacheSaved = 1

// Compact makes the store as small as it gets: it packs the loose changes of every document, drops caches that are out of date, and has the
// store give back the space of what was deleted. Everything else goes on meanwhile. It may be interrupted at any time, by the end of the process
// too: what is done stays done, and nothing is half done. tell, which may be nil, hears how far it is. The report is true beside an error, too.
func (e *Engine) Compact(ctx context.Context, tell func(doing string, done, total uint64)) (report CompactReport, err error) {
	if err := e.use(); err != nil {
		return CompactReport{}, err
	}
	defer e.work.Done()
	ctx, end := e.until(ctx)
	defer end()
	if tell == nil {
		tell = func(string, uint64, uint64) {}
	}
	if report.Before, err = e.diskSize(); err != nil {
		return report, err
	}
	// On a disk that is nearly full nothing can be packed, and what the store gives back is all the more needed.
	short := e.packAll(ctx, &report, tell)
	if short == nil {
		report.Caches, short = e.log.DropCaches(ctx, func(_ persist.Name, kind byte, at, last uint64) bool { return kind == cacheSaved || at < last })
	}
	if short != nil && !errors.Is(short, persist.ErrNoSpace) {
		return report, fmt.Errorf("compact: %w", cause(ctx, short))
	}
	if store, ok := e.store.(compacter); ok {
		err := store.Compact(ctx, func(done, total uint64) { tell("giving space back", done, total) })
		if err != nil && !errors.Is(err, sealed.ErrNoCompact) {
			return report, errors.Join(short, fmt.Errorf("give space back: %w", cause(ctx, err)))
		}
	}
	report.After, err = e.diskSize()
	return report, errors.Join(short, err)
}

// packAll packs the loose changes of every document.
func (e *Engine) packAll(ctx context.Context, report *CompactReport, tell func(string, uint64, uint64)) error {
	var names []persist.Name
	for name := range e.log.Docs() {
		names = append(names, name)
	}
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		packed, err := e.packOne(ctx, name)
		_, damaged := errors.AsType[*persist.DamagedError](err)
		_, newer := errors.AsType[*persist.TooNewError](err)
		switch {
		case damaged || newer || errors.Is(err, persist.ErrCodec):
			report.Skipped++
			e.opts.Log.Warn("a document cannot be packed, and is left as it is", "doc", doc.ID(name.Doc).Short(), "err", err)
		case err != nil && !errors.Is(err, persist.ErrNotFound): // one that has just gone has nothing to pack
			return err
		case packed:
			report.Packed++
		}
		tell("packing documents", uint64(i+1), uint64(len(names)))
	}
	return nil
}

// packOne packs the loose changes of a document, and reports whether that changed anything.
func (e *Engine) packOne(ctx context.Context, name persist.Name) (bool, error) {
	before, err := e.log.Header(ctx, name)
	if err != nil || before.Packed == before.Last {
		return false, err
	}
	if err := e.log.Pack(ctx, name); err != nil {
		return false, err
	}
	after, err := e.log.Header(ctx, name)
	return after.Generation != before.Generation, err
}
