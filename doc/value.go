package doc

import "tombolo/doc/value"

// The Go form of a document's value is a tree of nil, bool, int64, uint64, float64, string, []byte, time.Time, [Text], [Counter], []any and
// map[string]any. Reading gives exactly these types; writing accepts what package value describes besides: structs by their fields, all Go
// numbers, slices, and maps with keys of text.

// Text is collaborative text: edits of several people merge character by character. A plain string is replaced as a whole.
type Text = value.Text

// Counter is a number whose increments add up, whoever makes them.
type Counter = value.Counter

// Unknown stands for a value of a kind that cannot be read. It is kept, never written.
type Unknown = value.Unknown

// ValueError reports a Go or JSON value that a document cannot hold, or that does not fit where it is to be read into.
type ValueError = value.Error

// Equal reports whether two values in Go form are the same in a document. Whole numbers are equal across int64 and uint64.
func Equal(a, b any) bool { return value.Equal(a, b) }

// maxDepth bounds nesting where Go recurses over a value.
const maxDepth = value.MaxDepth
