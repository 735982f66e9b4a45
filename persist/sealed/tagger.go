package sealed

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// tagger computes tags under one key. Several goroutines may use it.
type tagger struct {
	idle *sync.Pool // of hash.Hash: setting one up is half of the work for a short text
}

func newTagger(key []byte) tagger {
	return tagger{&sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// tag returns the first size bytes of the HMAC-SHA256 of the pieces.
func (t tagger) tag(size int, pieces ...[]byte) []byte {
	h := t.idle.Get().(hash.Hash)
	defer t.idle.Put(h)
	h.Reset()
	for _, p := range pieces {
		h.Write(p)
	}
	return h.Sum(make([]byte, 0, sha256.Size))[:size]
}
