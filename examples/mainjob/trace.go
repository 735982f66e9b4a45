package main

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

// trace is an editing history: one JSON object, gzipped.
type trace struct {
	End  string `json:"endContent"` // the text after all of it; it begins empty
	Txns []struct {
		Patches []patch `json:"patches"`
	} `json:"txns"`
}

// patch is [position, characters removed, text inserted].
type patch struct {
	at, remove int
	insert     string
}

func (p *patch) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&p.at, &p.remove, &p.insert})
}

func (p patch) MarshalJSON() ([]byte, error) { return json.Marshal([]any{p.at, p.remove, p.insert}) }

// loadTrace reads the trace at path, or the one that comes with the project.
func loadTrace(path string) (*trace, error) {
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
	var t trace
	if err := json.NewDecoder(z).Decode(&t); err != nil {
		return nil, fmt.Errorf("read the trace: %w", err)
	}
	if len(t.Txns) == 0 {
		return nil, fmt.Errorf("read the trace: it has no edits")
	}
	return &t, nil
}
