package tombolo_test

import (
	"errors"
	"fmt"
	gosync "sync"
	"testing"

	"tombolo"
	"tombolo/doc"
	"tombolo/schema"
)

// Two devices upgrade the same data while they are connected, with several handles each, and nothing that anybody adds is lost.
func TestPlainWhileSyncing(t *testing.T) {
	t.Parallel()
	log := func(_ *schema.PlainEnv, older any) (any, error) {
		m, _ := older.(map[string]any)
		list, _ := m["items"].([]any)
		return map[string]any{"log": append([]any{}, list...), "title": doc.Text("")}, nil
	}
	p, err := schema.NewPlain(notesApp, schema.PlainVersion{Number: 1, Load: log})
	must(t, err)
	a, b := open(t, t.TempDir(), tombolo.Options{Name: "a", App: notesApp}), open(t, t.TempDir(), tombolo.Options{Name: "b", App: notesApp})
	pair(t, a, b, false)
	first, err := a.Home().Create(t.Context(), map[string]any{"items": []any{"milk"}})
	must(t, err)
	defer first.Close()
	u := first.URL()
	arrives(t, b, u)
	const rounds, writers = 25, 2
	var work gosync.WaitGroup
	for _, e := range []*tombolo.Engine{a, b} {
		for w := range writers {
			h, err := e.Document(t.Context(), u)
			must(t, err)
			t.Cleanup(func() { h.Close() })
			work.Go(func() {
				plain := p.Open(h)
				_, _, err := plain.Load()
				for i := range rounds {
					if err != nil {
						break
					}
					entry := fmt.Sprint(e.Self().Name, w, i)
					if i%2 == 0 {
						err = plain.Update(t.Context(), func(v any) (any, error) {
							m := v.(map[string]any)
							m["log"] = append(m["log"].([]any), entry)
							return m, nil
						})
						continue
					}
					var v any
					if v, _, err = plain.Load(); err == nil {
						m := v.(map[string]any)
						m["log"] = append(m["log"].([]any), entry)
						err = plain.Save(t.Context(), m)
					}
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	work.Wait()
	for _, e := range []*tombolo.Engine{a, b} {
		h, err := e.Document(t.Context(), u)
		must(t, err)
		var late []schema.LateEdit
		until(t, h, func() bool {
			v, r, err := p.Load(h)
			must(t, err)
			late = r.Late
			return len(v.(map[string]any)["log"].([]any)) == 1+2*writers*rounds
		})
		if len(late) > 0 {
			t.Errorf("late: %+v", late)
		}
		must(t, errors.Join(h.Close()))
	}
}
