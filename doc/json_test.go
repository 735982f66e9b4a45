package doc_test

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"tombolo/doc"
)

// genKey makes keys of all kinds, those that look like marks included.
var genKey = rapid.Custom(func(t *rapid.T) string {
	return rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "items", "$text", "$$x", "$", "a/b", "~", "é\x00"}), rapid.StringN(1, 4, -1)).
		Filter(func(s string) bool { return s != "$m" && s != "" && utf8.ValidString(s) }).Draw(t, "key")
})

func genScalar() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.Int64().AsAny(),
		rapid.Uint64Min(math.MaxInt64+1).AsAny(),
		rapid.Float64().AsAny(),
		rapid.SampledFrom([]any{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1.0, 1e21, 1e-7, math.MaxFloat64}),
		rapid.String().Filter(utf8.ValidString).AsAny(),
		rapid.Map(rapid.String().Filter(utf8.ValidString), func(s string) any { return doc.Text(s) }),
		rapid.Map(rapid.Int64(), func(n int64) any { return doc.Counter(n / 4) }),
		rapid.SliceOf(rapid.Byte()).AsAny(),
		rapid.Map(rapid.Int64Range(-1<<52, 1<<52), func(ms int64) any { return time.UnixMilli(ms).UTC() }),
	)
}

func genValue(depth int) *rapid.Generator[any] {
	if depth == 0 {
		return genScalar()
	}
	return rapid.OneOf(
		genScalar(),
		rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[any] { return genValue(depth - 1) }), 0, 4).AsAny(),
		rapid.Map(genMap(depth-1), func(m map[string]any) any { return m }),
	)
}

func genMap(depth int) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(genKey, rapid.Deferred(func() *rapid.Generator[any] { return genValue(depth) }), 0, 4)
}

func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := genValue(3).Draw(rt, "value")
		b, err := doc.EncodeJSON(v)
		if err != nil {
			rt.Fatal(err)
		}
		back, err := doc.DecodeJSON(b)
		if err != nil {
			rt.Fatalf("%s: %v", b, err)
		}
		if !doc.Equal(v, back) {
			rt.Fatalf("%s read back as %#v", b, back)
		}
		again, err := doc.EncodeJSON(back)
		if err != nil || string(again) != string(b) {
			rt.Fatalf("%s became %s", b, again)
		}
	})
}

func TestCanonicalJSON(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{map[string]any{"b": 1, "a": 2}, `{"a":2,"b":1}`},
		{1.0, `1.0`},
		{0.1, `0.1`},
		{1e21, `1e+21`},
		{1e-7, `1e-7`},
		{math.Copysign(0, -1), `-0.0`},
		{123456789012.0, `123456789012.0`},
		{int64(1<<53 - 1), `9007199254740991`},
		{int64(1 << 53), `{"$int":"9007199254740992"}`},
		{uint64(math.MaxUint64), `{"$int":"18446744073709551615"}`},
		{int64(-1 << 63), `{"$int":"-9223372036854775808"}`},
		{doc.Text("x"), `{"$text":"x"}`},
		{doc.Counter(-3), `{"$counter":-3}`},
		{[]byte{255}, `{"$bytes":"/w=="}`},
		{time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), `{"$time":"2026-01-02T03:04:05.006Z"}`},
		{time.Date(12026, 1, 2, 3, 4, 5, 0, time.UTC), `{"$time":"317336843045000"}`},
		{math.NaN(), `{"$float":"NaN"}`},
		{"\u2028\"\\\n\x01<é😀", "\"\u2028\\\"\\\\\\n\\u0001<é😀\""},
		{map[string]any{"$text": 1}, `{"$$text":1}`},
		{doc.Unknown{}, `{"$unknown":null}`},
		{[]string{"a"}, `["a"]`},
	} {
		b, err := doc.EncodeJSON(c.v)
		if err != nil || string(b) != c.want {
			t.Errorf("%#v: %s (%v), want %s", c.v, b, err, c.want)
		}
	}
}

func TestJSONThatIsRefused(t *testing.T) {
	for in, want := range map[string]string{
		``:                        "ends before",
		`{"a":1`:                  "ends before",
		`{a:1}`:                   "at byte",
		`hello`:                   "quotes",
		`1 2`:                     "something follows",
		`{"a":1,"a":2}`:           "twice",
		"\"\xff\"":                "UTF-8",
		`{"":1}`:                  "empty key",
		`18446744073709551616`:    "64 bits",
		`1e999`:                   "float",
		`{"$text":1}`:             "does not take",
		`{"$text":"x","b":1}`:     "no other key",
		`{"$foo":1}`:              "$$foo",
		`{"$bytes":"*"}`:          "base64",
		`{"$time":"yesterday"}`:   "RFC 3339",
		`{"$float":1.5}`:          "$float is for",
		`{"$int":"x"}`:            "whole number",
		`{"$counter":1.5}`:        "does not take",
		`{"$unknown":null}`:       "not a mark",
		strings.Repeat("[", 1100): "deeper",
	} {
		if v, err := doc.DecodeJSON([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, %v; want an error with %q", in, v, err, want)
		}
	}
}

func TestDifferenceIsShortest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		gen := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 12)
		a, b := gen.Draw(rt, "a"), gen.Draw(rt, "b")
		got, touched := doc.Difference(a, b)
		if len(got) != len(b) {
			rt.Fatalf("%v to %v gives %v", a, b, got)
		}
		for i := range b {
			if got[i] != b[i] {
				rt.Fatalf("%v to %v gives %v", a, b, got)
			}
		}
		if want := len(a) + len(b) - 2*lcs(a, b); touched != want {
			rt.Fatalf("%v to %v touches %d elements, %d are enough", a, b, touched, want)
		}
	})
}

// lcs is the length of the longest common subsequence, by the textbook.
func lcs(a, b []int) int {
	row := make([]int, len(b)+1)
	for i := range a {
		diagonal := 0
		for j := range b {
			keep := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = keep
		}
	}
	return row[len(b)]
}

func TestDifferenceOfVeryDifferentSequences(t *testing.T) {
	a, b := make([]int, 3000), make([]int, 3000)
	for i := range a {
		a[i], b[i] = i, -i-1
	}
	b[0], b[2999] = a[0], a[2999]
	got, touched := doc.Difference(a, b)
	if len(got) != 3000 || got[1] != b[1] || touched != 2*2998 {
		t.Errorf("%d elements, %d touched", len(got), touched)
	}
}
