package backup

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"tombolo/persist"
)

// Reader reads an archive, once, from front to end. It is for one goroutine.
type Reader struct {
	head Head
	sum  Summary
	z    *zstd.Decoder
	in   *bufio.Reader
	hash hash.Hash
}

// NewReader reads the head of the archive in r, which Unseal gives. Close ends
// what NewReader began, and leaves r open. Errors: ErrNotBackup,
// *persist.TooNewError, *DamagedError, and those of r.
func NewReader(r io.Reader) (*Reader, error) {
	// One goroutine; a hostile frame gets no more memory than ours need.
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, fmt.Errorf("read a backup: %w", err)
	}
	a, err := newReader(z)
	if err != nil {
		z.Close()
		return nil, err
	}
	a.z = z
	return a, nil
}

// newReader reads an archive that is not compressed.
func newReader(plain io.Reader) (*Reader, error) {
	a := &Reader{in: bufio.NewReader(plain), hash: sha256.New()}
	if err := a.readHead(); err != nil {
		return nil, fmt.Errorf("read a backup: %w", err)
	}
	return a, nil
}

// Close gives the reader up. The underlying reader stays open.
func (a *Reader) Close() { a.z.Close() }

// Head says where the archive comes from. An archive that is cut off has one.
func (a *Reader) Head() Head { return a.head }

// Summary counts what Entries went through.
func (a *Reader) Summary() Summary { return a.sum }

func (a *Reader) readHead() error {
	line, err := a.line()
	if errors.Is(err, zstd.ErrMagicMismatch) {
		return ErrNotBackup
	}
	if err != nil {
		return damaged(err)
	}
	number, ok := strings.CutPrefix(line, magic)
	if !ok {
		return ErrNotBackup
	}
	format, err := strconv.ParseUint(number, 10, 64)
	switch {
	case err != nil || format == 0:
		return ErrNotBackup
	case format > Format:
		return &persist.TooNewError{What: "backup format", Have: format, Known: Format}
	}
	kind, err := a.byte()
	if err != nil {
		return damaged(err)
	}
	if kind != kindHead {
		return damaged(fmt.Errorf("it begins with a record of kind %d", kind))
	}
	var r headRecord
	if err := a.fixed(&r); err != nil {
		return err
	}
	a.head = Head{Created: time.Unix(r.Created, 0), Peer: r.Peer, Name: r.Name, Documents: r.Documents, Identity: r.Identity}
	return nil
}

// Entries yields what the store held, in key order. The sequence ends without
// an error only where the archive's end was reached and fits everything before:
// until then nothing is certain. Errors: *DamagedError, those of the underlying
// reader, and ctx.Err().
func (a *Reader) Entries(ctx context.Context) iter.Seq2[persist.Entry, error] {
	return func(yield func(persist.Entry, error) bool) {
		for {
			e, ok, err := a.next(ctx)
			if err != nil {
				yield(persist.Entry{}, fmt.Errorf("read a backup: %w", err))
				return
			}
			if !ok || !yield(e, nil) {
				return
			}
		}
	}
}

// next gives the next entry; ok is false at the end.
func (a *Reader) next(ctx context.Context) (e persist.Entry, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return e, false, err
	}
	kind, err := a.in.ReadByte()
	if err != nil {
		return e, false, damaged(err)
	}
	switch kind {
	case kindEntry:
		a.hash.Write([]byte{kind})
		if e.Key, err = a.bytes(persist.MaxKey); err == nil {
			e.Value, err = a.bytes(persist.MaxValue)
		}
		if err != nil {
			return persist.Entry{}, false, err
		}
		a.sum.Entries++
		a.sum.Bytes += uint64(len(e.Key) + len(e.Value))
		if _, ok := persist.HeaderOf(e.Key); ok {
			a.sum.Documents++
		}
		return e, true, nil
	case kindTail:
		return e, false, a.tail()
	}
	return e, false, damaged(fmt.Errorf("a record of kind %d", kind))
}

// tail compares the end with what was read.
func (a *Reader) tail() error {
	before := a.hash.Sum(nil)
	var t tailRecord
	if err := a.fixed(&t); err != nil {
		return err
	}
	a.sum.Damaged = t.Damaged
	if t.Entries != a.sum.Entries || t.Documents != a.sum.Documents || t.Bytes != a.sum.Bytes {
		return damaged(fmt.Errorf("it has %d entries, and its end says %d", a.sum.Entries, t.Entries))
	}
	if !bytes.Equal(t.Sum, before) {
		return damaged(errors.New("its SHA-256 is another than its end says"))
	}
	switch _, err := a.in.ReadByte(); {
	case err == nil:
		return damaged(errors.New("something stands behind its end"))
	case !errors.Is(err, io.EOF):
		return damaged(err)
	}
	return nil
}

// line is the first line, which is short.
func (a *Reader) line() (string, error) {
	var b []byte
	for len(b) < len(magic)+20 {
		c, err := a.byte()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			break
		}
		b = append(b, c)
	}
	return string(b), nil
}

func (a *Reader) byte() (byte, error) {
	c, err := a.in.ReadByte()
	if err == nil {
		a.hash.Write([]byte{c})
	}
	return c, err
}

// bytes reads a length of at most limit, and as many bytes.
func (a *Reader) bytes(limit uint64) ([]byte, error) {
	length := &kept{in: a.in}
	n, err := binary.ReadUvarint(length)
	if err != nil {
		return nil, damaged(err)
	}
	if n > limit {
		return nil, damaged(fmt.Errorf("a length of %d, the limit is %d", n, limit))
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(a.in, b); err != nil {
		return nil, damaged(err)
	}
	a.hash.Write(length.bytes)
	a.hash.Write(b)
	return b, nil
}

func (a *Reader) fixed(into any) error {
	body, err := a.bytes(maxFixed)
	if err != nil {
		return err
	}
	if err := decoding.Unmarshal(body, into); err != nil {
		return damaged(err)
	}
	return nil
}

// kept keeps the bytes that binary.ReadUvarint takes.
type kept struct {
	in    io.ByteReader
	bytes []byte
}

func (k *kept) ReadByte() (byte, error) {
	c, err := k.in.ReadByte()
	k.bytes = append(k.bytes, c)
	return c, err
}

// damaged says that an archive does not read. An error of the disk or of a
// context stays what it is: the archive may be whole.
func damaged(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if transport(err) {
		return err
	}
	return &DamagedError{err}
}
