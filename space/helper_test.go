package space_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"tombolo/space"
)

// peer is a signer whose ID is its public key.
type peer struct {
	key  ed25519.PrivateKey
	fail error
}

func newPeer(n byte) peer {
	seed := [ed25519.SeedSize]byte{n}
	return peer{key: ed25519.NewKeyFromSeed(seed[:])}
}

func (p peer) ID() string { return hex.EncodeToString(p.key.Public().(ed25519.PublicKey)) }

func (p peer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(p.key, msg), p.fail }

func verify(id string, msg, sig []byte) bool {
	key, err := hex.DecodeString(id)
	return err == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, msg, sig)
}

var (
	ada, bob, eve = newPeer(1), newPeer(2), newPeer(3)
	noon          = time.Unix(1_800_000_000, 0).UTC()
)

// failer is what tests, fuzz tests and rapid checks have in common.
type failer interface {
	Helper()
	Fatal(...any)
}

func must[T any](t failer) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// home is a space that ada made.
func home(t failer) *space.Members {
	t.Helper()
	genesis := must[[]byte](t)(space.SignGenesis(ada, "Home", [16]byte{1}, noon))
	return must[*space.Members](t)(space.Open([][]byte{genesis}, verify))
}

// give makes ada give somebody a role, and adds the record.
func give(t failer, m *space.Members, to peer, name string, role space.Role) []byte {
	t.Helper()
	raw := must[[]byte](t)(m.SignMember(ada, to.ID(), name, role, noon))
	must[bool](t)(m.Add(raw))
	return raw
}

func isForm(err error) bool {
	_, ok := errors.AsType[*space.FormError](err)
	return ok
}

func wantRole(t *testing.T, m *space.Members, p peer, want space.Role) {
	t.Helper()
	if got, ok := m.Role(p.ID()); got != want || ok != (want != space.Removed) {
		t.Errorf("role %v, %v; want %v", got, ok, want)
	}
}
