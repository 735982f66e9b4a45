package doc

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"tombolo/doc/value"
)

// Snapshot is the value of a document at one version, without its history: for reading a document before its changes are read. It reads as the
// document does. It is safe for use from several goroutines.
type Snapshot struct {
	json []byte
	root map[string]any
}

// ErrInexact reports a value that its canonical JSON does not give back as it is: one of a kind that this version cannot read, or a whole number
// that is stored without a sign and reads with one.
var ErrInexact = errors.New("doc: canonical JSON does not give this value back exactly")

// Snapshot is the canonical JSON of the whole document, for [ParseSnapshot]. [ErrInexact] where that would not read as the document does.
func (d *Doc) Snapshot() ([]byte, error) {
	v, err := d.Get("")
	if err != nil {
		return nil, err
	}
	if !exact(v) {
		return nil, ErrInexact
	}
	return appendJSON(nil, v), nil
}

// exact reports whether a value that was read survives the way through JSON.
func exact(v any) bool {
	switch v := v.(type) {
	case uint64:
		return v > math.MaxInt64
	case Unknown:
		return false
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !exact(e) })
	case map[string]any:
		for _, e := range v {
			if !exact(e) {
				return false
			}
		}
	case float64:
		return !math.IsNaN(v) || math.Float64bits(v) == math.Float64bits(math.NaN())
	}
	return true
}

// ParseSnapshot reads what [Doc.Snapshot] gave. It keeps data, which must not change any more.
func ParseSnapshot(data []byte) (*Snapshot, error) {
	v, err := DecodeJSON(data)
	if err != nil {
		return nil, fmt.Errorf("read a snapshot: %w", err)
	}
	root, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("read a snapshot: it is %s, not a map", kindName(v))
	}
	return &Snapshot{data, root}, nil
}

// Get reads the value at a path, as [Doc.Get] does.
func (s *Snapshot) Get(path string) (any, error) {
	v, err := s.find(path)
	if err != nil {
		return nil, err
	}
	return copied(v), nil
}

// Read decodes the value at a path into a Go variable, as [Doc.Read] does.
func (s *Snapshot) Read(path string, into any) error {
	v, err := s.find(path)
	if err != nil {
		return err
	}
	return value.Unmarshal(copied(v), into)
}

// JSON is the canonical JSON of the value at a path.
func (s *Snapshot) JSON(path string) ([]byte, error) {
	if path == "" {
		return slices.Clone(s.json), nil
	}
	v, err := s.find(path)
	if err != nil {
		return nil, err
	}
	return appendJSON(nil, v), nil
}

// Hash is SHA-256 of the document's canonical JSON.
func (s *Snapshot) Hash() ([32]byte, error) { return sha256.Sum256(s.json), nil }

// find walks to a value. Its errors are those of a document.
func (s *Snapshot) find(path string) (any, error) {
	p, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	var at any = s.root
	has := true
	for i, token := range p {
		if i == 0 && token == marksKey {
			return nil, badPath(p, "the key %s belongs to the engine", marksKey)
		}
		if !has {
			return nil, badPath(p[:i], "there is nothing; create it first")
		}
		switch in := at.(type) {
		case map[string]any:
			at, has = in[token]
		case []any:
			n, err := index(token, len(in))
			if err != nil {
				return nil, badPath(p[:i+1], "%v", err)
			}
			at = in[n]
		default:
			return nil, badPath(p[:i], "it is %s, which has nothing inside", kindName(at))
		}
	}
	if !has {
		return nil, badPath(p, "there is nothing")
	}
	return at, nil
}

// copied is a value that its reader may change.
func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		for k, e := range out {
			out[k] = copied(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = copied(e)
		}
		return out
	case []byte:
		return append([]byte{}, v...)
	}
	return v
}
