package sealed

import (
	"bytes"

	"golang.org/x/crypto/chacha20"

	"tombolo/persist"
)

const (
	macSize   = 16 // of a key: two of 2^64 keys may get the same one
	groupSize = 4  // of a group: two may get the same one, listings look twice
)

// names turns keys into those of the inner store and back. What persist.Visible
// shows of a key stays; the rest is encrypted deterministically, with a MAC of
// the whole key as its nonce (the construction of RFC 5297).
type names struct {
	mac, group tagger
	stream     []byte
}

// hide returns the key under which the inner store keeps key.
func (n names) hide(key []byte) []byte {
	shown, rest, grouped := cut(key)
	inner := make([]byte, 0, len(key)+groupSize+macSize)
	inner = append(inner, shown...)
	if len(rest) == 0 {
		return inner
	}
	if grouped {
		inner = append(inner, n.groupTag(rest)...)
	}
	mac := n.mac.tag(macSize, key)
	inner = append(inner, mac...)
	inner = append(inner, rest...)
	n.xor(mac, inner[len(inner)-len(rest):])
	return inner
}

// reveal is hide backwards; ok is false for a key that hide never made.
func (n names) reveal(inner []byte) (key []byte, ok bool) {
	shown, rest, grouped := cut(inner)
	if len(rest) == 0 {
		return bytes.Clone(inner), true
	}
	if grouped {
		rest = rest[min(groupSize, len(rest)):]
	}
	if len(rest) <= macSize {
		return nil, false
	}
	mac, rest := rest[:macSize], rest[macSize:]
	key = make([]byte, 0, len(shown)+len(rest))
	key = append(append(key, shown...), rest...)
	n.xor(mac, key[len(shown):])
	ok = bytes.Equal(n.mac.tag(macSize, key), mac)
	if grouped {
		ok = ok && bytes.HasPrefix(inner[len(shown):], n.groupTag(key[len(shown):]))
	}
	return key, ok
}

// hidePrefix returns a prefix below which the inner store keeps every key that
// begins with prefix, and others perhaps.
func (n names) hidePrefix(prefix []byte) []byte {
	shown, rest, grouped := cut(prefix)
	inner := bytes.Clone(shown)
	if grouped && bytes.IndexByte(rest, '/') >= 0 {
		inner = append(inner, n.groupTag(rest)...)
	}
	return inner
}

// cut parts a key, true or inner, into what is shown of it and what is not.
func cut(key []byte) (shown, rest []byte, grouped bool) {
	if len(key) == 0 {
		return nil, nil, false
	}
	at, grouped := persist.Visible(key[0])
	at = min(at, len(key))
	return key[:at], key[at:], grouped
}

// groupTag stands for the word of a setting up to its '/'; all without one are
// a group.
func (n names) groupTag(rest []byte) []byte {
	return n.group.tag(groupSize, rest[:bytes.IndexByte(rest, '/')+1])
}

// xor encrypts or decrypts text in place. The nonce is filled up with zeros.
func (n names) xor(mac, text []byte) {
	var nonce [chacha20.NonceSizeX]byte
	copy(nonce[:], mac)
	c, err := chacha20.NewUnauthenticatedCipher(n.stream, nonce[:])
	if err != nil {
		panic("sealed: a subkey of the wrong length") // it comes from HKDF with a constant length
	}
	c.XORKeyStream(text, text)
}
