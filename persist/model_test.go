package persist_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tombolo/persist"
	"tombolo/persist/memstore"
)

// TestModel runs random stories against a model: appends in bursts, packs,
// moves, removals, caches, reopening, and Applies that fail, with or without
// having happened. Everything acknowledged is there, in order; what failed
// without acknowledgement is there as a whole or not at all.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, store: &flaky{Store: memstore.New()}, docs: map[persist.Name]*modelDoc{}}
		w.sizes = []int{8, 8, 8, 8, 8, 8, 20, 20, 20, 100, 100, 100, 3_000, 3_000, 30_000, 30_000, 70_000, 70_000, 300_000, 900_000}
		w.open()
		w.run()
	})
}

// TestModelBadger is TestModel on one Badger store for all stories, each in a
// space of its own.
func TestModelBadger(t *testing.T) {
	dir := t.TempDir()
	s := &flaky{Store: openBadger(t, dir)}
	defer func() { s.Store.Close() }()
	outer := t
	story := uint16(0)
	rapid.Check(t, func(t *rapid.T) {
		story++
		w := &world{t: t, space: [16]byte{1: byte(story >> 8), 2: byte(story)}, store: s, docs: map[persist.Name]*modelDoc{}}
		w.sizes = []int{8, 8, 8, 20, 100, 3_000, 3_000, 30_000} // a disk is slow; the rest is for TestModel
		w.open()
		w.restart = func() {
			if err := s.Store.Close(); err != nil {
				t.Fatal(err)
			}
			s.Store = openBadger(outer, dir)
		}
		w.run()
	})
}

// modelDoc is what a document should be.
type modelDoc struct {
	changes [][]byte
	meta    byte
	cacheAt int // -1: whatever
	cache   []byte
}

type world struct {
	t       *rapid.T
	space   [16]byte
	store   *flaky
	restart func() // of the store, where that means something
	log     *persist.Log
	docs    map[persist.Name]*modelDoc
	sizes   []int // of changes, in bytes
	serial  uint64
	failing bool           // an Apply may have failed since the log was opened
	drawn   []persist.Name // since the last check
}

