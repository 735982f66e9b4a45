package schematest_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tombolo/doc"
	"tombolo/schema"
	"tombolo/schema/schematest"
)

// plainHistory is an application with three versions: tags of a list become records, a title is renamed, and Save checks.
func plainHistory(t *testing.T) *schema.Plain {
	t.Helper()
	p, err := schema.NewPlain("com.example.plain",
		schema.PlainVersion{Number: 1, Load: func(_ *schema.PlainEnv, older any) (any, error) {
			legacy, _ := older.(map[string]any)
			name, _ := legacy["name"].(string)
			tags, _ := legacy["tags"].([]any)
			return map[string]any{"title": doc.Text(name), "tags": slices.Concat([]any{}, tags)}, nil
		}},
		schema.PlainVersion{Number: 2, Load: func(env *schema.PlainEnv, older any) (any, error) {
			one := older.(map[string]any)
			records := map[string]any{}
			for _, tag := range one["tags"].([]any) {
				records[env.NewID("tag", tag.(string))] = map[string]any{"label": tag}
			}
			return map[string]any{"title": one["title"], "records": records, "log": []any{}}, nil
		}},
		schema.PlainVersion{
			Number: 3,
			Load: func(_ *schema.PlainEnv, older any) (any, error) {
				two := maps.Clone(older.(map[string]any))
				two["heading"] = two["title"]
				delete(two, "title")
				return two, nil
			},
			Save: func(_ *schema.PlainEnv, v any) (any, error) {
				m, ok := v.(map[string]any)
				if !ok {
					return nil, errors.New("not a map")
				}
				if h, _ := m["heading"].(doc.Text); strings.Contains(string(h), "?") {
					return nil, errors.New("a heading is no question")
				}
				return m, nil
			},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// plainUser writes into titles, tags and logs, and makes and deletes records.
func plainUser(rng *rand.Rand, _ int, data any, token string) any {
	m := data.(map[string]any)
	insert := func(key string) {
		list := m[key].([]any)
		i := rng.IntN(len(list) + 1)
		if i < len(list) && rng.IntN(4) == 0 {
			m[key] = slices.Delete(list, i, i+1)
			return
		}
		m[key] = slices.Insert(list, i, any(token))
	}
	switch records, _ := m["records"].(map[string]any); {
	case records != nil && rng.IntN(2) == 0:
		if ids := slices.Sorted(maps.Keys(records)); len(ids) > 0 && rng.IntN(4) == 0 {
			delete(records, ids[rng.IntN(len(ids))])
			break
		}
		records["id-"+token] = map[string]any{"label": "new"}
	case rng.IntN(2) == 0:
		for _, key := range []string{"title", "heading"} {
			if text, ok := m[key].(doc.Text); ok {
				runes := []rune(string(text))
				m[key] = doc.Text(slices.Insert(runes, rng.IntN(len(runes)+1), []rune(token)...))
			}
		}
	case m["log"] != nil:
		insert("log")
	default:
		insert("tags")
	}
	return m
}

var plainLegacies = []func(*doc.Tx) error{
	func(tx *doc.Tx) error { return tx.Put(map[string]any{"name": "plan", "tags": []any{"a", "b"}}) },
	func(tx *doc.Tx) error { return tx.Put(map[string]any{"name": "?"}) },
}

func TestRunPlain(t *testing.T) {
	schematest.RunPlain(t, plainHistory(t), schematest.PlainOptions{Legacy: plainLegacies, Seeds: 50})
}

func TestRunPlainByUser(t *testing.T) {
	schematest.RunPlain(t, plainHistory(t), schematest.PlainOptions{Legacy: plainLegacies, Edit: plainUser, Seeds: 30})
}
