package tombolo

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"tombolo/doc"
	"tombolo/persist"
	"tombolo/sync"
)

// The value of a large document is kept beside its changes, so that the first reads after a start need not wait until those are read. It counts only
// where it is of the very version that the header names, and the log may lose it at any time.

const (
	cacheValue   = 2        // its kind in the log
	valueVersion = 1        // the first byte; the HeadsHash and a zstd frame of the canonical JSON follow
	cacheFrom    = 1000     // changes; less are read in a few milliseconds
	maxValue     = 64 << 20 // bytes of JSON; the value of a larger document is not kept
)

// reader is what a document answers from its value alone.
type reader interface {
	Get(path string) (any, error)
	JSON(path string) ([]byte, error)
	Hash() ([32]byte, error)
	Read(path string, into any) error
}

// peek asks the value of a document, as far as that is known before the document is read.
func peek[T any](h *Handle, ask func(reader) (T, error)) (answer T, err error) {
	if err := h.use(); err != nil {
		return answer, err
	}
	d := h.lock()
	value, key := d.value, d.key
	d.mu.Unlock()
	if value == nil || h.e.damaged(key) != nil {
		h.e.work.Done()
		return query(h, func(full *doc.Doc) (T, error) { return ask(full) })
	}
	defer h.e.work.Done()
	return ask(value)
}

// showValue brings the value that is on disk, if it is of the version there, into memory, and has the document read behind it. It reports false where
// the document is in memory or its value is not on disk. Called with mu held.
func (d *document) showValue(ctx context.Context) bool {
	if d.value != nil {
		return true
	}
	if d.ephemeral || d.full != nil || d.loading != nil || len(d.unsaved) > 0 {
		return false
	}
	header, err := d.e.log.Header(ctx, d.name())
	if err != nil || header.Last < cacheFrom {
		return false // reading it says what is wrong
	}
	m, err := decodeMeta(header.Meta)
	if err != nil || m.Form != metaForm || m.Layout > knownLayout {
		return false
	}
	_, data, err := d.e.log.Cache(ctx, d.name(), cacheValue)
	if err != nil {
		return false
	}
	value, err := decodeValue(data, header.HeadsHash)
	if err != nil {
		return false
	}
	d.value, d.cached = value, header.HeadsHash
	d.durable, d.heads, d.meta, d.bytes = int(header.Last), hashes(header.Heads), m, len(data)
	d.loading = make(chan struct{})
	d.behind.Store(true)
	d.e.debug(debugPersist, fmt.Sprintf("restored the value of %s, %s from store", d.key.Doc.Short(), bytesText(len(data))))
	d.e.holdToo(d)
	d.e.work.Go(d.readBehind)
	return true
}

// isLoading reports whether a document shows its value and is not read yet.
func (e *Engine) isLoading(key sync.Key) bool {
	e.docsMu.Lock()
	defer e.docsMu.Unlock()
	d := e.documents[key]
	return d != nil && d.behind.Load()
}

// readBehind reads a document of which the value is in memory already. Where that fails, the value goes too: who asks next has it read again, and
// gets the error.
func (d *document) readBehind() {
	defer d.e.release(d)
	r := d.readLog(d.e.run)
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.loading)
	d.loading = nil
	if d.value == nil {
		return // given up meanwhile: it is another document now, or none
	}
	d.value = nil
	d.behind.Store(false)
	if err := d.place(d.e.run, r); err != nil && d.e.run.Err() == nil {
		d.e.opts.Log.Error("a document of which the value is known does not read", "doc", d.key.Doc.Short(), "err", err)
	}
	d.e.news()
}

// keepValue writes the value of a large document beside its changes, unless it is there. Nothing depends on it, so an error is nobody's.
func (d *document) keepValue(ctx context.Context) {
	d.mu.Lock()
	settled := d.full != nil && len(d.unsaved) == 0 && d.waiting == nil && !d.ephemeral
	if !settled || d.durable < cacheFrom || d.e.room() != nil {
		d.mu.Unlock()
		return
	}
	at, hash := d.durable, doc.Hash(doc.HeadsHash(d.key.Doc, d.heads))
	if d.cached == hash {
		d.mu.Unlock()
		return
	}
	d.cached = hash // also where it cannot be kept: it is tried again with the next version
	json, err := d.full.Snapshot()
	d.mu.Unlock()
	if err != nil || len(json) > maxValue {
		return
	}
	data, err := encodeValue(json, hash)
	if err == nil {
		err = d.e.log.PutCache(ctx, d.name(), cacheValue, uint64(at), data)
	}
	if err != nil && !errors.Is(err, persist.ErrNotFound) && ctx.Err() == nil {
		d.e.opts.Log.Debug("the value of a document is not kept", "doc", d.key.Doc.Short(), "err", err)
	}
}

func encodeValue(json []byte, hash [32]byte) ([]byte, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, err
	}
	return enc.EncodeAll(json, append([]byte{valueVersion}, hash[:]...)), nil
}

var errNotValue = errors.New("it is not the value of this version")

// decodeValue reads what encodeValue wrote, if it is of the version that hash names.
func decodeValue(data []byte, hash [32]byte) (*doc.Snapshot, error) {
	if len(data) < 33 || data[0] != valueVersion || !bytes.Equal(data[1:33], hash[:]) {
		return nil, errNotValue
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxValue))
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	json, err := dec.DecodeAll(data[33:], nil)
	if err != nil {
		return nil, err
	}
	return doc.ParseSnapshot(json)
}

// isShown reports whether the document's value is in memory and its changes are not: then it is on disk.
func (h *Handle) isShown() bool {
	d := h.lock()
	defer d.mu.Unlock()
	return d.value != nil
}
