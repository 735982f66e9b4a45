package value

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// Text is collaborative text: edits of several people merge character by character. A plain string is replaced as a whole.
type Text string

// Counter is a number whose increments add up, whoever makes them.
type Counter int64

// Unknown stands for a value of a kind that this version of the core cannot read. It is kept, never written.
type Unknown struct{}

// Error reports a Go value or type that a document cannot hold, or a document's value that does not fit a Go type.
type Error struct {
	Path   string // where in the value, as a JSON Pointer; for a type, * is any element of a list or map
	Reason string // what is wrong and what to try
	Err    error  // what a hook or a [Source] returned, else nil
}

func (e *Error) Error() string {
	if e.Path == "" {
		return "value: " + e.Reason
	}
	path := e.Path
	if len(path) > shownPath { // of a thousand levels, the first say enough
		path = strings.ToValidUTF8(path[:shownPath], "") + "..."
	}
	return "value at " + path + ": " + e.Reason
}

const shownPath = 200 // bytes

// Unwrap gives what a hook or a source returned.
func (e *Error) Unwrap() error { return e.Err }

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// below is e as seen from the container that has it at token.
func (e *Error) below(token string) *Error {
	return &Error{Path: "/" + escapePointer.Replace(token) + e.Path, Reason: e.Reason, Err: e.Err}
}

// Kind is what a value is in a document.
type Kind uint8

// The kinds. Where a kind shares its word with a Go type of this package, it ends in Kind.
const (
	Absent      Kind = iota // nothing: a write removes the key
	Null                    // nil
	Bool                    // bool
	Int                     // int64
	Uint                    // uint64
	Float                   // float64
	String                  // string, replaced as a whole
	Bytes                   // []byte
	Time                    // time.Time, in milliseconds
	CounterKind             // Counter
	TextKind                // Text
	List                    // []any
	Map                     // map[string]any
	UnknownKind             // Unknown: can be read past, not written
	Invalid                 // cannot be stored: see Value.Err
)

var kindNames = [...]string{
	Absent:      "nothing",
	Null:        "null",
	Bool:        "a boolean",
	Int:         "a whole number",
	Uint:        "a whole number",
	Float:       "a float",
	String:      "a string",
	Bytes:       "bytes",
	Time:        "a time",
	CounterKind: "a counter",
	TextKind:    "a text",
	List:        "a list",
	Map:         "a map",
	UnknownKind: "a value of an unknown kind",
	Invalid:     "a value that cannot be stored",
}

// String is the kind in words, for messages: "a whole number".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[UnknownKind]
}

// MaxDepth is how many keys and indexes may lead to a value: far above what people make, far below what a stack bears.
const MaxDepth = 1000

var (
	minTime = time.UnixMilli(math.MinInt64)
	maxTime = time.UnixMilli(math.MaxInt64)
)

// inMilliseconds is t as a document holds it: in milliseconds, rounded down, in UTC.
func inMilliseconds(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

// Equal reports whether two values in Go form are the same in a document. Whole numbers are equal across int64 and uint64, floats
// when their bits are (so NaN equals itself and 0 is not -0); a nil list, map or byte slice equals an empty one. What is not in Go
// form equals nothing.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case string:
		b, ok := b.(string)
		return ok && a == b
	case Text:
		b, ok := b.(Text)
		return ok && a == b
	case Counter:
		b, ok := b.(Counter)
		return ok && a == b
	case Unknown:
		_, ok := b.(Unknown)
		return ok
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
		switch b := b.(type) {
		case int64:
			return a == b
		case uint64:
			return a >= 0 && uint64(a) == b
		}
	case uint64:
		switch b := b.(type) {
		case uint64:
			return a == b
		case int64:
			return b >= 0 && uint64(b) == a
		}
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
	return false
}

// keyProblem says why a document cannot hold the key, or "".
func keyProblem(k string) string {
	switch {
	case k == "":
		return "an empty key cannot be stored"
	case !utf8.ValidString(k):
		return "the key is not valid UTF-8; encode it, for example as base64"
	}
	return ""
}
