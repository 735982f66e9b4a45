package doc

import (
	"fmt"
	"math"
	"reflect"
	"time"
	"unicode/utf8"
)

// The Go form of a document's value is a tree of nil, bool, int64, uint64, float64, string, []byte, time.Time, [Text],
// [Counter], []any and map[string]any. Reading gives exactly these types; writing accepts all Go numbers and slices and maps with
// string keys besides.

// Text is collaborative text: edits of several people merge character by character. A plain string is replaced as a whole.
type Text string

// Counter is a number whose increments add up, whoever makes them.
type Counter int64

// Unknown stands for a value of a kind that this version of the core cannot read. It is kept, never written.
type Unknown struct{}

// ValueError reports a Go or JSON value that a document cannot hold.
type ValueError struct {
	Path   string // where in the value, as a JSON Pointer
	Reason string
}

func (e *ValueError) Error() string {
	if e.Path == "" {
		return "value: " + e.Reason
	}
	return "value at " + e.Path + ": " + e.Reason
}

// normalize turns v into the Go form, in memory of its own, or says what in it cannot be stored.
func normalize(v any) (any, error) { return normalizeAt(v, nil) }

func normalizeAt(v any, at Pointer) (any, error) {
	refuse := func(format string, args ...any) (any, error) {
		return nil, &ValueError{Path: at.String(), Reason: fmt.Sprintf(format, args...)}
	}
	if len(at) > maxDepth {
		return refuse("nested deeper than %d", maxDepth)
	}
	switch v := v.(type) {
	case nil, bool, int64, uint64, float64, Counter:
		return v, nil
	case string:
		if !utf8.ValidString(v) {
			return refuse("the string is not valid UTF-8; store it as bytes")
		}
		return v, nil
	case Text:
		if !utf8.ValidString(string(v)) {
			return refuse("the text is not valid UTF-8; store it as bytes")
		}
		return v, nil
	case []byte:
		return append([]byte{}, v...), nil
	case time.Time:
		if v.Before(minTime) || v.After(maxTime) {
			return refuse("the time is outside the years that milliseconds in 64 bits can say")
		}
		return time.UnixMilli(v.UnixMilli()).UTC(), nil
	case Unknown:
		return refuse("a value of an unknown kind cannot be written")
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Bool:
		return rv.Bool(), nil
	case reflect.String:
		return normalizeAt(rv.String(), at)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return rv.Uint(), nil
	case reflect.Float32, reflect.Float64:
		return rv.Float(), nil
	case reflect.Slice, reflect.Array:
		if rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8 {
			return append([]byte{}, rv.Bytes()...), nil // a named type of bytes, such as net.IP
		}
		out := make([]any, rv.Len())
		for i := range out {
			var err error
			if out[i], err = normalizeAt(rv.Index(i).Interface(), at.child(fmt.Sprint(i))); err != nil {
				return nil, err
			}
		}
		return out, nil
	case reflect.Map:
		if rv.Type().Key().Kind() != reflect.String {
			return refuse("a map needs string keys, not %s", rv.Type().Key())
		}
		out := make(map[string]any, rv.Len())
		for _, k := range rv.MapKeys() {
			if err := checkKey(k.String()); err != nil {
				return refuse("%v", err)
			}
			e, err := normalizeAt(rv.MapIndex(k).Interface(), at.child(k.String()))
			if err != nil {
				return nil, err
			}
			out[k.String()] = e
		}
		return out, nil
	}
	return refuse("a Go %T cannot be stored; use nil, bool, numbers, string, []byte, time.Time, doc.Text, doc.Counter, slices and maps", v)
}

// maxDepth bounds nesting where Go recurses over a value; far above what people make, far below what a stack bears.
const maxDepth = 1000

var (
	minTime = time.UnixMilli(math.MinInt64)
	maxTime = time.UnixMilli(math.MaxInt64)
)

func checkKey(k string) error {
	switch {
	case k == "":
		return fmt.Errorf("an empty key cannot be stored")
	case !utf8.ValidString(k):
		return fmt.Errorf("the key %q is not valid UTF-8", k)
	}
	return nil
}

// Equal reports whether two values in Go form are the same in a document. Whole numbers are equal across int64 and uint64.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case []byte:
		b, ok := b.([]byte)
		return ok && string(a) == string(b)
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Equal(b)
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	case int64:
		if b, ok := b.(uint64); ok {
			return a >= 0 && uint64(a) == b
		}
		return a == b
	case uint64:
		if b, ok := b.(int64); ok {
			return b >= 0 && uint64(b) == a
		}
		return a == b
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !Equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, x := range a {
			if y, ok := b[k]; !ok || !Equal(x, y) {
				return false
			}
		}
		return true
	}
	return a == b
}
