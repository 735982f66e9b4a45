package schematest

import (
	"maps"
	"math/rand/v2"
	"slices"

	"tombolo/doc"
)

// The tokens of the fleet are characters of their own, so that nothing that is inserted can stand in the middle of one.
const (
	plainFirst  = 0x4e00
	plainTokens = 0x5000
)

func plainToken(n int) string { return string(rune(plainFirst + n%plainTokens)) }

// plainFind counts the tokens in a value, keys included.
func plainFind(v any, found map[string]int) {
	switch v := v.(type) {
	case string:
		for _, r := range v {
			if r >= plainFirst && r < plainFirst+plainTokens {
				found[string(r)]++
			}
		}
	case doc.Text:
		plainFind(string(v), found)
	case []any:
		for _, e := range v {
			plainFind(e, found)
		}
	case map[string]any:
		for k, e := range v {
			plainFind(k, found)
			plainFind(e, found)
		}
	}
}

func plainFound(values ...any) map[string]int {
	found := map[string]int{}
	for _, v := range values {
		plainFind(v, found)
	}
	return found
}

// plainClone is a value in memory of its own.
func plainClone(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plainClone(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = plainClone(e)
		}
		return out
	}
	return v
}

// plainEdit is the Edit of those who have none: it puts the token into a text, or a list that has texts only or nothing, or takes something away there.
func plainEdit(rng *rand.Rand, _ int, data any, token string) any {
	holder := []any{data}
	var at []func() // what can be done
	plainWalk(rng, token, data, func(v any) { holder[0] = v }, &at)
	if len(at) > 0 {
		at[rng.IntN(len(at))]()
	}
	return holder[0]
}

// plainWalk collects the edits of v and of what is in it. set puts another value into v's place.
func plainWalk(rng *rand.Rand, token string, v any, set func(any), at *[]func()) {
	switch v := v.(type) {
	case doc.Text:
		runes := []rune(string(v))
		i := rng.IntN(len(runes) + 1)
		*at = append(*at, func() {
			if i < len(runes) && rng.IntN(4) == 0 {
				set(doc.Text(slices.Delete(slices.Clone(runes), i, i+1)))
				return
			}
			set(doc.Text(slices.Insert(slices.Clone(runes), i, []rune(token)...)))
		})
	case []any:
		texts := true
		for i, e := range v {
			_, text := e.(string)
			texts = texts && text
			plainWalk(rng, token, e, func(in any) { v[i] = in }, at)
		}
		if !texts {
			return
		}
		i := rng.IntN(len(v) + 1)
		*at = append(*at, func() {
			if i < len(v) && rng.IntN(4) == 0 {
				set(slices.Delete(slices.Clone(v), i, i+1))
				return
			}
			set(slices.Insert(slices.Clone(v), i, any(token)))
		})
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			plainWalk(rng, token, v[k], func(in any) { v[k] = in }, at)
		}
	}
}
