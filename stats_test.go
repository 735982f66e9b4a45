package tombolo_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist/memstore"
)

// grown is a new document with a text of so many edits.
func grown(t *testing.T, e *tombolo.Engine, name string, edits int) *tombolo.Handle {
	t.Helper()
	h, err := e.Home().Open(t.Context(), name)
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	for i := range edits {
		must(t, h.Change(t.Context(), "", func(tx *doc.Tx) error { return tx.Text("/text").Splice(0, 0, fmt.Sprint(i, " ")) }))
	}
	return h
}

func TestStats(t *testing.T) {
	e := open(t, t.TempDir(), tombolo.Options{Offline: true})
	grown(t, e, "small", 1)
	large := grown(t, e, "large", 50)
	var told []string
	s, err := e.Stats(t.Context(), 1, func(doing string, done, total uint64) {
		told = append(told, fmt.Sprint(doing, " ", done, "/", total))
	})
	must(t, err)
	if got := strings.Join(told, ", "); got != "measuring documents 1/2, measuring documents 2/2" {
		t.Errorf("told: %s", got)
	}
	if s.Documents != 2 || s.Changes < 51 || s.Quarantined != 0 || s.Bytes.Loose == 0 || s.Bytes.Headers == 0 || s.Bytes.Rest == 0 || s.Bytes.Packed != 0 {
		t.Errorf("%+v", s)
	}
	if len(s.Largest) != 1 {
		t.Fatalf("the largest: %+v", s.Largest)
	}
	d := s.Largest[0]
	if d.URL != large.URL().String() || d.Name != "large" || d.Changes < 50 || d.Bytes <= d.Loose || d.Loose < s.Bytes.Loose/2 {
		t.Errorf("the largest: %+v", d)
	}

	s, err = e.Stats(t.Context(), 100, nil)
	if must(t, err); len(s.Largest) != 2 {
		t.Errorf("all: %+v", s.Largest)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Stats(ended, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	must(t, e.Close())
	if _, err := e.Stats(t.Context(), 1, nil); !errors.Is(err, tombolo.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// BenchmarkStats measures 10,000 small documents in memory.
func BenchmarkStats(b *testing.B) {
	e, err := tombolo.Open(b.Context(), b.TempDir(), &tombolo.Options{Offline: true, Store: memstore.New()})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	for range 10_000 {
		h, err := e.Home().Create(b.Context(), map[string]any{"n": 1})
		if err == nil {
			err = h.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := e.Stats(b.Context(), 10, nil); err != nil {
			b.Fatal(err)
		}
	}
}
