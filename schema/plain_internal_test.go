package schema

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc"
)

// plainValues are values in Go form, of a few keys and texts so that they meet.
func plainValues(depth int) *rapid.Generator[any] {
	scalars := rapid.SampledFrom([]any{nil, true, int64(1), int64(2), 1.5, "a", "b", []byte("x"), doc.Counter(1), doc.Counter(4)})
	texts := rapid.Map(rapid.StringOfN(rapid.RuneFrom([]rune("abé😀")), 0, 6, -1), func(s string) any { return doc.Text(s) })
	if depth == 0 {
		return rapid.OneOf(scalars, texts)
	}
	in := plainValues(depth - 1)
	lists := rapid.Map(rapid.SliceOfN(in, 0, 4), func(l []any) any { return l })
	objects := rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"x", "y", "z/~"}), in, 0, 3), func(m map[string]any) any { return m })
	return rapid.OneOf(scalars, texts, lists, objects, lists, objects)
}

func TestPlainDiffApplies(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		old, now := plainValues(3).Draw(rt, "old"), plainValues(3).Draw(rt, "now")
		patches := plainDiff(nil, old, now)
		got, err := doc.ApplyPatches(old, patches)
		if err != nil || !doc.Equal(got, now) {
			rt.Fatalf("%v (%v) of %v", got, err, patches)
		}
		if doc.Equal(old, now) != (len(patches) == 0) {
			rt.Fatalf("%d patches", len(patches))
		}
	})
}

func TestPlainMergeLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		base, mine, theirs := plainValues(3).Draw(rt, "base"), plainValues(3).Draw(rt, "mine"), plainValues(3).Draw(rt, "theirs")
		was := [3][]byte{plainJSON(base), plainJSON(mine), plainJSON(theirs)}
		for _, c := range []struct{ got, want any }{
			{plainMerge(base, mine, base), mine},
			{plainMerge(base, base, theirs), theirs},
			{plainMerge(base, mine, mine), mine},
		} {
			if !doc.Equal(c.got, c.want) {
				rt.Fatalf("%v instead of %v", c.got, c.want)
			}
		}
		plainMerge(base, mine, theirs)
		if string(was[0]) != string(plainJSON(base)) || string(was[1]) != string(plainJSON(mine)) || string(was[2]) != string(plainJSON(theirs)) {
			rt.Fatal("an argument was changed")
		}
	})
}

// What one side inserts is there once, and what one side takes away and the other leaves alone is gone.
func TestPlainMergeSequences(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		base := []rune("abcdef")[:rapid.IntRange(0, 6).Draw(rt, "length")]
		side := func(name string, token rune) ([]rune, map[rune]bool) {
			out, gone := []rune{}, map[rune]bool{}
			for i := range len(base) + 1 {
				if rapid.Bool().Draw(rt, name+" inserts") {
					out = append(out, token+rune(i))
				}
				if i < len(base) {
					if gone[base[i]] = rapid.IntRange(0, 3).Draw(rt, name+" deletes") == 0; !gone[base[i]] {
						out = append(out, base[i])
					}
				}
			}
			return out, gone
		}
		mine, goneHere := side("mine", 'M')
		theirs, goneThere := side("theirs", 'T')
		list := func(r []rune) []any {
			out := []any{}
			for _, c := range r {
				out = append(out, string(c))
			}
			return out
		}
		text := string(plainMerge(doc.Text(base), doc.Text(mine), doc.Text(theirs)).(doc.Text))
		var joined strings.Builder
		for _, e := range plainMerge(list(base), list(mine), list(theirs)).([]any) {
			joined.WriteString(e.(string))
		}
		for _, got := range []string{text, joined.String()} {
			for _, r := range slices.Concat(base, mine, theirs) {
				want := 1
				if goneHere[r] || goneThere[r] {
					want = 0
				}
				if n := strings.Count(got, string(r)); n != want {
					rt.Fatalf("%q has %c %d times: base %q, mine %q, theirs %q", got, r, n, string(base), string(mine), string(theirs))
				}
			}
		}
	})
}

