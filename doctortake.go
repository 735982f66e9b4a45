package tombolo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"

	"tombolo/doc"
	"tombolo/doc/gate"
	"tombolo/persist"
	"tombolo/sync"
)

// Records found in the files of a damaged store become part of the new one as if a peer had sent them: change by change, checked like any other. So
// an old version of a record, or one that was deleted long ago, does no harm: at worst a document has changes again that every device has.

// isRecord says which keys of an old store are of use. The rest is made again, or counts what is no more.
func isRecord(key []byte) bool { return slices.Contains([]byte(persist.Salvageable), key[0]) }

// takeFrom brings what old files give into the engine.
func (r *repair) takeFrom(ctx context.Context, e *Engine, from asideDir) error {
	t := taking{e: e}
	unread, err := r.withSalvaged(ctx, from.path, e.keys, func(log *persist.Log) error { return t.takeAll(ctx, log) })
	if err != nil {
		return err
	}
	r.say("%s was searched; taken over, since the store did not have them: %s of %s", from.name, number(t.changes, "change"), number(len(t.docs), "document"))
	for _, what := range unread {
		r.say("%s could not be read: %s", from.name, what)
	}
	if t.nameless > 0 {
		r.say("%s has records of %s whose headers are lost, and nothing says what they belong to; they stay there", from.name, number(t.nameless, "document"))
	}
	return replaceFile(filepath.Join(from.path, salvagedFile), []byte(from.files()))
}

// taking is what was taken over.
type taking struct {
	e        *Engine
	docs     map[sync.Key]bool
	changes  int
	nameless int
}

func (t *taking) takeAll(ctx context.Context, log *persist.Log) error {
	t.docs = map[sync.Key]bool{}
	if err := t.takeSettings(ctx, log.Settings()); err != nil {
		return err
	}
	for name, slim := range log.Docs() {
		if slim.Num == 0 {
			continue // its header does not read; its records are among the orphans
		}
		if err := t.take(ctx, name, log.Salvage(ctx, slim.Num, slim.Last)); err != nil {
			return err
		}
	}
	for a, err := range log.Asides(ctx) {
		if err != nil {
			return err
		}
		last := uint64(0)
		if a.Header != nil {
			if last = a.Header.Last; last == 0 {
				continue
			}
		}
		if err := t.take(ctx, a.Name, log.Salvage(ctx, a.Num, last)); err != nil {
			return err
		}
	}
	return t.takeOrphans(ctx, log)
}

// takeOrphans takes over the records of documents whose headers are gone. Which documents they are is found by their first change, which follows
// from the document's ID: among the names whose headers do not read, and those of which another device said what it has.
func (t *taking) takeOrphans(ctx context.Context, log *persist.Log) error {
	t.nameless = 0
	orphans, err := log.Orphans(ctx)
	if err != nil || len(orphans) == 0 {
		return err
	}
	names, err := candidates(ctx, log)
	if err != nil {
		return err
	}
	for _, num := range orphans {
		name, ok, err := t.nameOf(ctx, log, num, names)
		switch {
		case err != nil:
			return err
		case !ok:
			t.nameless++
		default:
			if err := t.take(ctx, name, log.Salvage(ctx, num, 0)); err != nil {
				return err
			}
		}
	}
	return nil
}

// candidates are the documents that a log knows of, without their headers.
func candidates(ctx context.Context, log *persist.Log) ([]persist.Name, error) {
	names := map[persist.Name]bool{}
	for name, slim := range log.Docs() {
		if slim.Num == 0 {
			names[name] = true
		}
	}
	for entry, err := range log.Settings().List(ctx, []byte(keyAck)) {
		if err != nil {
			return nil, err
		}
		if rest := entry.Key[len(keyAck):]; len(rest) > 32 {
			names[persist.Name{Space: [16]byte(rest[:16]), Doc: [16]byte(rest[16:32])}] = true
		}
	}
	return slices.Collect(maps.Keys(names)), nil
}

// nameOf finds out whose the records under a number are.
func (t *taking) nameOf(ctx context.Context, log *persist.Log, num uint64, names []persist.Name) (_ persist.Name, ok bool, err error) {
	full, err := doc.New(doc.ID{}, t.e.opts.Rand)
	if err != nil {
		return persist.Name{}, false, err
	}
	defer func() { err = errors.Join(err, full.Close()) }()
	for raw, err := range log.Salvage(ctx, num, 0) {
		if err != nil {
			return persist.Name{}, false, err
		}
		if _, err := full.Apply(raw); err != nil {
			break // what came before it may tell
		}
	}
	marks, err := full.Marks()
	if err != nil {
		return persist.Name{}, false, nil // without its first change it says nothing
	}
	for _, name := range names {
		if full.Graph().Has(gate.HashOf(doc.Genesis(name.Doc, marks.App))) {
			return name, true, nil
		}
	}
	return persist.Name{}, false, nil
}

// takeSettings takes over records that the store has none of. Memberships and what goes with the device came from their copy.
func (t *taking) takeSettings(ctx context.Context, old persist.Settings) error {
	settings := t.e.log.Settings()
	for entry, err := range old.List(ctx, nil) {
		if err != nil {
			return err
		}
		word, _, _ := cutWord(entry.Key)
		if entry.Err != nil || isDeviceSetting(entry.Key) || word == keySpace || word == keyDamaged {
			continue
		}
		_, err := settings.Get(ctx, entry.Key)
		if errors.Is(err, persist.ErrNotFound) {
			err = settings.Put(ctx, entry.Key, entry.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func cutWord(key []byte) (word string, rest []byte, ok bool) {
	i := slices.Index(key, '/')
	if i < 0 {
		return string(key), nil, false
	}
	return string(key[:i+1]), key[i+1:], true
}

// take gives a document the changes it does not have. Documents of spaces that this device has left stay where they are.
func (t *taking) take(ctx context.Context, name persist.Name, changes iter.Seq2[[]byte, error]) error {
	key := sync.Key{Space: name.Space, Doc: name.Doc}
	t.e.mem.mu.Lock()
	member := t.e.mem.spaces[doc.SpaceID(name.Space)] != nil
	t.e.mem.mu.Unlock()
	if !member {
		return nil
	}
	d := t.e.hold(key)
	defer d.unload()
	defer t.e.release(d)
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.takeIn(ctx, changes)
	if err != nil {
		return fmt.Errorf("document %s: %w", key.Doc.Short(), err)
	}
	if t.changes += n; n > 0 {
		t.docs[key] = true
	}
	return nil
}

// takeIn adds changes that the document does not have, as many as fit it, and waits until they are on disk. Called with mu held.
func (d *document) takeIn(ctx context.Context, changes iter.Seq2[[]byte, error]) (int, error) {
	if err := d.settled(ctx); err != nil {
		return 0, err
	}
	if err := d.read(ctx); err != nil {
		return 0, err
	}
	s := &save{before: d.graph.Heads()}
	if err := d.gather(s, changes); err != nil {
		return 0, err
	}
	if len(s.changes) == 0 {
		return 0, nil
	}
	d.submit(s, d.marks())
	if err := d.settled(ctx); err != nil {
		return 0, err
	}
	return len(s.changes), s.err
}
