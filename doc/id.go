package doc

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ID names a document: 16 bytes, random or derived from app and name.
type ID [16]byte

// SpaceID names a space, the set of documents its members share.
type SpaceID [16]byte

// lower is the alphabet of IDs and URLs: RFC 4648 base32 in lower case, easy to read aloud and to select with two clicks.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID reads a random ID from r.
func NewID(r io.Reader) (ID, error) {
	var id ID
	if _, err := io.ReadFull(r, id[:]); err != nil {
		return ID{}, fmt.Errorf("make a document ID: %w", err)
	}
	return id, nil
}

// NamedID is the ID of the document that an app knows under a name. It is the same on every device and under every version of
// the code, so devices that create the document apart have created one document.
func NamedID(app, name string) ID {
	sum := digest("tombolo named document 1", []byte(app), []byte(name))
	return ID(sum[:16])
}

// digest is SHA-256 over a purpose and parts, each preceded by its length, so that no two lists of parts give the same input.
func digest(purpose string, parts ...[]byte) [32]byte {
	h := sha256.New()
	for _, p := range append([][]byte{[]byte(purpose)}, parts...) {
		h.Write(binary.AppendUvarint(nil, uint64(len(p))))
		h.Write(p)
	}
	return [32]byte(h.Sum(nil))
}

// String is the ID in base32, 26 characters.
func (id ID) String() string { return lower.EncodeToString(id[:]) }

// String is the ID in base32, 26 characters.
func (s SpaceID) String() string { return lower.EncodeToString(s[:]) }

// Short is enough of the ID for a log line or a table.
func (id ID) Short() string { return id.String()[:8] }

// URL names a document in a space. The same ID in two spaces is two documents.
type URL struct {
	Space SpaceID
	Doc   ID
}

const scheme = "tombolo:"

// ErrURL reports a text that is not the URL of a document.
var ErrURL = errors.New("not a document URL")

// String is the text form: "tombolo:" and 58 characters of base32 over ID, space and a checksum of four bytes.
func (u URL) String() string {
	b := append(u.Doc[:], u.Space[:]...)
	return scheme + lower.EncodeToString(append(b, u.check()...))
}

func (u URL) check() []byte {
	sum := digest("tombolo url 1", u.Doc[:], u.Space[:])
	return sum[:4]
}

// ParseURL reads the text form. Every error wraps [ErrURL]; a mistyped character is found by the checksum.
func ParseURL(s string) (URL, error) {
	code, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(s)), scheme)
	if !ok {
		return URL{}, fmt.Errorf("%w: %q does not begin with %q; `peer doc ls` shows the URLs of your documents", ErrURL, shorten(s), scheme)
	}
	b, err := lower.DecodeString(code)
	if err != nil || len(b) != 36 {
		return URL{}, fmt.Errorf("%w: it must be %q and 58 letters and digits; copy it again as a whole", ErrURL, scheme)
	}
	u := URL{Doc: ID(b[:16]), Space: SpaceID(b[16:32])}
	if string(u.check()) != string(b[32:]) || u.String() != scheme+code {
		return URL{}, fmt.Errorf("%w: its checksum is wrong, so a character was mistyped; copy it again as a whole", ErrURL)
	}
	return u, nil
}

func shorten(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
