package p2p

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"
)

// MaxTicketAddrs bounds the addresses in a Ticket, so that its link still fits
// a QR code that a terminal can show.
const MaxTicketAddrs = 4

// Secret is the one-time secret of an invitation: 16 random bytes. Whoever has
// it may pair once, so it prints as "[hidden]".
type Secret [16]byte

// String hides the secret.
func (Secret) String() string { return "[hidden]" }

// GoString hides the secret.
func (Secret) GoString() string { return "[hidden]" }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue("[hidden]") }

// Ticket is an invitation as it travels from one person to another, as a link
// (Link, ParseLink). It is a credential: show it only to whom it is meant for.
type Ticket struct {
	Peer    PeerID    // the inviter; the joiner talks to nobody else
	Secret  Secret    // the one-time secret
	Space   [16]byte  // the space the invitation is for
	Role    string    // RoleWriter or RoleReader
	Expires time.Time // whole seconds; judged by the inviter's clock
	Addrs   []string  // multiaddrs of the inviter without /p2p, at most MaxTicketAddrs; none means: look on the LAN
}

// The roles an invitation can give.
const (
	RoleWriter = "writer" // 1 in a link
	RoleReader = "reader" // 2 in a link
)

// LogValue shows whose ticket it is and leaves the secret out.
func (t Ticket) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("peer", t.Peer.Short()),
		slog.String("role", t.Role),
		slog.Time("expires", t.Expires),
	)
}

// inviteInfo separates this use of the secret from any other.
const inviteInfo = "tombolo invite identity 1"

// Invite returns the ID of the temporary identity that secret gives to whoever
// joins inviter. The inviter passes it to Node.Expect.
func Invite(secret Secret, inviter PeerID) (PeerID, error) {
	id, err := inviteIdentity(secret, inviter)
	if err != nil {
		return "", err
	}
	return id.ID(), nil
}

// inviteIdentity derives the temporary identity: HKDF-SHA256 over the secret,
// salted with the inviter, so that one secret used by two inviters by mistake
// still opens two different doors.
func inviteIdentity(secret Secret, inviter PeerID) (*Identity, error) {
	raw, err := inviter.raw()
	if err != nil {
		return nil, err
	}
	seed, err := hkdf.Key(sha256.New, secret[:], []byte(raw), inviteInfo, 32)
	if err != nil {
		return nil, fmt.Errorf("p2p: derive the invite: %w", err)
	}
	return identityFromSeed(seed)
}
