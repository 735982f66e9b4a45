package space

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
)

// ID names a space: the first 16 bytes of the SHA-256 of its genesis record, signature included. Nobody can make another space with it.
type ID [16]byte

// text is RFC 4648 base32 in lower case, as in the URLs of documents.
var text = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// String is the ID in base32, 26 characters.
func (id ID) String() string { return text.EncodeToString(id[:]) }

// ParseID reads what [ID.String] prints.
func ParseID(s string) (ID, error) {
	b, err := text.DecodeString(s)
	if err != nil || len(b) != len(ID{}) || ID(b).String() != s { // the last character has bits to spare
		return ID{}, fmt.Errorf("space: %.40q is not the ID of a space; copy all of its 26 letters and digits", s)
	}
	return ID(b), nil
}

func idOf(genesisRecord []byte) ID {
	sum := sha256.Sum256(genesisRecord)
	return ID(sum[:16])
}

// keyOf is derived apart from the ID, so that who sees the ID learns nothing of the key.
func keyOf(genesisRecord []byte) [32]byte {
	return sha256.Sum256(append([]byte("tombolo space key 1\n"), genesisRecord...))
}
