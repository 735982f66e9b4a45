package pack

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"tombolo/doc/gate"
)

// Limits of one pack. They bound what a reader must be ready to hold.
const (
	MaxRaw   = 24 << 20 // bytes of all changes in plain form; admits the largest change of the gate's rule beside others
	MaxCount = 1 << 18  // changes
)

const (
	codecByte  = 1
	checkLen   = 8
	window     = 1 << 20
	undeclared = 255 // the most content for which the compressor leaves the size out of the frame
)

var (
	// ErrCodec is the answer to a pack of a codec this program does not know: keep it and pass it on, a newer program reads it.
	ErrCodec = errors.New("pack: written by a newer version; update this program to read it")

	// ErrTooLarge is the answer to a run that exceeds MaxRaw or MaxCount: cut it and pack the parts.
	ErrTooLarge = errors.New("pack: too many changes for one pack; cut the run into several")

	// ErrOrder is the answer to a run in which a change stands twice, or before one it builds on.
	ErrOrder = errors.New("pack: the changes are not in causal order; sort them as they were added")

	// ErrEmpty is the answer to a run without changes: there is nothing to pack.
	ErrEmpty = errors.New("pack: no changes; pack at least one")
)

// FormError is the verdict on bytes that are not a whole pack.
type FormError struct {
	Reason string // what is wrong, for a person
}

// Error says what is wrong with the pack.
func (e *FormError) Error() string {
	return "pack: damaged pack: " + e.Reason + "; get the changes again from another device"
}

// Codec packs and unpacks. Its methods may be called by several goroutines at once; they share one compressor and two decompressors,
// so memory stays at a few megabytes.
type Codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// New makes a codec. One is enough for a program.
func New() *Codec {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(window),
		zstd.WithEncoderCRC(false)) // the check in the head covers the content
	if err != nil {
		panic("pack: the compressor refuses our options: " + err.Error())
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(window),
		zstd.WithDecoderMaxMemory(MaxRaw), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic("pack: the decompressor refuses our options: " + err.Error())
	}
	return &Codec{enc: enc, dec: dec}
}

// Pack joins changes, plain or deflated, into one pack. They are checked by [gate.Parse], whose errors come back wrapped; the others are
// [ErrEmpty], [ErrOrder] and [ErrTooLarge]. The changes are not kept.
func (c *Codec) Pack(changes [][]byte) ([]byte, error) {
	if len(changes) == 0 {
		return nil, ErrEmpty
	}
	if len(changes) > MaxCount {
		return nil, fmt.Errorf("%w: %d changes, %d are allowed", ErrTooLarge, len(changes), MaxCount)
	}
	w := writer{at: make(map[gate.Hash]int, len(changes)), outside: map[gate.Hash]int{}, digest: sha256.New()}
	for i, raw := range changes {
		change, err := gate.Parse(raw)
		if err == nil {
			err = w.add(change)
		}
		if err != nil {
			return nil, fmt.Errorf("pack change %d of %d: %w", i+1, len(changes), err)
		}
	}
	head := binary.AppendUvarint([]byte{codecByte}, uint64(len(changes)))
	head = binary.AppendUvarint(head, uint64(w.raw))
	head = binary.AppendUvarint(head, uint64(len(w.external)))
	for _, h := range w.external {
		head = append(head, h[:]...)
	}
	head = append(head, w.digest.Sum(nil)[:checkLen]...)
	return c.enc.EncodeAll(w.payload, head), nil
}

// Info reads the head of a pack: how many changes it holds, how many bytes they are in plain form, and which changes outside of it they
// build on. Nothing is inflated and nothing proved: what [Codec.Unpack] says counts. The errors are [ErrCodec] and [*FormError].
func Info(pack []byte) (count, raw int, external []gate.Hash, err error) {
	h, err := readHead(pack)
	return h.count, h.raw, h.external, err
}

// Unpack gives the changes back, in their order and plain form. They share one piece of memory. The errors are [ErrCodec] and
// [*FormError]. Changes from others have yet to pass [gate.Parse].
func (c *Codec) Unpack(pack []byte) ([][]byte, error) {
	h, err := readHead(pack)
	if err != nil {
		return nil, err
	}
	payload, err := c.inflate(h)
	if err != nil {
		return nil, err
	}
	return h.changes(payload)
}

// inflate gives the content of the frame. The size it declares is the capacity it gets, so a frame that lies is stopped there.
func (c *Codec) inflate(h head) ([]byte, error) {
	var frame zstd.Header
	if err := frame.Decode(h.frame); err != nil || frame.Skippable {
		return nil, &FormError{Reason: "the compressed part has no readable head"}
	}
	size := frame.FrameContentSize
	if !frame.HasFCS {
		size = min(undeclared, uint64(h.raw))
	}
	// What is left out of a change is longer than what is put in its place.
	if size > uint64(h.raw) {
		return nil, &FormError{Reason: "the compressed part is larger than the changes"}
	}
	payload, err := c.dec.DecodeAll(h.frame, make([]byte, 0, size))
	if err != nil {
		return nil, &FormError{Reason: "the compressed part does not inflate"}
	}
	return payload, nil
}
