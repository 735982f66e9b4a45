package sealed

import (
	"crypto/cipher"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"tombolo/persist"
)

const (
	nonceSize = chacha20poly1305.NonceSizeX
	head      = 1 + nonceSize // codec byte, nonce
	overhead  = head + chacha20poly1305.Overhead
)

// records seals and opens values. It may be used by several goroutines.
type records struct{ aead cipher.AEAD }

func newRecords(key []byte) (records, error) {
	aead, err := chacha20poly1305.NewX(key)
	return records{aead}, err
}

// place is what a value is bound to: the key in the inner store, and that a
// record is what lies there.
func place(inner []byte) []byte {
	return append([]byte{persist.CodecSealed}, inner...)
}

// seal returns value as the inner store keeps it at the key inner. No nonce is
// used twice.
func (r records) seal(inner, value, nonce []byte) []byte {
	out := make([]byte, 1, overhead+len(value))
	out[0] = persist.CodecSealed
	out = append(out, nonce...)
	return r.aead.Seal(out, nonce, value, place(inner))
}

// open returns the value that seal was given, or an error that wraps ErrAltered.
func (r records) open(inner, sealed []byte) ([]byte, error) {
	if len(sealed) < overhead || sealed[0] != persist.CodecSealed {
		return nil, fmt.Errorf("sealed: a record that is not sealed: %w", persist.ErrAltered)
	}
	value, err := r.aead.Open(sealed[head:head], sealed[1:head], sealed[head:], place(inner))
	if err != nil {
		return nil, fmt.Errorf("sealed: a record: %w", persist.ErrAltered)
	}
	return value, nil
}
