package control

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// version of the protocol; the first byte of each side.
const version = 1

type kind byte

// Kinds of frames, see the package comment.
const (
	kindRequest  kind = 1
	kindInput    kind = 2
	kindInputEnd kind = 3
	kindCancel   kind = 4
	kindWant     kind = 5
	kindOutput   kind = 6
	kindError    kind = 7
	kindProgress kind = 8
	kindExit     kind = 9
)

const (
	headerSize = 5
	// maxPiece bounds every payload but a request's.
	maxPiece = 64 << 10
	// MaxRequest bounds the arguments of a command, in bytes. Linux allows 128 KiB for one argument and 2 MiB for all.
	MaxRequest = 4 << 20
)

// ErrTooLarge reports arguments beyond [MaxRequest].
var ErrTooLarge = errors.New("the arguments are too long for the running node; give the value on standard input, with -")

// Request is a command to carry out.
type Request struct {
	Args     []string // without the program's name; none may contain a NUL byte
	Terminal bool     // standard output is a terminal, seen by a person
}

func (r Request) encode() ([]byte, error) {
	b := []byte{0}
	if r.Terminal {
		b[0] = 1
	}
	for _, arg := range r.Args {
		if strings.ContainsRune(arg, 0) {
			return nil, errors.New("an argument contains a NUL byte; remove it")
		}
		b = append(append(b, 0), arg...)
		if len(b) > MaxRequest {
			return nil, ErrTooLarge
		}
	}
	return b, nil
}

func decodeRequest(b []byte) (Request, error) {
	if len(b) == 0 || b[0] > 1 || (len(b) > 1 && b[1] != 0) {
		return Request{}, errors.New("malformed request")
	}
	r := Request{Terminal: b[0] == 1}
	if len(b) > 1 {
		r.Args = strings.Split(string(b[2:]), "\x00")
	}
	return r, nil
}

// Progress says how far a command is: what it does, and how much of it is done, in whatever the command counts. total is
// zero where nobody knows.
type Progress func(doing string, done, total uint64)

// progressHead is the bytes of done and total.
const progressHead = 16

func encodeProgress(doing string, done, total uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, done)
	b = binary.BigEndian.AppendUint64(b, total)
	return append(b, doing[:min(len(doing), maxPiece-progressHead)]...)
}

// decodeProgress takes a payload of at least progressHead bytes apart.
func decodeProgress(b []byte) (doing string, done, total uint64) {
	return string(b[progressHead:]), binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
}

// readFrame reads the next frame. Its payload is the caller's.
func readFrame(r *bufio.Reader) (kind, []byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	k, size := kind(header[0]), binary.BigEndian.Uint32(header[1:])
	limit := uint32(maxPiece)
	if k == kindRequest {
		limit = MaxRequest
	}
	if size > limit {
		return 0, nil, fmt.Errorf("a frame of kind %d with %d bytes is larger than the %d allowed", k, size, limit)
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, err
	}
	return k, payload, nil
}

// frameWriter writes whole frames; it is safe for use from several goroutines.
type frameWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (f *frameWriter) write(k kind, payload []byte) error {
	frame := make([]byte, headerSize, headerSize+len(payload))
	frame[0] = byte(k)
	binary.BigEndian.PutUint32(frame[1:], uint32(len(payload)))
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.w.Write(append(frame, payload...))
	return err
}

// stream is an io.Writer that sends what it is given as frames of one kind.
type stream struct {
	frames *frameWriter
	kind   kind
}

func (s stream) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		piece := p[:min(len(p), maxPiece)]
		if err := s.frames.write(s.kind, piece); err != nil {
			return written, err
		}
		written += len(piece)
		p = p[len(piece):]
	}
	return written, nil
}
