package main

import (
	"context"
	"fmt"
	"io"

	"tombolo/doc"
)

// maxInput bounds a value read from standard input, in bytes.
const maxInput = 256 << 20

// interruptible reads from in until ctx ends. A read that blocks then is left to itself: nothing in Go interrupts a read of
// standard input. It ends with the process, or with the connection of the client that the input comes from.
type interruptible struct {
	ctx  context.Context
	in   io.Reader
	rest []byte
	err  error
}

func (r *interruptible) Read(p []byte) (int, error) {
	if len(r.rest) == 0 && r.err == nil {
		type piece struct {
			data []byte
			err  error
		}
		read := make(chan piece, 1)
		go func() {
			buf := make([]byte, 64<<10)
			n, err := r.in.Read(buf)
			read <- piece{buf[:n], err}
		}()
		select {
		case got := <-read:
			r.rest, r.err = got.data, got.err
		case <-r.ctx.Done():
			r.err = context.Cause(r.ctx)
		}
	}
	if len(r.rest) == 0 {
		return 0, r.err
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// argument is the argument itself, or all of standard input if it is "-".
func (p *peer) argument(ctx context.Context, arg string) ([]byte, error) {
	if arg != "-" {
		return []byte(arg), nil
	}
	data, err := io.ReadAll(io.LimitReader(&interruptible{ctx: ctx, in: p.in}, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = fmt.Errorf("standard input is longer than %d MiB; give it in parts", maxInput>>20)
	}
	return data, err
}

// value is the JSON value that an argument, or standard input, holds.
func (p *peer) value(ctx context.Context, arg string) (any, error) {
	data, err := p.argument(ctx, arg)
	if err != nil {
		return nil, err
	}
	v, err := doc.DecodeJSON(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read the value: %w", err)
	}
	return v, nil
}

// object is the JSON object that an argument, or standard input, holds: the form of a whole document.
func (p *peer) object(ctx context.Context, arg string) (map[string]any, error) {
	v, err := p.value(ctx, arg)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf(`a document is a JSON object, and this value is not; put it under a key, as in {"value": …}`)
	}
	return m, nil
}
