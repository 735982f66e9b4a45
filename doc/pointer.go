package doc

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Pointer is a parsed JSON Pointer (RFC 6901): the keys and indexes that lead from the root to a value.
type Pointer []string

// ParsePointer reads the text form: "" for the whole document, or tokens that each begin with "/", with ~1 for "/" and ~0 for "~".
func ParsePointer(s string) (Pointer, error) {
	if s == "" {
		return nil, nil
	}
	if s[0] != '/' {
		return nil, &PathError{Path: s, Reason: `a JSON Pointer begins with "/", for example /items/0`}
	}
	tokens := strings.Split(s[1:], "/")
	for i, t := range tokens {
		if !strings.Contains(t, "~") {
			continue
		}
		if strings.Contains(withoutEscapes.Replace(t), "~") {
			return nil, &PathError{Path: s, Reason: `"~" must be written ~0, and "/" inside a key ~1`}
		}
		tokens[i] = unescapeToken.Replace(t)
	}
	return tokens, nil
}

// parsePath reads a JSON Pointer, or a plain word that is short for the pointer with that one key.
func parsePath(s string) (Pointer, error) {
	if s == "" || s[0] == '/' {
		return ParsePointer(s)
	}
	return Pointer{s}, nil
}

// String is the text form, as [ParsePointer] reads it.
func (p Pointer) String() string {
	var b strings.Builder
	for _, t := range p {
		b.WriteByte('/')
		b.WriteString(escapeToken.Replace(t))
	}
	return b.String()
}

var (
	escapeToken    = strings.NewReplacer("~", "~0", "/", "~1")
	unescapeToken  = strings.NewReplacer("~1", "/", "~0", "~")
	withoutEscapes = strings.NewReplacer("~0", "", "~1", "")
)

// child is p and one more token, in memory of its own: siblings never share a tail.
func (p Pointer) child(token string) Pointer {
	return append(p[:len(p):len(p)], token)
}

// index reads a token as an index into a list: digits without leading zeros (RFC 6901 section 4), below limit.
func index(token string, limit int) (int, error) {
	n, err := strconv.Atoi(token)
	if err != nil || n < 0 || strconv.Itoa(n) != token {
		return 0, fmt.Errorf("%q is not an index into a list", token)
	}
	if n >= limit {
		return 0, fmt.Errorf("index %d is beyond the end of the list", n)
	}
	return n, nil
}

// PathError reports a path that leads nowhere, or to a value of the wrong kind.
type PathError struct {
	Path   string // as given
	Reason string // what is wrong and what to try
}

func (e *PathError) Error() string {
	if e.Path == "" {
		return "the whole document: " + e.Reason
	}
	return e.Path + ": " + e.Reason
}

func badPath(p Pointer, format string, args ...any) error {
	return &PathError{Path: p.String(), Reason: fmt.Sprintf(format, args...)}
}

func checkKey(k string) error {
	switch {
	case k == "":
		return fmt.Errorf("an empty key cannot be stored")
	case !utf8.ValidString(k):
		return fmt.Errorf("the key %q is not valid UTF-8", k)
	}
	return nil
}
