// Package trace reads editing histories: what people really typed, for demonstrations and benchmarks.
package trace

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// history is the editing history of this project's README: each of its commits, typed out character by character. scripts/history
// makes it.
//
//go:embed history.json.gz
var history []byte

// Trace is an editing history: one JSON object, gzipped.
type Trace struct {
	End  string `json:"endContent"` // the text after all of it; it begins empty
	Txns []struct {
		Patches []Patch `json:"patches"`
	} `json:"txns"`
}

// Patch is one edit of the text, in JSON [position, characters removed, text inserted].
type Patch struct {
	At, Remove int
	Insert     string
}

// UnmarshalJSON reads the array.
func (p *Patch) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&p.At, &p.Remove, &p.Insert})
}

// MarshalJSON writes the array.
func (p Patch) MarshalJSON() ([]byte, error) { return json.Marshal([]any{p.At, p.Remove, p.Insert}) }

// Load reads the trace at path, or, where path is empty, the one that comes with the project.
func Load(path string) (*Trace, error) {
	var in io.Reader = bytes.NewReader(history)
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("TOMBOLO_TRACE: %w", err)
		}
		defer f.Close()
		in = f
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("read the trace: %w", err)
	}
	var t Trace
	if err := json.NewDecoder(z).Decode(&t); err != nil {
		return nil, fmt.Errorf("read the trace: %w", err)
	}
	if len(t.Txns) == 0 {
		return nil, fmt.Errorf("read the trace: it has no edits")
	}
	return &t, nil
}
