package gate

import (
	"bytes"
	"encoding/hex"
	"fmt"
)

// Hash names a change: the SHA-256 of its plain chunk from the type byte on.
type Hash [32]byte

// String is the hash in lower-case hex, 64 characters, as Automerge prints it.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Compare orders hashes by their bytes, as bytes.Compare does: the order of dependencies in a change and of [Graph.Heads].
func (h Hash) Compare(o Hash) int { return bytes.Compare(h[:], o[:]) }

// ParseHash reads what [Hash.String] prints; capital letters are allowed.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != hex.EncodedLen(len(h)) {
		return Hash{}, fmt.Errorf("gate: a change hash has 64 hex digits, this has %d characters; copy it again as a whole", len(s))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("gate: a change hash has hex digits only: %w; copy it again", err)
	}
	return h, nil
}

// MarshalText writes the hash as [Hash.String] does, for JSON.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(b []byte) error {
	parsed, err := ParseHash(string(b))
	if err == nil {
		*h = parsed
	}
	return err
}
