package space

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"
)

// MaxUnknown is how many records of unknown codecs a space keeps: nobody here can check their signatures, so they must not grow for
// ever. Those with the lowest SHA-256 stay, which is the same on every device.
const MaxUnknown = 256

// Members is the membership of one space: its genesis, and the record that counts for each peer. It is not safe for concurrent use.
type Members struct {
	verify  Verify
	raw     []byte // the genesis record
	genesis genesis
	id      ID
	winners map[string]winner // by subject
	unknown map[[32]byte][]byte
}

// winner is the record that counts for a subject.
type winner struct {
	member
	raw []byte
}

// Member is what the records say about one peer.
type Member struct {
	Peer   string
	Name   string    // of its device; may be empty
	Role   Role      // Removed for one who was a member once
	Number uint64    // of the record that counts; 0 when that is the genesis
	Since  time.Time // when that record was made, as its issuer says, to the second
}

// SignGenesis founds a space and returns its genesis record. nonce is 16 random bytes, for the ID and the key of the space hang on it.
// The time is rounded down to seconds.
func SignGenesis(s Signer, name string, nonce [16]byte, at time.Time) ([]byte, error) {
	g := genesis{Name: name, Owner: s.ID(), Nonce: nonce, Time: at.Unix()}
	if err := g.check(); err != nil {
		return nil, fmt.Errorf("make a space: %w", err)
	}
	raw, err := sign(s, kindGenesis, domainGenesis, g)
	if err != nil {
		return nil, fmt.Errorf("sign the genesis of a space: %w", err)
	}
	return raw, nil
}

// Open reads the records of a space: its genesis first, then others in any order. Every record is verified. The errors are [ErrGenesis]
// and those of [Members.Add], for the first record that is not right. Who was told the ID of the space compares [Members.ID].
func Open(records [][]byte, verify Verify) (*Members, error) {
	if len(records) == 0 {
		return nil, ErrGenesis
	}
	m := &Members{
		verify: verify, raw: bytes.Clone(records[0]), winners: map[string]winner{}, unknown: map[[32]byte][]byte{},
	}
	if err := m.found(); err != nil {
		return nil, fmt.Errorf("open a space: %w", err)
	}
	for i, raw := range records[1:] {
		if _, err := m.Add(raw); err != nil {
			return nil, fmt.Errorf("open space %v: record %d of %d: %w", m.id, i+2, len(records), err)
		}
	}
	return m, nil
}

// found reads the genesis.
func (m *Members) found() error {
	if err := checkSize(m.raw); err != nil {
		return err
	}
	if m.raw[0] != codecByte {
		return ErrGenesis
	}
	e, err := open(m.raw)
	if err != nil {
		return err
	}
	if e.Kind != kindGenesis {
		return ErrGenesis
	}
	if err := unmarshal(e.Body, &m.genesis); err != nil {
		return err
	}
	if err := m.genesis.check(); err != nil {
		return err
	}
	if !m.verify(m.genesis.Owner, append([]byte(domainGenesis), e.Body...), e.Signature) {
		return ErrSignature
	}
	m.id = idOf(m.raw)
	return nil
}

// ID names the space.
func (m *Members) ID() ID { return m.id }

// Key is 32 bytes that only those know who have seen the genesis record: members, and everyone who was one. It keys what members tell
// each other in the sight of strangers, and opens nothing by itself.
func (m *Members) Key() [32]byte { return keyOf(m.raw) }

// Title is the name of the space.
func (m *Members) Title() string { return m.genesis.Name }

// Owner is the peer that made the space.
func (m *Members) Owner() string { return m.genesis.Owner }

// Role is what a peer may do; false, and Removed, for one who is not a member or not any more.
func (m *Members) Role(peer string) (Role, bool) {
	r := m.of(peer).Role
	return r, r != Removed
}

// Name is the name of a peer's device, also of one who was removed; empty when there is none.
func (m *Members) Name(peer string) string { return m.of(peer).Name }

// All are the members, and those who were, sorted by peer.
func (m *Members) All() iter.Seq[Member] {
	return func(yield func(Member) bool) {
		peers := slices.Collect(maps.Keys(m.winners))
		if _, ok := m.winners[m.genesis.Owner]; !ok {
			peers = append(peers, m.genesis.Owner)
		}
		slices.Sort(peers)
		for _, p := range peers {
			if !yield(m.of(p)) {
				return
			}
		}
	}
}

// of is what the records say about a peer, known or not.
func (m *Members) of(peer string) Member {
	if w, ok := m.winners[peer]; ok {
		return Member{Peer: peer, Name: w.Name, Role: w.Role, Number: w.Number, Since: time.Unix(w.Time, 0).UTC()}
	}
	if peer == m.genesis.Owner {
		return Member{Peer: peer, Role: Owner, Since: time.Unix(m.genesis.Time, 0).UTC()}
	}
	return Member{Peer: peer}
}

