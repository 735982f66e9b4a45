package mirror_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tombolo"
	"tombolo/doc"
	"tombolo/mirror"
	"tombolo/persist/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open is an engine in memory, closed at the end of the test.
func open(t *testing.T, opts tombolo.Options) *tombolo.Engine {
	t.Helper()
	if opts.Store == nil {
		opts.Store = memstore.New()
	}
	return openIn(t, t.TempDir(), opts)
}

func openIn(t *testing.T, dir string, opts tombolo.Options) *tombolo.Engine {
	t.Helper()
	opts.NoDiscovery = true
	opts.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
	e, err := tombolo.Open(t.Context(), dir, &opts)
	must(t, err)
	t.Cleanup(func() { must(t, e.Close()) })
	return e
}

// document is a new one with a value.
func document(t *testing.T, value any) *tombolo.Handle {
	t.Helper()
	h, err := open(t, tombolo.Options{Offline: true}).Home().Create(t.Context(), value)
	must(t, err)
	return h
}

func newMirror(t *testing.T, h *tombolo.Handle, p mirror.Place, opts *mirror.Options) *mirror.Mirror {
	t.Helper()
	m, err := mirror.New(h, p, opts)
	must(t, err)
	t.Cleanup(func() { must(t, m.Close()) })
	return m
}

func set(t *testing.T, h *tombolo.Handle, path string, v any) {
	t.Helper()
	must(t, h.Change(t.Context(), "test", func(tx *doc.Tx) error { return tx.Set(path, v) }))
}

// wants checks the document.
func wants(t *testing.T, h *tombolo.Handle, want string) {
	t.Helper()
	got, err := h.JSON("")
	if err != nil || string(got) != want {
		t.Fatalf("the document is %s (%v), wanted %s", got, err, want)
	}
}

// shows checks the place.
func shows(t *testing.T, p mirror.Place, want string) {
	t.Helper()
	if got := content(t, p); got != want {
		t.Fatalf("the place has %q, wanted %q", got, want)
	}
}

// content is what a place has, as canonical JSON where it is JSON.
func content(t *testing.T, p mirror.Place) string {
	t.Helper()
	data, _, err := p.Read(t.Context(), "")
	if errors.Is(err, mirror.ErrNotThere) {
		return "nothing"
	}
	must(t, err)
	v, err := doc.DecodeJSON(data)
	if err != nil {
		return string(data)
	}
	b, err := doc.EncodeJSON(v)
	must(t, err)
	return string(b)
}

// patience is how long a test waits for an event before it calls the event missing.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// reads waits until the document is as wanted.
func reads(t *testing.T, h *tombolo.Handle, ok func(string) bool) {
	t.Helper()
	ctx := patience(t)
	events := h.Watch(ctx)
	got, err := h.JSON("")
	if must(t, err); ok(string(got)) {
		return
	}
	for range events {
		got, err = h.JSON("")
		if must(t, err); ok(string(got)) {
			return
		}
	}
	t.Fatalf("it did not come to that; the document is %s", got)
}

func is(want string) func(string) bool { return func(got string) bool { return got == want } }

// fetches waits until a Memory is as wanted.
func fetches(t *testing.T, p *mirror.Memory, want string) {
	t.Helper()
	ctx := patience(t)
	news := p.Watch(ctx)
	if content(t, p) == want {
		return
	}
	for range news {
		if content(t, p) == want {
			return
		}
	}
	t.Fatalf("it did not come to that; the place has %q", content(t, p))
}

// told waits for an error.
func told(t *testing.T, errs <-chan error) error {
	t.Helper()
	select {
	case err := <-errs:
		return err
	case <-patience(t).Done():
		t.Fatal("no error was told")
		return nil
	}
}

// place is a place that calls functions of the test.
type place struct {
	mirror.Place
	mu          sync.Mutex
	beforeWrite func() // called once
	readErr     error  // what Read gives
	writeErr    error  // what Write gives
}

func (p *place) Read(ctx context.Context, known string) ([]byte, string, error) {
	p.mu.Lock()
	err := p.readErr
	p.mu.Unlock()
	if err != nil {
		return nil, "", err
	}
	return p.Place.Read(ctx, known)
}

func (p *place) Write(ctx context.Context, data []byte, tag string) (string, error) {
	p.mu.Lock()
	before, err := p.beforeWrite, p.writeErr
	p.beforeWrite = nil
	p.mu.Unlock()
	if before != nil {
		before()
	}
	if err != nil {
		return "", err
	}
	return p.Place.Write(ctx, data, tag)
}

func (p *place) fails(read, write error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readErr, p.writeErr = read, write
}

// quiet is a Memory without news of its own.
type quiet struct{ *mirror.Memory }

func (quiet) Watch(context.Context) iter.Seq[struct{}] { return nil }
