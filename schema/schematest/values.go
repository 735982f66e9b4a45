package schematest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"tombolo/doc"
	"tombolo/schema"
)

// register says whether a field is one value in one place, of which the newest counts.
func register(k schema.Kind) bool { return k >= schema.KindString && k <= schema.KindBytes }

// sampleKey is what Options.Samples call a field.
func sampleKey(typ string, path []string) string {
	name := strings.Join(path, ".")
	if typ == schema.Root {
		return name
	}
	return typ + "." + name
}

// firstToken is the first of the characters that stand for an edit in texts: each is one code point, so that no edit splits it.
const firstToken = 0x20000

func isToken(r rune) bool { return r >= firstToken && r < firstToken+0xa000 }

// tokensOf are the tokens in a text, with how often each is there.
func tokensOf(v any) map[string]int {
	out := map[string]int{}
	text := ""
	switch v := v.(type) {
	case string:
		text = v
	case doc.Text:
		text = string(v)
	}
	for _, r := range text {
		if isToken(r) {
			out[string(r)]++
		}
	}
	return out
}

// scalarOf is a value that only token n stands for, as far as the kind has so many.
func scalarOf(k schema.Kind, rng *rand.Rand, n int) any {
	switch k {
	case schema.KindString:
		return [...]string{fmt.Sprintf("w%d", n), fmt.Sprintf("a%d b%d", n, n), fmt.Sprintf("é%d ", n)}[rng.IntN(3)]
	case schema.KindInt:
		return int64(n)
	case schema.KindFloat:
		return float64(n) + 0.5
	case schema.KindBool:
		return rng.IntN(2) == 0
	case schema.KindTime:
		return time.UnixMilli(1_700_000_000_000 + int64(n)).UTC()
	case schema.KindBytes:
		return binary.BigEndian.AppendUint32(nil, uint32(n))
	}
	return nil
}

// edges are the values of a kind that programs forget.
func edges(k schema.Kind) []any {
	switch k {
	case schema.KindString:
		return []any{
			"", " ", "a", "Ann Quinn", " Ann  Quinn ", "é", "e\u0301 ", "👩‍👩‍👧", "\x00", "0", "-1", "12", "true", "a,b", strings.Repeat("long ", 20),
			"\U0010ffff", "\n", "~/~1",
		}
	case schema.KindInt:
		return []any{int64(0), int64(1), int64(-1), int64(7), int64(999), int64(1000), int64(1 << 31), int64(1<<53 + 1), int64(math.MinInt64), int64(math.MaxInt64)}
	case schema.KindFloat:
		return []any{0.0, math.Copysign(0, -1), 1.0, 0.1, -2.5, 1e-9, 1e300, -1e300, math.Inf(1), math.Inf(-1), math.NaN()}
	case schema.KindBool:
		return []any{false, true}
	case schema.KindTime:
		return []any{time.UnixMilli(0).UTC(), time.UnixMilli(-1).UTC(), time.Date(2026, 2, 28, 23, 59, 59, 999e6, time.UTC), time.Time{}}
	case schema.KindBytes:
		return []any{[]byte{}, []byte{0}, []byte("bytes"), slices.Repeat([]byte{255}, 40)}
	}
	return nil
}

// candidates are the values that tests try in a field: its samples, or else its enum, or else what is usual and unusual in its kind.
func candidates(o Options, typ string, path []string, f schema.FieldInfo) []any {
	if given := o.Samples[sampleKey(typ, path)]; len(given) > 0 {
		return given
	}
	if len(f.Enum) > 0 {
		out := make([]any, len(f.Enum))
		for i, e := range f.Enum {
			out[i] = e
		}
		return out
	}
	return edges(f.Kind)
}

// show is a value in messages: its canonical JSON, shortened.
func show(v any) string {
	json, err := doc.EncodeJSON(v)
	if err != nil {
		return fmt.Sprintf("%v", v)
	}
	const most = 2000
	if len(json) > most {
		return string(json[:most]) + "…"
	}
	return string(json)
}
