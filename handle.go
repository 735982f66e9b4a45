package tombolo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	gosync "sync"
	"time"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// Handle is a document that a program has open. The document stays in memory until every Handle of it is closed.
type Handle struct {
	e      *Engine
	d      *document // as it was opened; lock finds the one it is now
	undo   *doc.Undo // what was changed through this handle; guarded by the mu of the document it is now
	saving saving
	lost   *LostError // not told yet; guarded likewise
	report OpenReport // guarded likewise
	close  gosync.Once
	closed chan struct{}
}

// open makes a handle that saves every change.
func (e *Engine) open(ctx context.Context, key sync.Key) (*Handle, error) {
	return e.openAs(ctx, key, opening{})
}

// openAs makes a handle. The document is read, or its value where that is on disk: then it is read behind that.
func (e *Engine) openAs(ctx context.Context, key sync.Key, o opening) (*Handle, error) {
	begun := time.Now()
	d, err := e.holdFor(ctx, key, o)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err = e.damaged(key); err == nil && !d.showValue(ctx) {
		err = d.read(ctx)
	}
	if err == nil {
		err = e.damaged(key) // found just now
	}
	if err == nil {
		err = d.isKnown()
	}
	if err != nil {
		e.release(d)
		return nil, err
	}
	d.handles++
	h := &Handle{e: e, d: d, undo: doc.NewUndo(0), saving: o.saving, closed: make(chan struct{})}
	h.report = d.report(begun)
	return h, nil
}

// lock is the handle's document with its mu held: the one it was opened on, or the one that this was merged into since.
func (h *Handle) lock() *document {
	d := h.d
	for {
		d.mu.Lock()
		heir := d.heir
		if heir == nil {
			return d
		}
		d.mu.Unlock()
		d = heir
	}
}

// load is lock, and has the document read if it is not in memory.
func (h *Handle) load(ctx context.Context) (*document, error) {
	for {
		d := h.lock()
		err := d.read(ctx)
		if err == nil && d.heir == nil {
			err = h.e.damaged(d.key)
		}
		if err == nil && d.heir == nil {
			err = d.isKnown()
		}
		if err == nil && d.heir == nil {
			return d, nil
		}
		moved := d.heir != nil // while read waited
		d.mu.Unlock()
		if !moved {
			return nil, err
		}
	}
}

// Close gives the document up; what was changed stays, and every Watch of this Handle ends. Changes made through it that wait for others are saved,
// and Close waits for them: its error is a [LostError] about those that could not be. A second Close does nothing.
func (h *Handle) Close() (err error) {
	h.close.Do(func() {
		close(h.closed)
		if h.e.use() == nil { // else the engine's Close saves what waits
			defer h.e.work.Done()
			h.saveOwn()
		}
		d := h.lock()
		defer d.mu.Unlock()
		err = h.tellLost()
		d.handles--
		h.e.release(d)
	})
	return err
}

// saveOwn saves what waits, if some of it was made through this handle.
func (h *Handle) saveOwn() {
	d := h.lock()
	w := d.waiting
	if w == nil || w.by[h] == 0 {
		d.mu.Unlock()
		return
	}
	d.send()
	d.mu.Unlock()
	<-w.done
}

// URL names the document, on this and on every other device.
func (h *Handle) URL() doc.URL {
	d := h.lock()
	defer d.mu.Unlock()
	return doc.URL{Space: d.key.Space, Doc: d.key.Doc}
}

// use is [Engine.use] for as long as the handle is open.
func (h *Handle) use() error {
	select {
	case <-h.closed:
		return ErrClosed
	default:
		return h.e.use()
	}
}

// query asks the document something, which is read again first if it had to be given up.
func query[T any](h *Handle, ask func(*doc.Doc) (T, error)) (answer T, err error) {
	if err := h.use(); err != nil {
		return answer, err
	}
	defer h.e.work.Done()
	d, err := h.load(h.e.run)
	if err != nil {
		return answer, err
	}
	defer d.mu.Unlock()
	return ask(d.full)
}

// Change runs fn on the document and returns when what it wrote is on this device's disk, or where the handle has it [Coalesce], in memory; other
// devices hear of it when it is on disk. message says why, in the history, which also names this device. If fn fails, or the disk does, the document
// stays as it was. fn must return and must not use the Handle or close the Engine: both wait for it.
func (h *Handle) Change(ctx context.Context, message string, fn func(*doc.Tx) error) error {
	return wait(ctx, func() (*Pending, error) { return h.ChangeAsync(ctx, message, fn) })
}

// ChangeAsync is Change without waiting for the disk: the document has the change when it returns, the disk when Wait does. Changes
// under way together become durable together.
func (h *Handle) ChangeAsync(ctx context.Context, message string, fn func(*doc.Tx) error) (*Pending, error) {
	return h.write(ctx, message, func(full *doc.Doc, note doc.Note) (doc.Edited, error) {
		edited, err := full.Edit(note, fn)
		if err == nil {
			h.undo.Did(edited)
		}
		return edited, err
	})
}

