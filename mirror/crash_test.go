package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"tombolo/doc"
	"tombolo/mirror"
)

var errCrash = errors.New("crash")

// mortal is a place and a state that stop for good before, or right after, their n-th write.
type mortal struct {
	*mirror.Memory
	left  int
	after bool // it is done, and nobody hears of it
}

func (p *mortal) do(write func() error) error {
	p.left--
	if p.left < 0 || p.left == 0 && !p.after {
		return errCrash
	}
	if err := write(); err != nil || p.left == 0 {
		return errors.Join(err, errCrash)
	}
	return nil
}

func (p *mortal) Write(ctx context.Context, data []byte, tag string) (newTag string, err error) {
	err = p.do(func() (err error) {
		newTag, err = p.Memory.Write(ctx, data, tag)
		return err
	})
	return newTag, err
}

func (p *mortal) State() mirror.State { return mortalState{p, p.Memory.State()} }

type mortalState struct {
	p *mortal
	mirror.State
}

func (s mortalState) Save(ctx context.Context, data []byte) error {
	return s.p.do(func() error { return s.State.Save(ctx, data) })
}

// Wherever a run ends, each edit is there once when the next has done its work.
func TestCrash(t *testing.T) {
	for _, after := range []bool{false, true} {
		for left := 1; ; left++ {
			h := document(t, map[string]any{"items": []any{"a"}})
			p := &mirror.Memory{}
			must(t, newMirror(t, h, p, nil).Save(t.Context()))
			p.Put([]byte(`{"items":["a","editor"],"n":1}`))
			dying := &mortal{Memory: p, left: left, after: after}
			m := newMirror(t, h, dying, nil)
			work := func(m *mirror.Mirror) error {
				if err := m.Load(t.Context()); err != nil {
					return err
				}
				if err := h.Change(t.Context(), "peer", func(tx *doc.Tx) error { return tx.List("items").Append("peer") }); err != nil {
					return err
				}
				return m.Save(t.Context())
			}
			died := work(m)
			if died != nil && !errors.Is(died, errCrash) {
				t.Fatal(died)
			}
			must(t, m.Close())
			last := newMirror(t, h, p, nil)
			if died != nil {
				must(t, last.Load(t.Context()))
				must(t, last.Save(t.Context()))
			}
			v, err := h.Get("/items")
			must(t, err)
			got := fmt.Sprint(v)
			if !slices.Contains([]string{"[a editor]", "[a editor peer]"}, got) {
				t.Errorf("dead after %d writes (%t): %s", left, after, got)
			}
			whole, err := h.JSON("")
			must(t, err)
			shows(t, p, string(whole))
			if died == nil {
				break
			}
		}
	}
}

// The same mirror goes on where its state, its place or its document failed, and merges nothing twice.
func TestGoesOn(t *testing.T) {
	for _, after := range []bool{false, true} {
		for left := 1; left <= 4; left++ {
			h := document(t, map[string]any{"items": []any{"a"}})
			p := &mirror.Memory{}
			must(t, newMirror(t, h, p, nil).Save(t.Context()))
			p.Put([]byte(`{"items":["a","editor"]}`))
			ill := &mortal{Memory: p, left: left, after: after}
			m := newMirror(t, h, ill, nil)
			if err := m.Load(t.Context()); err != nil {
				ill.left = 100
				must(t, m.Load(t.Context()))
			}
			set(t, h, "/n", 1)
			if err := m.Save(t.Context()); err != nil {
				ill.left = 100
				must(t, m.Save(t.Context()))
			}
			wants(t, h, `{"items":["a","editor"],"n":1}`)
			shows(t, p, `{"items":["a","editor"],"n":1}`)
		}
	}
}
