package doc

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// DecodeJSON reads a value from JSON with the marks of the canonical form, whatever its white space and key order. Whole numbers
// are exact: int64, or uint64 above; larger ones, duplicate keys, invalid UTF-8 and unknown marks are errors, never guessed.
func DecodeJSON(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("JSON: not valid UTF-8")
	}
	if at := halfCharacter(data); at >= 0 {
		return nil, fmt.Errorf("JSON: half of a surrogate pair at byte %d; it takes both, for example \\ud83d\\ude00", at)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := readJSON(d, nil)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("JSON: something follows the value at byte %d; give one value", d.InputOffset())
	}
	return v, nil
}

// halfCharacter is where one half of a surrogate pair stands without the other, or -1. The decoder would put U+FFFD there silently.
func halfCharacter(data []byte) int {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		r, ok := escape(data[i:])
		if !ok {
			i++ // the escaped character may be a backslash
			continue
		}
		if utf16.IsSurrogate(r) {
			low, _ := escape(data[i+6:])
			if utf16.DecodeRune(r, low) == utf8.RuneError {
				return i
			}
			i += 6
		}
		i += 5
	}
	return -1
}

// escape reads the \u and four digits that b begins with.
func escape(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil
}

func readJSON(d *json.Decoder, at Pointer) (any, error) {
	if len(at) > maxDepth {
		return nil, &ValueError{Path: at.String(), Reason: fmt.Sprintf("nested deeper than %d", maxDepth)}
	}
	t, err := d.Token()
	if err != nil {
		return nil, syntaxError(d, err)
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return readArray(d, at)
		}
		return readObject(d, at)
	case json.Number:
		return readNumber(string(t), at)
	}
	return t, nil // nil, bool, string
}

func syntaxError(d *json.Decoder, err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("JSON: it ends before the value does")
	}
	return fmt.Errorf("JSON: %v at byte %d (is a string missing its quotes?)", err, d.InputOffset())
}

func readArray(d *json.Decoder, at Pointer) (any, error) {
	out := []any{}
	for d.More() {
		v, err := readJSON(d, at.child(strconv.Itoa(len(out))))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if _, err := d.Token(); err != nil {
		return nil, syntaxError(d, err)
	}
	return out, nil
}

func readObject(d *json.Decoder, at Pointer) (any, error) {
	out := map[string]any{}
	mark := ""
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, syntaxError(d, err)
		}
		key := t.(string) // the decoder allows nothing else here
		v, err := readJSON(d, at.child(key))
		if err != nil {
			return nil, err
		}
		if _, ok := out[key]; ok {
			return nil, &ValueError{Path: at.child(key).String(), Reason: "the key stands twice"}
		}
		if strings.HasPrefix(key, "$") && !strings.HasPrefix(key, "$$") {
			mark = key
		}
		out[key] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, syntaxError(d, err)
	}
	if mark == "" {
		return unescapeKeys(out, at)
	}
	if len(out) != 1 {
		return nil, &ValueError{Path: at.String(), Reason: fmt.Sprintf("an object with the mark %q has no other key; write $%s for a key of that name", mark, mark)}
	}
	v, err := readMark(mark, out[mark])
	if err != nil {
		return nil, &ValueError{Path: at.String(), Reason: err.Error()}
	}
	return v, nil
}

func unescapeKeys(m map[string]any, at Pointer) (any, error) {
	out := make(map[string]any, len(m))
	for k, v := range m {
		if strings.HasPrefix(k, "$$") {
			k = k[1:]
		}
		if err := checkKey(k); err != nil {
			return nil, &ValueError{Path: at.String(), Reason: err.Error()}
		}
		out[k] = v
	}
	return out, nil
}

func readMark(mark string, v any) (any, error) {
	s, isString := v.(string)
	switch mark {
	case markText:
		if isString {
			return Text(s), nil
		}
	case markBytes:
		if isString {
			b, err := base64.StdEncoding.DecodeString(s)
			if err != nil {
				return nil, fmt.Errorf("$bytes needs base64 (RFC 4648, with padding)")
			}
			return b, nil
		}
	case markInt:
		if isString {
			return parseWhole(s)
		}
	case markCounter:
		if n, ok := v.(int64); ok {
			return Counter(n), nil
		}
	case markTime:
		if isString {
			return parseTime(s)
		}
	case markFloat:
		if f, ok := map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)}[s]; ok && isString {
			return f, nil
		}
		return nil, errors.New(`$float is for "NaN", "Infinity" and "-Infinity"; write other floats as numbers`)
	default:
		return nil, fmt.Errorf("%q is not a mark ($text, $counter, $time, $bytes, $float, $int); write $%s for a key of that name", mark, mark)
	}
	return nil, fmt.Errorf("%s does not take %s", mark, kindName(v))
}

func parseTime(s string) (any, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return time.UnixMilli(t.UnixMilli()).UTC(), nil
	}
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.UnixMilli(ms).UTC(), nil
	}
	return nil, errors.New(`$time needs RFC 3339, for example "2026-11-21T08:00:00Z", or milliseconds since 1970`)
}

func readNumber(s string, at Pointer) (any, error) {
	var v any
	var err error
	if strings.ContainsAny(s, ".eE") {
		if v, err = strconv.ParseFloat(s, 64); err != nil {
			err = fmt.Errorf("%s is beyond what a 64-bit float can say", s)
		}
	} else {
		v, err = parseWhole(s)
	}
	if err != nil {
		return nil, &ValueError{Path: at.String(), Reason: err.Error()}
	}
	return v, nil
}

// parseWhole reads a whole number: int64 where it fits, else uint64.
func parseWhole(s string) (any, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return n, nil
	}
	return nil, fmt.Errorf("%s is not a whole number of 64 bits; write it as a string, or as a float with a point", s)
}

// kindName is the word for a value's kind in messages.
func kindName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int64, uint64:
		return "a whole number"
	case float64:
		return "a float"
	case string:
		return "a string"
	case Text:
		return "a text"
	case Counter:
		return "a counter"
	case []byte:
		return "bytes"
	case time.Time:
		return "a time"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return "a value of an unknown kind"
}
