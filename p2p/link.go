package p2p

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// What can be wrong with a text that should be a link.
var (
	ErrNotLink  = errors.New("p2p: this is not a Tombolo link; it begins with tombolo://join#")
	ErrMistyped = errors.New("p2p: the link has a typing error or a part is missing; copy it again")
	ErrNewer    = errors.New("p2p: the link was made by a newer version; update this program and try again")
)

const (
	linkPrefix  = "tombolo://join#"
	linkVersion = 1
	linkCheck   = 4    // bytes of SHA-256 at the end; every later version keeps this place
	maxLink     = 2048 // characters; a link of ours has 130 to 600
)

// linkCoding has no padding, because "=" does not survive every messenger.
var linkCoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Link writes the ticket as text. The secret stands behind the "#", which
// browsers do not send to servers. The layout is in docs/format.md: version,
// inviter's key (32), secret (16), space (16), role (1), expiry (uvarint,
// seconds since 1970), count and addresses (each length byte + binary
// multiaddr), then four bytes of SHA-256 over all of it. A ticket that cannot
// be read back is an error.
func (t Ticket) Link() (string, error) {
	raw, err := t.Peer.raw()
	if err != nil {
		return "", err
	}
	key, err := publicKey(raw)
	if err != nil {
		return "", err
	}
	role, err := roleNumber(t.Role)
	if err != nil {
		return "", err
	}
	if t.Expires.Unix() <= 0 {
		return "", errors.New("p2p: a ticket needs a time at which it expires")
	}
	if len(t.Addrs) > MaxTicketAddrs {
		return "", fmt.Errorf("p2p: a ticket holds %d addresses, not %d", MaxTicketAddrs, len(t.Addrs))
	}
	b := append([]byte{linkVersion}, key...)
	b = append(b, t.Secret[:]...)
	b = append(b, t.Space[:]...)
	b = append(b, role)
	b = binary.AppendUvarint(b, uint64(t.Expires.Unix()))
	b = append(b, byte(len(t.Addrs)))
	for _, s := range t.Addrs {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			return "", fmt.Errorf("p2p: ticket address %q: %w", s, err)
		}
		if a = bare(a, raw); a == nil || len(a.Bytes()) > 255 {
			return "", fmt.Errorf("p2p: ticket address %q is too long or names another peer", s)
		}
		b = append(b, byte(len(a.Bytes())))
		b = append(b, a.Bytes()...)
	}
	sum := sha256.Sum256(b)
	return linkPrefix + linkCoding.EncodeToString(append(b, sum[:linkCheck]...)), nil
}

// ParseLink reads a link. Upper case, spaces and line breaks anywhere do no
// harm. Errors are ErrNotLink, ErrMistyped or ErrNewer; whether the ticket has
// expired is for the inviter to say.
func ParseLink(s string) (Ticket, error) {
	if len(s) > 2*maxLink {
		return Ticket{}, ErrNotLink
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
	body, ok := strings.CutPrefix(s, linkPrefix)
	if !ok || len(body) > maxLink {
		return Ticket{}, ErrNotLink
	}
	b, err := linkCoding.DecodeString(body)
	// Encoding again catches spare bits at the end, which decoding ignores.
	if err != nil || len(b) < 1+linkCheck || linkCoding.EncodeToString(b) != body {
		return Ticket{}, ErrMistyped
	}
	b, check := b[:len(b)-linkCheck], b[len(b)-linkCheck:]
	if sum := sha256.Sum256(b); !bytes.Equal(sum[:linkCheck], check) {
		return Ticket{}, ErrMistyped
	}
	if b[0] > linkVersion {
		return Ticket{}, ErrNewer
	}
	t, err := parseTicket(b)
	if err != nil {
		return Ticket{}, fmt.Errorf("%w (%w)", ErrNotLink, err)
	}
	return t, nil
}

// parseTicket reads the payload, whose checksum is right: what is wrong here
// was not made by us.
func parseTicket(b []byte) (t Ticket, err error) {
	if b[0] != linkVersion || len(b) < 1+32+16+16+1+1+1 {
		return t, errors.New("wrong size or version")
	}
	raw, err := idOf(ed25519.PublicKey(b[1:33]))
	if err != nil {
		return t, err
	}
	t.Peer = PeerID(raw.String())
	copy(t.Secret[:], b[33:49])
	copy(t.Space[:], b[49:65])
	if t.Role, err = roleName(b[65]); err != nil {
		return t, err
	}
	at, n := binary.Uvarint(b[66:])
	if n <= 0 || at == 0 || at > 1<<40 || len(binary.AppendUvarint(nil, at)) != n {
		return t, errors.New("impossible expiry")
	}
	t.Expires = time.Unix(int64(at), 0).UTC()
	b = b[66+n:]
	if len(b) == 0 || b[0] > MaxTicketAddrs {
		return t, errors.New("impossible number of addresses")
	}
	count := int(b[0])
	b = b[1:]
	for range count {
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			return t, errors.New("address cut short")
		}
		a, err := parseBinaryAddr(b[1:1+int(b[0])], raw)
		if err != nil {
			return t, err
		}
		t.Addrs = append(t.Addrs, a)
		b = b[1+int(b[0]):]
	}
	if len(b) != 0 {
		return t, errors.New("bytes left over")
	}
	return t, nil
}

// parseBinaryAddr reads one address and insists that it is written the one way
// in which Link writes it.
func parseBinaryAddr(b []byte, owner peer.ID) (string, error) {
	a, err := ma.NewMultiaddrBytes(b)
	if err != nil {
		return "", fmt.Errorf("address: %w", err)
	}
	again, err := ma.NewMultiaddr(a.String())
	if err != nil || !bytes.Equal(again.Bytes(), b) {
		return "", errors.New("address in an unusual form")
	}
	if c := bare(a, owner); c == nil || !c.Equal(a) {
		return "", errors.New("address names a peer")
	}
	return a.String(), nil
}

func roleNumber(role string) (byte, error) {
	switch role {
	case RoleWriter:
		return 1, nil
	case RoleReader:
		return 2, nil
	}
	return 0, fmt.Errorf("p2p: a ticket gives the role %q or %q, not %q", RoleWriter, RoleReader, role)
}

func roleName(n byte) (string, error) {
	switch n {
	case 1:
		return RoleWriter, nil
	case 2:
		return RoleReader, nil
	}
	return "", fmt.Errorf("unknown role %d", n)
}