func TestPlainMergeCases(t *testing.T) {
	type object = map[string]any
	for name, c := range map[string]struct{ base, mine, theirs, want any }{
		"other keys":             {object{"a": 1}, object{"a": 1, "b": 2}, object{"a": 1, "c": 3}, object{"a": 1, "b": 2, "c": 3}},
		"mine went, theirs new":  {object{"a": "x"}, object{}, object{"a": "y"}, object{"a": "y"}},
		"theirs went, mine new":  {object{"a": "x"}, object{"a": "y"}, object{}, object{"a": "y"}},
		"both went":              {object{"a": "x", "b": "x"}, object{"b": "y"}, object{"b": "z"}, object{"b": "y"}},
		"one went":               {object{"a": "x", "b": "x"}, object{"b": "x"}, object{"a": "x", "b": "y"}, object{"b": "y"}},
		"both new":               {nil, object{"a": doc.Text("x")}, object{"a": doc.Text("y")}, object{"a": doc.Text("yx")}},
		"counters":               {doc.Counter(5), doc.Counter(7), doc.Counter(6), doc.Counter(8)},
		"a number for a counter": {doc.Counter(5), int64(7), doc.Counter(6), doc.Counter(8)},
		"a counter from nowhere": {"x", doc.Counter(7), doc.Counter(6), doc.Counter(7)},
		"a string for a text":    {doc.Text("ab"), "abc", doc.Text("0ab"), doc.Text("0abc")},
		"other kinds":            {object{}, []any{"x"}, object{"a": "y"}, []any{"x"}},
		"no text":                {doc.Text("a"), object{}, doc.Text("b"), object{}},
		"records in lists":       {[]any{object{"a": "1", "b": "1"}}, []any{object{"a": "2", "b": "1"}}, []any{object{"a": "1", "b": "2"}}, []any{object{"a": "2", "b": "2"}}},
		"texts in lists":         {[]any{doc.Text("x")}, []any{doc.Text("xm")}, []any{doc.Text("tx")}, []any{doc.Text("txm")}},
		"lists in lists":         {[]any{[]any{"x"}}, []any{[]any{"x", "m"}}, []any{[]any{"t", "x"}}, []any{[]any{"t", "x", "m"}}},
		"record went here":       {[]any{object{"a": "1"}}, []any{}, []any{object{"a": "2"}}, []any{object{"a": "2"}}},
		"record went there":      {[]any{object{"a": "1"}}, []any{object{"a": "2"}}, []any{}, []any{object{"a": "2"}}},
	} {
		if got := plainMerge(c.base, c.mine, c.theirs); string(plainJSON(got)) != string(plainJSON(c.want)) {
			t.Errorf("%s: %v instead of %v", name, got, c.want)
		}
	}
}

// Sequences that differ in too much have their middle replaced.
func TestPlainEditsLong(t *testing.T) {
	n := plainMost/1000 + 1
	old, now := make([]int, n), make([]int, 1001)
	for i := range old {
		old[i] = i + 10
	}
	now[500] = 10
	edits := plainEdits(old, now)
	if len(edits) != 1 || edits[0].del != n || edits[0].ins != 1001 {
		t.Fatalf("%+v", edits)
	}
}

func TestPlainNames(t *testing.T) {
	for key, want := range map[string]int{"v1": 1, "v12@ab": 12, "v0": 0, "v01": 0, "v": 0, "x1": 0, "v-1": 0, "v1x": 0, "v99999999999999999999": 0} {
		version, place, ok := plainName(key)
		if ok != (want > 0) || ok && version != want || place != strings.Contains(key, "@") {
			t.Errorf("%s: %d %v %v", key, version, place, ok)
		}
	}
	states := map[string]bool{}
	for s := PlainLoading; s <= PlainFuture; s++ {
		states[s.String()] = true
	}
	if got := slices.Sorted(maps.Keys(states)); strings.Join(got, " ") != "failed future loading ready" {
		t.Fatal(got)
	}
}

// Places that say they were made of each other do not keep anybody waiting.
func TestPlainCircle(t *testing.T) {
	p, err := NewPlain("x", PlainVersion{Number: 1, Load: func(_ *PlainEnv, v any) (any, error) { return v, nil }})
	if err != nil {
		t.Fatal(err)
	}
	base, seen := []byte(`{"a":1}`), map[string]any{}
	root := map[string]any{plainKey: map[string]any{
		"v1":   "v1@a",
		"v1@a": map[string]any{"data": "a", "from": "v1@b", "base": base, "seen": seen},
		"v1@b": map[string]any{"data": "b", "from": "v1@a", "base": base, "seen": seen},
		"v1@c": map[string]any{"data": "c", "from": "v1@d", "base": base, "seen": seen},
	}}
	v, report, err := p.load(doc.ID{}, root, nil)
	if err != nil || v != "a" || len(report.Late) != 2 {
		t.Fatalf("%v %+v %v", v, report, err)
	}
}
