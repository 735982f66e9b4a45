package p2p

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
)

// PeerID names one installation: libp2p's text form of an Ed25519 public key
// ("12D3KooW…", 52 characters). The key itself is inside, so a PeerID is
// enough to check a signature. Make one with ParsePeerID when it comes from
// outside.
type PeerID string

// ParsePeerID checks s and returns it in its one canonical spelling. IDs that
// do not carry an Ed25519 key (RSA, hashes of keys) are refused, because
// nothing of ours could verify them.
func ParsePeerID(s string) (PeerID, error) {
	raw, err := peer.Decode(s)
	if err != nil {
		return "", fmt.Errorf("p2p: %q is not a peer ID; copy it from \"peer id\" on the other device", s)
	}
	if _, err := publicKey(raw); err != nil {
		return "", err
	}
	return PeerID(raw.String()), nil
}

// Short returns the last eight characters, which is what a log line needs: the
// first eight are the same for everybody.
func (p PeerID) Short() string {
	if len(p) <= 8 {
		return string(p)
	}
	return string(p[len(p)-8:])
}

// Verify reports whether sig is p's signature over msg. A malformed p or sig is
// a signature that does not verify.
func Verify(p PeerID, msg, sig []byte) bool {
	raw, err := p.raw()
	if err != nil {
		return false
	}
	key, err := publicKey(raw)
	return err == nil && ed25519.Verify(key, msg, sig)
}

// raw returns libp2p's binary form.
func (p PeerID) raw() (peer.ID, error) {
	raw, err := peer.Decode(string(p))
	if err != nil {
		return "", fmt.Errorf("p2p: %q is not a peer ID: %w", string(p), err)
	}
	return raw, nil
}

// publicKey takes the Ed25519 key out of an ID that carries one.
func publicKey(raw peer.ID) (ed25519.PublicKey, error) {
	pub, err := raw.ExtractPublicKey()
	if err != nil || pub.Type() != crypto.Ed25519 {
		return nil, errors.New("p2p: this peer ID carries no Ed25519 key; only IDs made by this program are known here")
	}
	key, err := pub.Raw()
	return key, err
}

// idOf names the holder of an Ed25519 key.
func idOf(key ed25519.PublicKey) (peer.ID, error) {
	pub, err := crypto.UnmarshalEd25519PublicKey(key)
	if err != nil {
		return "", fmt.Errorf("p2p: public key: %w", err)
	}
	return peer.IDFromPublicKey(pub)
}