// SignMember makes the record that gives a peer a role, or takes all of them ([Removed]). Its number is one above the record that
// counts here. An empty name keeps the one there is. The record takes effect with [Members.Add]. The errors are [ErrIssuer],
// [ErrOwner], [*FormError] and those of the signer.
func (m *Members) SignMember(s Signer, peer, name string, role Role, at time.Time) ([]byte, error) {
	now := m.of(peer)
	r := member{
		Space: m.id, Subject: peer, Name: cmp.Or(name, now.Name), Role: role, Number: now.Number + 1, Issuer: s.ID(), Time: at.Unix(),
	}
	if err := m.allowed(r); err != nil {
		return nil, fmt.Errorf("decide about %.12s: %w", peer, err)
	}
	raw, err := sign(s, kindMember, domainMember, r)
	if err != nil {
		return nil, fmt.Errorf("sign a decision about %.12s: %w", peer, err)
	}
	return raw, nil
}

// allowed is the one place that says which records count: well-formed, of this space, from one who may issue them, and not against the
// owner.
func (m *Members) allowed(r member) error {
	if err := r.check(); err != nil {
		return err
	}
	switch {
	case r.Space != m.id:
		return ErrForeign
	case r.Issuer != m.genesis.Owner:
		return ErrIssuer
	case r.Subject == m.genesis.Owner && r.Role != Owner:
		return ErrOwner
	}
	return nil
}

// Add takes one record from wherever. changed says whether anything is different now: then the records are to be kept, and told to
// others. A record that is known, or outdone by another, changes nothing and is no error. Errors are verdicts on the record:
// [*FormError], [ErrForeign], [ErrIssuer], [ErrOwner] and [ErrSignature]; then nothing has changed.
func (m *Members) Add(raw []byte) (changed bool, err error) {
	if err := checkSize(raw); err != nil {
		return false, err
	}
	if raw[0] != codecByte {
		return m.keep(raw), nil
	}
	e, err := open(raw)
	switch {
	case err != nil:
		return false, err
	case bytes.Equal(raw, m.raw):
		return false, nil
	case e.Kind == kindGenesis:
		return false, ErrForeign
	case e.Kind != kindMember:
		return false, &FormError{Reason: "it is of a kind this version does not know"}
	}
	w := winner{raw: bytes.Clone(raw)}
	if err := unmarshal(e.Body, &w.member); err != nil {
		return false, err
	}
	if err := m.allowed(w.member); err != nil {
		return false, err
	}
	have, ok := m.winners[w.Subject]
	if ok && bytes.Equal(have.raw, raw) {
		return false, nil // verified before, and most that come have come before
	}
	if !m.verify(w.Issuer, append([]byte(domainMember), e.Body...), e.Signature) {
		return false, ErrSignature
	}
	if ok && !w.beats(have) {
		return false, nil
	}
	m.winners[w.Subject] = w
	return true, nil
}

// beats is a total order, so that every device picks the same: the higher number, then the removal, then the smaller bytes.
func (w winner) beats(o winner) bool {
	removal := func(r Role) int {
		if r == Removed {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(w.Number, o.Number), removal(w.Role)-removal(o.Role), bytes.Compare(o.raw, w.raw)) > 0
}

// keep holds a record of another codec for those who know it.
func (m *Members) keep(raw []byte) (changed bool) {
	sum := sha256.Sum256(raw)
	if _, ok := m.unknown[sum]; ok {
		return false
	}
	m.unknown[sum] = bytes.Clone(raw)
	if len(m.unknown) <= MaxUnknown {
		return true
	}
	last := slices.MaxFunc(slices.Collect(maps.Keys(m.unknown)), func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	delete(m.unknown, last)
	return last != sum
}

// Records are all records that matter, in an order that is the same on every device: the genesis, then the others by their bytes. The
// records must not be modified.
func (m *Members) Records() [][]byte {
	out := make([][]byte, 0, len(m.winners)+len(m.unknown))
	for _, w := range m.winners {
		out = append(out, w.raw)
	}
	out = slices.AppendSeq(out, maps.Values(m.unknown))
	slices.SortFunc(out, bytes.Compare)
	return append([][]byte{m.raw}, out...)
}

// Digest is a SHA-256 over the records: two devices with equal digests have nothing to tell each other about members.
func (m *Members) Digest() [32]byte {
	h := sha256.New()
	h.Write([]byte("tombolo space records 1\n"))
	for _, r := range m.Records() {
		h.Write(binary.AppendUvarint(nil, uint64(len(r))))
		h.Write(r)
	}
	return [32]byte(h.Sum(nil))
}