// write makes a change, which is to be known to the handle's undo, and sends it on its way to the disk.
func (h *Handle) write(ctx context.Context, message string, change func(*doc.Doc, doc.Note) (doc.Edited, error)) (*Pending, error) {
	return h.writeIf(ctx, (*document).mayEdit, message, change)
}

// writeIf is write where may has no objection.
func (h *Handle) writeIf(
	ctx context.Context, may func(*document) error, message string, change func(*doc.Doc, doc.Note) (doc.Edited, error),
) (*Pending, error) {
	if err := h.use(); err != nil {
		return nil, err
	}
	defer h.e.work.Done()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d, err := h.load(ctx)
	if err != nil {
		h.e.debug(debugPersist, "save refused: load failed", "doc", h.URL().Doc.Short(), "err", err)
		return nil, err
	}
	defer d.mu.Unlock()
	if err := h.tellLost(); err != nil {
		return nil, err
	}
	if err := may(d); err != nil {
		return nil, err
	}
	before := d.graph.Heads()
	edited, err := change(d.full, h.e.note(message))
	if err != nil {
		return nil, err
	}
	if len(edited.Changes) == 0 {
		return &Pending{}, nil
	}
	s := &save{before: before, by: map[*Handle]int{h: 1}}
	for _, c := range edited.Changes {
		s.changes = append(s.changes, c.Raw)
	}
	return &Pending{s: d.put(s, h.saving), later: h.saving.coalesces()}, nil
}

// maxAuthor bounds the name that a change carries, in bytes: a change with too much behind its operations is no change.
const maxAuthor = 255

// note is what a change made here says about itself.
func (e *Engine) note(message string) doc.Note {
	name := e.deviceName()
	return doc.Note{Message: message, Time: e.now(), Author: strings.ToValidUTF8(name[:min(len(name), maxAuthor)], "")}
}

// Get reads the value at a path in Go form, as [doc.Doc.Get] does.
func (h *Handle) Get(path string) (any, error) {
	return peek(h, func(v reader) (any, error) { return v.Get(path) })
}

// JSON is the canonical JSON of the value at a path, as [doc.EncodeJSON] writes it.
func (h *Handle) JSON(path string) ([]byte, error) {
	return peek(h, func(v reader) ([]byte, error) { return v.JSON(path) })
}

// Hash is SHA-256 of the document's canonical JSON: equal on all devices that have the same changes.
func (h *Handle) Hash() ([32]byte, error) {
	return peek(h, reader.Hash)
}

// Read decodes the document into a Go variable, by the rules of package doc/value: into is a pointer to a struct with tags like
// `doc:"name,text"`, or to a map. What does not fit is a [doc.ValueError] that names the place.
func (h *Handle) Read(into any) error {
	_, err := peek(h, func(v reader) (struct{}, error) { return struct{}{}, v.Read("", into) })
	if err != nil {
		return fmt.Errorf("read %s: %w", h.URL(), err)
	}
	return nil
}

// View runs fn on the document, which nothing changes meanwhile: for tables, and for reading several values of one version. fn must return, must
// not keep what it is given, and must not use the Handle or close the Engine: both wait for it.
//
//	err := h.View(func(v doc.View) (err error) {
//		open, err = tasks.List(v)
//		return err
//	})
func (h *Handle) View(fn func(doc.View) error) error {
	_, err := query(h, func(full *doc.Doc) (struct{}, error) { return struct{}{}, fn(full) })
	return err
}

// Heads are the version of the document on this device, as far as it is durable; of an ephemeral one, as it is in memory.
func (h *Handle) Heads() []doc.Hash {
	d := h.lock()
	defer d.mu.Unlock()
	return slices.Clone(d.heads)
}

// Condition is what [Handle.Wait] waits for.
type Condition func(DocumentStatus) bool

// OnDevices is met when at least n devices, this one included, have the document's version of this moment on their disks.
func OnDevices(n int) Condition {
	return func(s DocumentStatus) bool {
		have := 0
		for _, d := range s.Devices {
			if d.Durable {
				have++
			}
		}
		return have >= n
	}
}

// Wait returns when every condition is met at one moment, or with ctx's error. It has changes that wait saved first, as [Handle.Flush] does, so that
// they are in the version it looks at.
func (h *Handle) Wait(ctx context.Context, conditions ...Condition) error {
	if err := h.Flush(ctx); err != nil {
		return err
	}
	for {
		news := h.e.News()
		s, err := h.Status(ctx)
		if err != nil {
			return err
		}
		met := true
		for _, c := range conditions {
			met = met && c(s)
		}
		if met {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		case <-h.closed:
			return ErrClosed
		case <-h.e.closed:
			return ErrClosed
		}
	}
}

// Status says which device has which version of the document on its disk.
func (h *Handle) Status(ctx context.Context) (DocumentStatus, error) {
	if err := h.use(); err != nil {
		return DocumentStatus{}, err
	}
	defer h.e.work.Done()
	if h.d.ephemeral {
		return h.ephemeralStatus()
	}
	for u := h.URL(); ; {
		s, err := h.e.documentStatus(ctx, persist.Name{Space: u.Space, Doc: u.Doc})
		if now := h.URL(); errors.Is(err, ErrNotFound) && now != u {
			u = now // it moved while we looked
			continue
		}
		return s, err
	}
}
