package p2p

import (
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
)

// Export gives the secret key in the form that CreateIdentity writes. Whoever
// has it is this device to all others: it belongs into an encrypted backup, and
// nowhere else.
func (id *Identity) Export() ([]byte, error) {
	priv, err := id.libp2p()
	if err != nil {
		return nil, err
	}
	data, err := crypto.MarshalPrivateKey(priv)
	if err != nil {
		return nil, fmt.Errorf("p2p: encode the identity: %w", err)
	}
	return data, nil
}

// ImportHidden is CreateHidden for an identity that Export gave: ErrBrokenIdentity
// when exported is not one.
func ImportHidden(path string, exported []byte, hide func([]byte) ([]byte, error)) (*Identity, error) {
	id, err := unmarshalIdentity(exported)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBrokenIdentity, err)
	}
	data, err := hide(exported)
	if err != nil {
		return nil, fmt.Errorf("p2p: encode the identity: %w", err)
	}
	if err := writeOnce(path, data); err != nil {
		return nil, fmt.Errorf("p2p: write the identity: %w", err)
	}
	return id, nil
}
