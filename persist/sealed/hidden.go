package sealed

import (
	"bytes"
	"fmt"

	"tombolo/persist"
)

// Hide seals data that is kept beside the store: a small file, or a part of
// one. place names what it is, such as the file's name, and Reveal asks for the
// same. The bytes are those of a sealed record (codec byte 10, nonce, data)
// under a key of their own. The nonce is a MAC of place and data, so the same
// data gives the same bytes: whoever compares two of them learns that, and no
// more.
func (k *Keys) Hide(place string, data []byte) []byte {
	nonce := k.hiddenMAC.tag(nonceSize, []byte{byte(len(place))}, []byte(place), data)
	return k.hidden.seal([]byte(place), data, nonce)
}

// Reveal returns what Hide was given, or an error that wraps
// persist.ErrAltered for bytes that are not what Hide made for that place.
func (k *Keys) Reveal(place string, hidden []byte) ([]byte, error) {
	data, err := k.hidden.open([]byte(place), bytes.Clone(hidden)) // open works in place
	if err != nil {
		return nil, fmt.Errorf("sealed: %s: %w", place, persist.ErrAltered)
	}
	return data, nil
}

// IsHidden says whether data looks like what Hide makes, as far as that can be
// told without keys.
func IsHidden(data []byte) bool { return len(data) >= overhead && data[0] == persist.CodecSealed }
