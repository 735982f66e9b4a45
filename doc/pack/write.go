package pack

import (
	"encoding/binary"
	"fmt"
	"hash"

	"tombolo/doc/gate"
)

// writer collects what a pack says.
type writer struct {
	payload  []byte
	raw      int
	digest   hash.Hash
	at       map[gate.Hash]int // the changes so far, by number
	external []gate.Hash
	outside  map[gate.Hash]int // their places in external
}

// frameLen is how long the frame of a chunk is before its length: magic, checksum and type, as gate reads them.
const frameLen = 4 + 4 + 1

func (w *writer) add(c gate.Change) error {
	i := len(w.at)
	if _, ok := w.at[c.Hash]; ok {
		return fmt.Errorf("%w: %v stands twice", ErrOrder, c.Hash)
	}
	if _, ok := w.outside[c.Hash]; ok {
		return fmt.Errorf("%w: %v stands behind one that builds on it", ErrOrder, c.Hash)
	}
	if w.raw += len(c.Raw); w.raw > MaxRaw {
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxRaw)
	}
	_, n := binary.Uvarint(c.Raw[frameLen:])
	body := c.Raw[frameLen+n:]
	_, n = binary.Uvarint(body)
	rest := body[n+len(c.Deps)*len(gate.Hash{}):]

	w.payload = binary.AppendUvarint(w.payload, uint64(len(rest)))
	w.payload = binary.AppendUvarint(w.payload, uint64(len(c.Deps)))
	for _, d := range c.Deps {
		w.payload = binary.AppendUvarint(w.payload, uint64(w.reference(i, d)))
	}
	w.payload = append(w.payload, rest...)
	w.at[c.Hash] = i
	w.digest.Write(c.Hash[:])
	return nil
}

// reference is what stands for dependency d in change number i.
func (w *writer) reference(i int, d gate.Hash) int {
	if j, ok := w.at[d]; ok {
		return i - j
	}
	place, ok := w.outside[d]
	if !ok {
		place = len(w.external)
		w.outside[d] = place
		w.external = append(w.external, d)
	}
	return i + 1 + place
}