func (w *world) open() *persist.Log {
	l, err := persist.OpenLog(ctx, w.store, joiner{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.log = l
	return l
}

func (w *world) run() {
	defer func() {
		w.store.arm(nil, nil)
		w.log.Close()
	}()
	w.t.Repeat(map[string]func(*rapid.T){
		"append": w.append,
		"burst":  w.burst,
		"pack": func(t *rapid.T) {
			w.tolerate(w.log.Pack(ctx, w.name(t)), persist.ErrNotFound)
		},
		"move":   w.move,
		"remove": w.remove,
		"cache":  w.putCache,
		"fail": func(t *rapid.T) {
			w.failing = true
			k := rapid.IntRange(1, 4).Draw(t, "apply")
			if rapid.Bool().Draw(t, "hidden") {
				w.store.arm(nil, failFrom(k))
			} else {
				w.store.arm(failFrom(k), nil)
			}
		},
		"mend": func(*rapid.T) { w.store.arm(nil, nil) },
		"reopen": func(t *rapid.T) {
			w.log.Close()
			w.store.arm(nil, nil)
			w.failing = false
			w.drawn = w.names()
			if w.restart != nil && rapid.IntRange(0, 29).Draw(t, "store") == 0 {
				w.restart()
			}
			w.open()
		},
		"": func(*rapid.T) { w.check() },
	})
}

// names returns the four names that documents of a story can have.
func (w *world) names() (all []persist.Name) {
	for i := range byte(4) {
		all = append(all, persist.Name{Space: w.space, Doc: [16]byte{i}})
	}
	return all
}

func (w *world) name(t *rapid.T) persist.Name {
	n := rapid.SampledFrom(w.names()).Draw(t, "doc")
	w.drawn = append(w.drawn, n)
	return n
}

// tolerate fails on an error that is neither injected nor one of those given.
func (w *world) tolerate(err error, allowed ...error) {
	for _, a := range append(allowed, nil, errDisk) {
		if errors.Is(err, a) {
			return
		}
	}
	w.t.Fatalf("unexpected: %v", err)
}

// change makes bytes that no other change has.
func (w *world) change(t *rapid.T) []byte {
	w.serial++
	size := rapid.SampledFrom(w.sizes).Draw(t, "size")
	return append(binary.BigEndian.AppendUint64(nil, w.serial), bytes.Repeat([]byte{byte(w.serial)}, size-8)...)
}

// add makes an append of a few changes, loose or packed, and what it leads to.
func (w *world) add(t *rapid.T, least int, to modelDoc) (persist.Append, modelDoc) {
	var c [][]byte
	for range rapid.IntRange(least, 4).Draw(t, "changes") {
		c = append(c, w.change(t))
	}
	a := adding(uint64(len(to.changes)), c...)
	if len(c) > 0 && rapid.Bool().Draw(t, "packed") {
		a.Pack, _ = joiner{}.Pack(c)
		a.Changes, a.Count = nil, len(c)
	}
	if rapid.Bool().Draw(t, "meta") {
		to.meta++
		a.Meta = []byte{to.meta}
	}
	to.changes = append(slices.Clip(to.changes), c...)
	return a, to
}

// state returns the model of a document, which may not be there.
func (w *world) state(n persist.Name) modelDoc {
	if d := w.docs[n]; d != nil {
		return *d
	}
	return modelDoc{cacheAt: -1}
}

func (w *world) append(t *rapid.T) {
	n := w.name(t)
	a, next := w.add(t, 0, w.state(n))
	_, err := w.log.Append(ctx, n, a)
	w.settle(n, []modelDoc{next}, []error{err})
}

// burst submits several appends before it waits for the first.
func (w *world) burst(t *rapid.T) {
	n := w.name(t)
	var states []modelDoc
	var pending []*persist.Pending
	for s := w.state(n); len(states) < 3; states = append(states, s) {
		var a persist.Append
		a, s = w.add(t, 1, s) // one without changes may succeed behind one that failed
		pending = append(pending, w.log.Submit(n, a))
	}
	errs := make([]error, len(pending))
	for i, p := range pending {
		_, errs[i] = p.Wait(ctx)
	}
	w.settle(n, states, errs)
}

// settle finds the model of a document after appends that would have led to
// states: each that was acknowledged holds; of one that failed the disk decides.
func (w *world) settle(n persist.Name, states []modelDoc, errs []error) {
	d, exists := w.state(n), w.docs[n] != nil
	for i, err := range errs {
		if _, ok := errors.AsType[*persist.OutOfStepError](err); !ok {
			w.tolerate(err)
		}
		done := err == nil
		if !done {
			h, err := w.log.Header(ctx, n)
			w.tolerate(err, persist.ErrNotFound)
			done = err == nil && h.Last >= uint64(len(states[i].changes)) &&
				(len(h.Meta) == 0 && states[i].meta == 0 || len(h.Meta) == 1 && h.Meta[0] >= states[i].meta)
		}
		if done {
			d, exists = states[i], true
		}
	}
	if exists {
		w.docs[n] = &d
	}
}

func (w *world) move(t *rapid.T) {
	from, to := w.name(t), w.name(t)
	err := w.log.Move(ctx, from, to)
	w.tolerate(err, persist.ErrNotFound, persist.ErrExists)
	if w.docs[from] == nil || w.docs[to] != nil {
		if err == nil {
			t.Fatalf("Move from %v to %v went well", from, to)
		}
		return
	}
	if err != nil {
		_, err = w.log.Header(ctx, to)
		w.tolerate(err, persist.ErrNotFound)
	}
	if err == nil {
		w.docs[to] = w.docs[from]
		delete(w.docs, from)
	}
}

func (w *world) remove(t *rapid.T) {
	n := w.name(t)
	err := w.log.Remove(ctx, n)
	w.tolerate(err, persist.ErrNotFound)
	if (w.docs[n] == nil) != errors.Is(err, persist.ErrNotFound) {
		t.Fatalf("Remove: %v", err)
	}
	if _, herr := w.log.Header(ctx, n); err == nil || errors.Is(herr, persist.ErrNotFound) {
		delete(w.docs, n)
	}
}

func (w *world) putCache(t *rapid.T) {
	n := w.name(t)
	d := w.docs[n]
	if d == nil {
		return
	}
	at, data := rapid.IntRange(0, len(d.changes)).Draw(t, "at"), w.change(t)
	err := w.log.PutCache(ctx, n, 1, uint64(at), data)
	w.tolerate(err)
	if d.cacheAt, d.cache = at, data; err != nil {
		d.cacheAt = -1
	}
}

// check compares the documents drawn since the last check with the model, and
// the list of documents while no failure can have left it behind the disk.
func (w *world) check() {
	for _, n := range w.drawn {
		if d := w.docs[n]; d != nil {
			w.compare(n, d)
		} else if _, err := w.log.Header(ctx, n); !errors.Is(err, persist.ErrNotFound) {
			w.t.Fatalf("a document that was never acknowledged, or removed: %v", err)
		}
	}
	w.drawn = nil
	if w.failing {
		return
	}
	seen := 0
	for n, slim := range w.log.Docs() {
		if n.Space != w.space {
			continue
		}
		if d := w.docs[n]; d == nil || slim.Last != uint64(len(d.changes)) {
			w.t.Fatalf("Docs gives %v at %d", n, slim.Last)
		}
		seen++
	}
	if seen != len(w.docs) {
		w.t.Fatalf("Docs gives %d documents, want %d", seen, len(w.docs))
	}
}

func (w *world) compare(n persist.Name, d *modelDoc) {
	h, err := w.log.Header(ctx, n)
	if err != nil || h.Last != uint64(len(d.changes)) || h.Packed > h.Last {
		w.t.Fatalf("header %+v, %v; want %d changes", h, err, len(d.changes))
	}
	if _, hash := version(h.Last); h.HeadsHash != hash || len(h.Meta) > 0 && h.Meta[0] != d.meta {
		w.t.Fatalf("the header's version is not that of %d changes, or Meta %v is not %d", h.Last, h.Meta, d.meta)
	}
	wantChanges(w.t, w.log, n, 1, d.changes...)
	if d.cacheAt >= 0 {
		wantCache(w.t, w.log, n, 1, uint64(d.cacheAt), d.cache)
	}
}
