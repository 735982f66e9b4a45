package schema

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"tombolo/doc"
	"tombolo/doc/gate"
)

// PlainState says where a document stands that [Plain.Open] opened.
type PlainState uint8

// The states. Only PlainReady may be saved.
const (
	PlainLoading PlainState = iota // it was not loaded yet, or is being loaded now
	PlainReady
	PlainFailed // the last Load failed
	PlainFuture // a newer version wrote: this one reads
)

// String is the state in one word.
func (s PlainState) String() string {
	return [...]string{"loading", "ready", "failed", "future"}[s]
}

// PlainHandle is one document in use by one program. It remembers what the program knows, so that a save does not take back what others wrote
// since. It is safe for concurrent use.
type PlainHandle struct {
	p *Plain
	d Document

	busy sync.Mutex // held while loading or saving

	mu    sync.Mutex
	state PlainState
	why   error // of PlainFailed and PlainFuture
	known any   // what the program loaded or saved last, in Go form
}

// Open begins to use a document. It reads nothing: Load comes first.
func (p *Plain) Open(d Document) *PlainHandle { return &PlainHandle{p: p, d: d} }

// State is where the document stands.
func (h *PlainHandle) State() PlainState {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}

// Load reads the data as [Plain.Load] does, and it is the caller's to change. After an error, and where [PlainReport].Future is set, saving is
// refused until a Load succeeds. It waits for a save that is under way, and for another Load. The functions of the versions must not use the
// handle.
func (h *PlainHandle) Load() (any, PlainReport, error) {
	h.busy.Lock()
	defer h.busy.Unlock()
	h.become(PlainLoading, nil, nil)
	v, report, err := h.p.Load(h.d)
	switch {
	case err != nil:
		h.refuse(err)
	case report.Future > 0:
		h.become(PlainFuture, &VersionError{Have: h.p.Newest(), Need: report.Future}, nil)
	default:
		h.become(PlainReady, nil, plainCopy(v))
	}
	return v, report, err
}

func (h *PlainHandle) become(s PlainState, why error, known any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state, h.why, h.known = s, why, known
}

// refuse is the state after an error.
func (h *PlainHandle) refuse(err error) {
	if future, ok := errors.AsType[*VersionError](err); ok {
		h.become(PlainFuture, future, nil)
		return
	}
	h.become(PlainFailed, err, nil)
}

// Save writes what differs between the value and what the program loaded or saved before, as one change; the version's Save runs on the value first. So
// what others wrote since stays, and is in the value that the next Load gives; where both wrote one value, this one counts. A value that does not
// differ writes nothing. Errors leave the document as it is: [ErrPlainLoading] before and during a Load, [ErrPlainFailed] after one that failed, a
// [VersionError] once a newer version wrote, and a [PlainError] of a function. The functions of the versions run inside the change: they must not use the document.
func (h *PlainHandle) Save(ctx context.Context, value any) error {
	return h.save(ctx, func(any) (any, error) { return value, nil }, false, nil)
}

// Update is a Save that misses nothing: f gets the data as it is in the moment of writing, in memory of its own, and gives what is to be saved.
func (h *PlainHandle) Update(ctx context.Context, f func(v any) (any, error)) error {
	return h.save(ctx, f, true, nil)
}

// Resolve is a Save that has seen to late edits: they are in the value, as [LateEdit.MergeInto] puts them there, or are to be left out. They
// are not reported again, on any device, unless somebody writes there once more. Let one device do this, as when a user says so: of two that
// take in the same text or elements apart, each adds them.
func (h *PlainHandle) Resolve(ctx context.Context, value any, late ...LateEdit) error {
	return h.save(ctx, func(any) (any, error) { return value, nil }, false, late)
}

func (h *PlainHandle) save(ctx context.Context, f func(any) (any, error), fresh bool, late []LateEdit) error {
	if _, err := h.ready(); err != nil {
		return err
	}
	h.busy.Lock()
	defer h.busy.Unlock()
	known, err := h.ready() // a Load may have been first
	if err != nil {
		return err
	}
	var now any
	err = h.d.Change(ctx, "", func(tx *doc.Tx) error {
		w, err := h.p.writer(tx)
		if err != nil {
			return err
		}
		if fresh {
			known = w.data
		}
		v, err := f(plainCopy(w.data))
		if err != nil {
			return err
		}
		if now, err = h.p.stored(w.id, v); err != nil {
			return err
		}
		return w.write(tx, plainMerge(known, now, w.data), late)
	})
	if _, future := errors.AsType[*VersionError](err); future {
		h.refuse(err)
	}
	if err == nil {
		h.become(PlainReady, nil, now)
	}
	return err
}

// ready is what the program knows; an error where it may not save.
func (h *PlainHandle) ready() (known any, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch h.state {
	case PlainLoading:
		return nil, ErrPlainLoading
	case PlainFailed:
		return nil, fmt.Errorf("%w: %w", ErrPlainFailed, h.why)
	case PlainFuture:
		return nil, h.why
	}
	return h.known, nil
}

// plainWriter is a document in the moment of writing.
type plainWriter struct {
	plainReader
	at   *plainPlace
	data any // of this version
}

func (p *Plain) writer(tx *doc.Tx) (*plainWriter, error) {
	var id doc.ID
	err := tx.Content(func(c doc.Content) error {
		id = c.ID
		return p.ours(c)
	})
	if err != nil {
		return nil, err
	}
	whole, err := tx.Get("")
	if err != nil {
		return nil, err
	}
	root, _ := whole.(map[string]any)
	w := &plainWriter{plainReader: plainReader{p, id, plainPlacesOf(root)}}
	if f := w.future(); f > 0 {
		return nil, &VersionError{Have: p.Newest(), Need: f}
	}
	w.at, w.data, err = w.current()
	return w, err
}

// write makes data the data of this version, and says which late edits it has seen.
func (w *plainWriter) write(tx *doc.Tx, data any, late []LateEdit) error {
	same := doc.Equal(data, w.data)
	if same && len(late) == 0 {
		return nil
	}
	n := w.Newest()
	place := w.at.name
	if w.at.version < n {
		var seed map[string]any
		place, seed = plainSeed(n, w.data, w.at)
		if !w.there {
			if err := tx.Set(plainPath(), map[string]any{}); err != nil {
				return err
			}
		}
		if slices.Contains(w.torn, place) {
			if err := tx.Remove(plainPath(place)); err != nil {
				return err
			}
		}
		err := tx.Seed(plainPath(place), seed)
		if _, large := errors.AsType[*gate.LimitError](err); large {
			return fmt.Errorf("copy the data to a place of version %d: it does not fit one change; keep it in several documents, or declare a Schema, which copies nothing: %w", n, err)
		}
		if err != nil {
			return fmt.Errorf("copy the data to a place of version %d: %w", n, err)
		}
	}
	if key := "v" + strconv.Itoa(n); w.counts[n] != place {
		if err := tx.Set(plainPath(key), place); err != nil {
			return err
		}
	}
	for _, e := range late {
		if e.now == nil {
			return errors.New("resolve late edits: give those that the report of Load has")
		}
		if err := tx.Set(plainPath(place, "seen", e.Place), e.now); err != nil {
			return err
		}
	}
	if same {
		return nil
	}
	return tx.Set(plainPath(place, "data"), data)
}
