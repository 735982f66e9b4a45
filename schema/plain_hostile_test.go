package schema_test

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
	"tombolo/schema"
)

// Whatever anybody writes at the place of the versions: reading does not panic, what it refuses is not written to, and what is saved is what is read.
func TestPlainHostile(t *testing.T) {
	same := func(_ *schema.PlainEnv, older any) (any, error) {
		m, _ := older.(map[string]any)
		if m["x"] == "refused" {
			return nil, errors.New("refused")
		}
		if m == nil {
			m = map[string]any{}
		}
		return m, nil
	}
	p, err := schema.NewPlain(plainApp, schema.PlainVersion{Number: 1, Load: same}, schema.PlainVersion{Number: 2, Load: same})
	plainCheck(t, err)
	names := rapid.SampledFrom([]string{"v1@a", "v1@b", "v2@a", "v2@b", "v3@a", "legacy", "v2", "w", "v2@", "v99999@x"})
	data := rapid.SampledFrom([]any{
		nil, 7, "x", doc.Text("t"),
		[]any{"a"},
		map[string]any{},
		map[string]any{"x": "y"},
		map[string]any{"x": "refused"},
		map[string]any{"$plain": map[string]any{"v1": 1}},
		doc.Counter(3), []byte(`{"x":"y"}`),
	})
	bases := rapid.SampledFrom([]any{[]byte(`{"x":"y"}`), []byte(`{"x":"refused"}`), []byte("{"), []byte("null"), []byte(nil), "x", 7, map[string]any{}, []byte(`{"$counter":1}`)})
	rapid.Check(t, func(rt *rapid.T) {
		d := plainDoc(t)
		in := map[string]any{}
		for range rapid.IntRange(0, 6).Draw(rt, "keys") {
			key := names.Draw(rt, "key")
			switch rapid.IntRange(0, 3).Draw(rt, "kind") {
			case 0:
				in[key] = data.Draw(rt, "any")
			case 1:
				in[key] = names.Draw(rt, "name")
			default:
				place := map[string]any{}
				for _, f := range []string{"data", "from", "base", "seen"} {
					if rapid.IntRange(0, 4).Draw(rt, "left out") == 0 {
						continue
					}
					switch {
					case rapid.IntRange(0, 9).Draw(rt, "odd") == 0:
						place[f] = data.Draw(rt, f)
					case f == "data":
						place[f] = data.Draw(rt, f)
					case f == "from":
						place[f] = names.Draw(rt, f)
					case f == "base":
						place[f] = bases.Draw(rt, f)
					default:
						place[f] = map[string]any{names.Draw(rt, f): bases.Draw(rt, f)}
					}
				}
				in[key] = place
			}
		}
		root := map[string]any{"$plain": in}
		if rapid.Bool().Draw(rt, "odd root") {
			root["$plain"] = data.Draw(rt, "plain")
		}
		if rapid.Bool().Draw(rt, "legacy") {
			root["x"] = data.Draw(rt, "root")
		}
		_, err := d.Edit(doc.Note{}, func(tx *doc.Tx) error { return tx.Put(root) })
		plainCheck(t, err)
		heads := d.Len()
		h := p.Open(schema.Of(d, nil))
		v, r, err := h.Load()
		if err != nil || r.Future > 0 {
			if err := h.Save(context.Background(), map[string]any{"x": "new"}); err == nil || d.Len() != heads {
				rt.Fatalf("%v: saved what was not loaded: %v", root, err)
			}
			return
		}
		m, ok := v.(map[string]any)
		if !ok {
			m = map[string]any{}
		}
		for _, l := range r.Late {
			l.MergeInto(v)
		}
		m["n"] = "new"
		if err := h.Resolve(context.Background(), m, r.Late...); err != nil {
			rt.Fatalf("%v: save: %v", root, err)
		}
		again, r, err := h.Load()
		if err != nil || r.Version != 2 || r.Removed != 0 || len(r.Late) > 0 {
			rt.Fatalf("%v: then %v, %+v, %v", root, again, r, err)
		}
		if m, _ := again.(map[string]any); m["n"] != "new" {
			rt.Fatalf("%v: saved was %v, read %v", root, m, again)
		}
	})
}
