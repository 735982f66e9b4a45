package mirror

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"tombolo/doc"
)

// State keeps a few hundred bytes for a Mirror from one run of the program to the next. What Save got, Load gives, or nothing if it never
// got any.
type State interface {
	Load(ctx context.Context) ([]byte, error)
	Save(ctx context.Context, data []byte) error
}

// StateFile keeps the state of a mirror in a file: for a [URL], which has no room for it.
func StateFile(path string) State { return stateFile(path) }

type stateFile string

func (f stateFile) Load(context.Context) ([]byte, error) {
	b, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

func (f stateFile) Save(ctx context.Context, data []byte) error {
	return replace(string(f), data, privateMode, nil)
}

// stateful is a Place that keeps its own state.
type stateful interface{ State() State }

// forgetful is the State of a place that has none: the state ends with the Mirror.
type forgetful struct{}

func (forgetful) Load(context.Context) ([]byte, error) { return nil, nil }
func (forgetful) Save(context.Context, []byte) error   { return nil }

// stateVersion is the first member of a state ("mirror 1" in docs/format.md).
const stateVersion = 1

// record is what a Mirror knows of its place.
type record struct {
	Version int       `json:"mirror"`
	Doc     string    `json:"doc"`            // the document's ID
	Last    *mirrored `json:"last,omitempty"` // what the place and the document had in common last
	Next    *mirrored `json:"next,omitempty"` // what a save may have put into the place
}

// mirrored is bytes at the place and the version of the document that they show.
type mirrored struct {
	Sum   string     `json:"sum"`             // SHA-256 of the bytes, in hex
	Heads []doc.Hash `json:"heads,omitempty"` // none where the bytes were loaded and are not the value of any version
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// remember reads the state. One that is damaged, or of another document, is an error: what it would have said cannot be guessed.
func (m *Mirror) remember(ctx context.Context) error {
	id := m.h.URL().Doc.String()
	r := record{Version: stateVersion, Doc: id}
	b, err := m.state.Load(ctx)
	if err == nil && len(b) > 0 {
		err = json.Unmarshal(b, &r)
		if err == nil && r.Version != stateVersion {
			err = fmt.Errorf("it is of version %d; update this program", r.Version)
		}
		if err == nil && r.Doc != id {
			err = fmt.Errorf("%s mirrors another document, %s; use another place", m.place.Name(), r.Doc)
		}
	}
	if err != nil {
		return fmt.Errorf("mirror: read what was mirrored last: %w; or remove that state: the next load then removes nothing from the document", err)
	}
	m.known, m.remembers = r, true
	return nil
}

// keep makes what is known durable.
func (m *Mirror) keep(ctx context.Context, last, next *mirrored) error {
	r := m.known
	r.Last, r.Next = last, next
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := m.state.Save(ctx, append(b, '\n')); err != nil {
		m.remembers, m.tag, m.merged = false, "", false // it may be there or not
		return fmt.Errorf("mirror: keep what was mirrored: %w", err)
	}
	m.known = r
	return nil
}
