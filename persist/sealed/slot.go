package sealed

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// lock adds a slot with k's data key under secret to f.
func (k *Keys) lock(f *fileRecord, secret Secret) error {
	if err := secret.check(); err != nil {
		return err
	}
	if len(f.Slots) >= maxSlots {
		return ErrTooManySlots
	}
	s := slotRecord{
		Num: f.Next, Kind: secret.kind, Salt: random(saltSize),
		Passes: secret.cost.Passes, Memory: secret.cost.Memory, Threads: secret.cost.Threads,
	}
	key, err := secret.key(s.Salt, s.cost())
	if err != nil {
		return fmt.Errorf("sealed: lock the data key: %w", err)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return fmt.Errorf("sealed: lock the data key: %w", err)
	}
	bound, err := f.bound(s)
	if err != nil {
		return err
	}
	nonce := random(chacha20poly1305.NonceSizeX)
	s.Locked = aead.Seal(nonce, nonce, k.data, bound)
	f.Slots = append(f.Slots, s)
	f.Next++
	return nil
}

// unlock returns the data key and the place of the slot that secret opens, or
// ErrSecret.
func (f *fileRecord) unlock(secret Secret) (data []byte, at int, err error) {
	for i, s := range f.Slots {
		if s.Kind != secret.kind {
			continue
		}
		data, err := f.try(s, secret)
		if err == nil {
			return data, i, nil
		}
		if !errors.Is(err, ErrSecret) {
			return nil, 0, err
		}
	}
	return nil, 0, fmt.Errorf("open keys with a %s: %w", secret.kind, ErrSecret)
}

// try opens one slot.
func (f *fileRecord) try(s slotRecord, secret Secret) ([]byte, error) {
	if s.Kind == KindPassphrase && !s.cost().ok() {
		return nil, fmt.Errorf("%w: a passphrase's cost is out of bounds", ErrKeysFile)
	}
	key, err := secret.key(s.Salt, s.cost())
	if err != nil {
		return nil, fmt.Errorf("sealed: unlock the data key: %w", err)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("sealed: unlock the data key: %w", err)
	}
	bound, err := f.bound(s)
	if err != nil {
		return nil, err
	}
	if len(s.Locked) < chacha20poly1305.NonceSizeX {
		return nil, ErrKeysFile
	}
	data, err := aead.Open(nil, s.Locked[:chacha20poly1305.NonceSizeX], s.Locked[chacha20poly1305.NonceSizeX:], bound)
	if err != nil || len(data) != dataKeySize {
		return nil, ErrSecret
	}
	return data, nil
}

func (s slotRecord) cost() Cost { return Cost{s.Passes, s.Memory, s.Threads} }

// bound is what a locked key is bound to: the version, the data key's ID, and
// all else that its slot says.
func (f *fileRecord) bound(s slotRecord) ([]byte, error) {
	s.Locked = nil
	body, err := enc.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("sealed: encode a slot: %w", err)
	}
	return bytes.Join([][]byte{{fileVersion}, f.ID, body}, nil), nil
}
