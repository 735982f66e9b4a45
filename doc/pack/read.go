package pack

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"tombolo/doc/gate"
)

// minChange is the shortest chunk that is a change: a frame with its length, and nine fields of at least a byte.
const minChange = frameLen + 1 + 9

// head is what a pack says before its compressed part.
type head struct {
	count    int
	raw      int
	external []gate.Hash
	check    []byte
	frame    []byte // the compressed part
}

func readHead(pack []byte) (head, error) {
	if len(pack) == 0 {
		return head{}, &FormError{Reason: "it is empty"}
	}
	if pack[0] != codecByte {
		return head{}, ErrCodec
	}
	r := reader{rest: pack[1:]}
	count, raw, outside := r.number(), r.number(), r.number()
	hashes := r.bytes(outside, len(gate.Hash{}))
	check := r.bytes(checkLen, 1)
	switch {
	case r.short:
		return head{}, &FormError{Reason: "its head ends too early"}
	case count == 0 || count > MaxCount || raw > MaxRaw || count*minChange > raw:
		return head{}, &FormError{Reason: "it claims " + strconv.FormatUint(count, 10) + " changes of " + strconv.FormatUint(raw, 10) + " bytes"}
	}
	h := head{count: int(count), raw: int(raw), check: check, frame: r.rest}
	for len(hashes) > 0 {
		h.external, hashes = append(h.external, gate.Hash(hashes)), hashes[len(gate.Hash{}):]
	}
	return h, nil
}

// changes spells the changes out from the content of the compressed part.
func (h head) changes(payload []byte) ([][]byte, error) {
	u := unpacker{head: h, in: reader{rest: payload}, out: make([]byte, 0, h.raw), hashes: make([]gate.Hash, 0, h.count)}
	outside := make(map[gate.Hash]bool, len(h.external))
	for _, e := range h.external {
		outside[e] = true
	}
	changes := make([][]byte, 0, h.count)
	digest := sha256.New()
	for range h.count {
		chunk, reason := u.next()
		if reason != "" {
			return nil, &FormError{Reason: "change " + strconv.Itoa(len(changes)+1) + ": " + reason}
		}
		sum := u.hashes[len(u.hashes)-1]
		if outside[sum] {
			return nil, &FormError{Reason: "a change it holds is listed as one outside"}
		}
		digest.Write(sum[:])
		changes = append(changes, chunk)
	}
	switch {
	case len(u.in.rest) > 0 || len(u.out) != h.raw:
		return nil, &FormError{Reason: "it holds more or less than it says"}
	case u.used != len(h.external):
		return nil, &FormError{Reason: "it lists outside changes that it does not build on"}
	case !bytes.Equal(digest.Sum(nil)[:checkLen], h.check):
		return nil, &FormError{Reason: "the changes are not those it was made of"}
	}
	return changes, nil
}

// unpacker spells changes out one after the other.
type unpacker struct {
	head
	in     reader
	out    []byte      // all chunks; never grows beyond its capacity
	hashes []gate.Hash // of the changes so far
	used   int         // how many of external were met
}

// next appends the next change to out; reason says why not.
func (u *unpacker) next() (chunk []byte, reason string) {
	size, deps := u.in.number(), u.in.number()
	if deps > gate.MaxDeps || size > uint64(len(u.in.rest)) {
		return nil, "its lengths cannot be true"
	}
	var num [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(num[:], deps)
	body := n + int(deps)*len(gate.Hash{}) + int(size)
	start := len(u.out)
	room := cap(u.out) - start - frameLen - len(binary.AppendUvarint(nil, uint64(body))) - body
	if u.in.short || room < 0 {
		return nil, "it does not fit into what the pack claims"
	}
	u.out = append(u.out, 0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1) // the checksum follows below
	u.out = binary.AppendUvarint(u.out, uint64(body))
	u.out = append(u.out, num[:n]...)
	for range deps {
		h, ok := u.resolve(u.in.number())
		if !ok {
			return nil, "it builds on a change that is not there"
		}
		u.out = append(u.out, h[:]...)
	}
	u.out = append(u.out, u.in.bytes(size, 1)...)
	if u.in.short {
		return nil, "it ends too early"
	}
	chunk = u.out[start:len(u.out):len(u.out)]
	sum := gate.Hash(sha256.Sum256(chunk[frameLen-1:]))
	copy(chunk[4:], sum[:4])
	u.hashes = append(u.hashes, sum)
	return chunk, ""
}

// resolve is the hash a reference in the current change stands for. Outside changes come up in the order of the list.
func (u *unpacker) resolve(d uint64) (gate.Hash, bool) {
	i := uint64(len(u.hashes))
	switch {
	case d == 0:
		return gate.Hash{}, false
	case d <= i:
		return u.hashes[i-d], true
	}
	place := d - i - 1
	if place > uint64(u.used) || place >= uint64(len(u.external)) {
		return gate.Hash{}, false
	}
	if place == uint64(u.used) {
		u.used++
	}
	return u.external[place], true
}

// reader takes values off the front of rest; short says that something was missing.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.rest, r.short = nil, true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// bytes takes n things of a size, compared so that the product cannot overflow.
func (r *reader) bytes(n uint64, size int) []byte {
	if n > uint64(len(r.rest)/size) {
		r.rest, r.short = nil, true
		return nil
	}
	b := r.rest[:int(n)*size]
	r.rest = r.rest[len(b):]
	return b
}
