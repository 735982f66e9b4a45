package tombolo_test

import (
	"bytes"
	"log/slog"
	"strings"
	gosync "sync"
	"testing"

	"tombolo"
)

// notes is a log in memory.
type notes struct {
	mu  gosync.Mutex
	buf bytes.Buffer
}

func (l *notes) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *notes) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Parts that are asked for say what they do, and never what documents hold or how they are called.
func TestDebug(t *testing.T) {
	said := &notes{}
	s, dir := &shelf{disk: newDisk()}, t.TempDir()
	opts := tombolo.Options{Store: s, Log: slog.New(slog.NewTextHandler(said, nil)), Debug: []string{"persist", "sync", "schema"}}
	e := open(t, dir, opts)
	desk := inMemory(t, tombolo.Options{})
	pair(t, e, desk, false)
	h, err := e.Home().Open(t.Context(), "secret name")
	must(t, err)
	set(t, h, "/key", "secret value")
	there := arrives(t, desk, h.URL())
	reads(t, there, `{"key":"secret value"}`)
	set(t, there, "/key", "another secret")
	reads(t, h, `{"key":"another secret"}`)
	u := h.URL()
	must(t, e.Close())
	opts.Offline = true
	e = open(t, dir, opts)
	h, err = e.Document(t.Context(), u)
	must(t, err)
	must(t, h.Close())
	must(t, e.Close())
	got := said.String()
	short := u.Doc.Short()
	for _, want := range []string{
		`part=persist`, `msg="restored ` + short, ` B from store"`, `msg="saved `, `part=sync`, `msg="sent `, `msg="received `, ` of ` + short + `" part=sync peer=`,
		`part=schema`, short + ` has layout 1`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("nothing says %q", want)
		}
	}
	if strings.Contains(got, "secret") {
		t.Error("the log tells secrets")
	}
	if t.Failed() {
		t.Log(got)
	}
}

// A change that is refused because its document does not read is a line of its own.
func TestDebugRefused(t *testing.T) {
	said := &notes{}
	s, dir := &shelf{disk: newDisk()}, t.TempDir()
	e := open(t, dir, tombolo.Options{Store: s, Offline: true, Log: slog.New(slog.NewTextHandler(said, nil)), Debug: []string{"persist"}})
	h, err := e.Home().Create(t.Context(), nil)
	must(t, err)
	defer h.Close()
	s.breaks(every)
	if err := h.Change(t.Context(), "", put("/n", 1)); err == nil {
		t.Fatal("a broken disk took a change")
	}
	s.repaired()
	s.set(func() { s.fails = errDisk })
	if err := h.Change(t.Context(), "", put("/n", 1)); err == nil {
		t.Fatal("a document that does not read took a change")
	}
	if !strings.Contains(said.String(), `msg="save refused: load failed"`) {
		t.Errorf("nothing says so: %s", said)
	}
	if strings.Contains(said.String(), "part=sync") {
		t.Error("a part speaks that was not asked")
	}
}

func TestDebugUnknown(t *testing.T) {
	_, err := tombolo.Open(t.Context(), t.TempDir(), &tombolo.Options{Debug: []string{"persits"}})
	if err == nil || !strings.Contains(err.Error(), "persist, sync, schema") {
		t.Errorf("an unknown part: %v", err)
	}
}
