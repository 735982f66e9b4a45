package mirror_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/mirror"
)

// Both sides follow each other, a place that was emptied is written again, and a stopped side follows no more.
func TestAuto(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	p := &mirror.Memory{}
	m := newMirror(t, h, p, nil)
	must(t, m.StartAutoLoad(t.Context(), map[string]any{"never": true})) // the document has something
	must(t, m.StartAutoSave(t.Context()))
	shows(t, p, `{"n":1}`)
	set(t, h, "/n", 2)
	fetches(t, p, `{"n":2}`)
	p.Put([]byte(`{"n":2,"m":1}`))
	reads(t, h, is(`{"m":1,"n":2}`))
	p.Put(nil)
	fetches(t, p, `{"m":1,"n":2}`)
	p.Put([]byte(`{"m":1`)) // half of it
	set(t, h, "/n", 3)
	p.Put([]byte(`{"m":2,"n":2}`))
	reads(t, h, is(`{"m":2,"n":3}`))
	fetches(t, p, `{"m":2,"n":3}`)

	m.StopAutoLoad()
	m.StopAutoLoad()
	m.StopAutoSave()
	p.Put([]byte(`{"m":4,"n":3}`))
	set(t, h, "/n", 5)
	wants(t, h, `{"m":2,"n":5}`)
	shows(t, p, `{"m":4,"n":3}`)
	must(t, m.StartAutoLoad(t.Context(), nil))
	wants(t, h, `{"m":4,"n":5}`)
	must(t, m.StartAutoSave(t.Context()))
	must(t, m.StartAutoSave(t.Context())) // once more is a save
	shows(t, p, `{"m":4,"n":5}`)
}

// An empty document without a place begins with what it is given, and only then.
func TestInitial(t *testing.T) {
	h := document(t, nil)
	p := &mirror.Memory{}
	m := newMirror(t, h, p, nil)
	must(t, m.StartAutoLoad(t.Context(), nil))
	must(t, m.StartAutoLoad(t.Context(), map[string]any{"hello": doc.Text("")}))
	wants(t, h, `{"hello":{"$text":""}}`)
	must(t, m.Save(t.Context()))
	m.StopAutoLoad()
	p.Put(nil)
	must(t, m.StartAutoLoad(t.Context(), map[string]any{"bye": 1}))
	wants(t, h, `{"hello":{"$text":""}}`)
	m.StopAutoLoad()

	other := newMirror(t, document(t, nil), &mirror.Memory{}, nil)
	if err := other.StartAutoLoad(t.Context(), 5); err == nil {
		t.Error("a document became a number")
	}
}

// lines are what was logged.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// What does not work is told once, by both ways, and tried again.
func TestErrorsAreTold(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	inner := &mirror.Memory{}
	p := &place{Place: inner}
	errs, log := make(chan error, 10), make(lines, 10)
	m := newMirror(t, h, p, &mirror.Options{
		State: inner.State(), OnError: func(err error) { errs <- err }, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	down := errors.New("the place is away")
	p.fails(down, nil)
	if err := m.StartAutoSave(t.Context()); !errors.Is(err, down) {
		t.Errorf("the first save: %v", err)
	}
	if err := m.StartAutoLoad(t.Context(), nil); !errors.Is(err, down) {
		t.Errorf("the first load: %v", err)
	}
	p.fails(nil, nil)
	set(t, h, "/n", 2)
	fetches(t, inner, `{"n":2}`)
	inner.Put([]byte("{"))
	for range 2 { // both see it
		if err := told(t, errs); !isBad(err) {
			t.Errorf("told: %v", err)
		}
		if line := <-log; !strings.Contains(line, "part=mirror") || !strings.Contains(line, "no document") {
			t.Errorf("logged: %s", line)
		}
	}
	set(t, h, "/n", 3) // the same error again
	inner.Put([]byte(`{"n":2,"m":1}`))
	fetches(t, inner, `{"m":1,"n":3}`)
	away := errors.New("it is full")
	p.fails(nil, away)
	set(t, h, "/n", 4)
	if err := told(t, errs); !errors.Is(err, away) {
		t.Errorf("told: %v", err)
	}
	p.fails(nil, nil)
	set(t, h, "/n", 5)
	fetches(t, inner, `{"m":1,"n":5}`)
	if len(errs) > 0 {
		t.Errorf("told as well: %v", <-errs)
	}
}

func isBad(err error) bool {
	_, ok := errors.AsType[*mirror.BadError](err)
	return ok
}

// A place without news of its own is looked at when Poll says so; Close does not wait for Poll.
func TestPoll(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	inner := &mirror.Memory{}
	p := quiet{inner}
	tick := make(chan struct{})
	m := newMirror(t, h, p, &mirror.Options{Poll: func(ctx context.Context) error {
		select {
		case <-tick:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	must(t, m.StartAutoSave(t.Context()))
	m.StopAutoSave()
	must(t, m.StartAutoLoad(t.Context(), nil))
	inner.Put([]byte(`{"n":2}`))
	wants(t, h, `{"n":1}`)
	tick <- struct{}{}
	reads(t, h, is(`{"n":2}`))
	must(t, m.Close())

	m = newMirror(t, h, p, nil) // each second
	must(t, m.StartAutoLoad(t.Context(), nil))
	must(t, m.Close())
	must(t, mirror.Every(1)(t.Context()))
}

// Close breaks off what is at work.
func TestCloseBreaksOff(t *testing.T) {
	h := document(t, map[string]any{"n": 1})
	p := stuck{Memory: &mirror.Memory{}, begun: make(chan struct{}, 2)}
	m := newMirror(t, h, p, nil)
	failed := make(chan error, 2)
	go func() { failed <- m.Load(t.Context()) }()
	<-p.begun
	go func() { failed <- m.Save(t.Context()) }() // waits for its turn, or comes too late
	must(t, m.Close())
	for range 2 {
		if err := told(t, failed); !errors.Is(err, mirror.ErrClosed) {
			t.Errorf("broken off: %v", err)
		}
	}
}

// stuck is a place that answers when it is told not to wait.
type stuck struct {
	*mirror.Memory
	begun chan struct{}
}

func (p stuck) Read(ctx context.Context, _ string) ([]byte, string, error) {
	p.begun <- struct{}{}
	<-ctx.Done()
	return nil, "", ctx.Err()
}
