package doc

import (
	"encoding/base64"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tombolo/doc/value"
)

// The canonical JSON of a value ("json 1" in docs/format.md): keys sorted by their bytes, no white space, one spelling for each
// value. What JSON has no type for is an object with one key that begins with a single "$":
//
//	{"$text":"…"}  {"$counter":5}  {"$time":"2026-11-21T08:00:00.123Z"}  {"$bytes":"base64"}  {"$float":"NaN"}  {"$int":"9007199254740993"}
//
// Floats always show a point or an exponent (1.0), whole numbers never do. Whole numbers beyond ±(2^53-1) are written {"$int":"…"},
// since many JSON readers round them silently (RFC 7493 section 2.2); read, they may also stand as plain digits, exact to 64 bits.
// A key of the document that begins with "$" is written with one "$" more.
const (
	markText    = "$text"
	markCounter = "$counter"
	markTime    = "$time"
	markBytes   = "$bytes"
	markFloat   = "$float"
	markInt     = "$int"
	markUnknown = "$unknown"
)

// maxSafe is the largest whole number that every JSON reader keeps: 2^53-1.
const maxSafe = 1<<53 - 1

// EncodeJSON gives the canonical JSON of a value in Go form, or of a Go value that a document can hold. Equal values give equal bytes. What a
// document cannot hold is a [ValueError].
func EncodeJSON(v any) ([]byte, error) {
	v, err := normalizeForJSON(v)
	if err != nil {
		return nil, err
	}
	return appendJSON(nil, v), nil
}

// normalizeForJSON lets [Unknown] pass, which may be read but not written.
func normalizeForJSON(v any) (any, error) {
	if known(v, 0) {
		return v, nil
	}
	return value.Marshal(v)
}

// known reports whether v is made of exactly the types that reading gives, of valid text, and without a circle.
func known(v any, depth int) bool {
	switch v := v.(type) {
	case nil, bool, int64, uint64, float64, []byte, time.Time, Counter, Unknown:
		return true
	case string:
		return utf8.ValidString(v)
	case Text:
		return utf8.ValidString(string(v))
	case []any:
		for _, e := range v {
			if depth > maxDepth || !known(e, depth+1) {
				return false
			}
		}
		return true
	case map[string]any:
		for k, e := range v {
			if depth > maxDepth || !utf8.ValidString(k) || !known(e, depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return appendInt(b, v)
	case uint64:
		if v > maxSafe {
			return appendMark(b, markInt, strconv.FormatUint(v, 10))
		}
		return strconv.AppendUint(b, v, 10)
	case float64:
		return appendFloat(b, v)
	case string:
		return appendString(b, v)
	case Text:
		return appendMark(b, markText, string(v))
	case []byte:
		return appendMark(b, markBytes, base64.StdEncoding.EncodeToString(v))
	case time.Time:
		return appendMark(b, markTime, formatTime(v))
	case Counter:
		b = append(b, `{"`+markCounter+`":`...)
		return append(appendInt(b, int64(v)), '}')
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, e)
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			name := k
			if strings.HasPrefix(k, "$") {
				name = "$" + k
			}
			b = append(appendString(b, name), ':')
			b = appendJSON(b, v[k])
		}
		return append(b, '}')
	default: // Unknown
		return append(b, `{"`+markUnknown+`":null}`...)
	}
}

func appendMark(b []byte, mark, s string) []byte {
	b = append(append(append(b, `{"`...), mark...), `":`...)
	return append(appendString(b, s), '}')
}

func appendInt(b []byte, v int64) []byte {
	if v > maxSafe || v < -maxSafe {
		return appendMark(b, markInt, strconv.FormatInt(v, 10))
	}
	return strconv.AppendInt(b, v, 10)
}

// appendFloat writes the shortest digits that read back as v, with the exponent rules of ECMAScript (as RFC 8785 asks), and ".0"
// where they would look like a whole number.
func appendFloat(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return appendMark(b, markFloat, "NaN")
	case math.IsInf(v, 1):
		return appendMark(b, markFloat, "Infinity")
	case math.IsInf(v, -1):
		return appendMark(b, markFloat, "-Infinity")
	}
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	s := strconv.FormatFloat(v, format, -1, 64)
	if format == 'e' { // Go writes e-07, ECMAScript e-7
		s = strings.Replace(strings.Replace(s, "e-0", "e-", 1), "e+0", "e+", 1)
	} else if !strings.Contains(s, ".") {
		s += ".0"
	}
	return append(b, s...)
}

// appendString escapes what RFC 8785 escapes and nothing else.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	const special, letters = "\"\\\b\f\n\r\t", `"\bfnrt`
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		if e := strings.IndexByte(special, c); e >= 0 {
			b = append(b, '\\', letters[e])
		} else {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(b, s[from:]...), '"')
}

// formatTime is RFC 3339 in UTC with milliseconds where the year has four digits, and the milliseconds since 1970 in digits elsewhere.
func formatTime(t time.Time) string {
	if y := t.UTC().Year(); y < 0 || y > 9999 {
		return strconv.FormatInt(t.UnixMilli(), 10)
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
