package space

import (
	"bytes"
	"cmp"
	"errors"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// Limits of one record. There is none on the number of members: only the owner makes them.
const (
	MaxRecord = 4096    // bytes of a record, also of one that is not understood
	MaxName   = 128     // bytes of a name, of a space or a device
	MaxPeer   = 128     // bytes of a peer ID
	MaxNumber = 1 << 53 // the highest number of a record; SignMember counts up by one
	maxTime   = 1 << 53 // seconds before or after 1970
)

const codecByte = 1

// The kinds of record, and what their signatures begin with so that none can be taken for another.
const (
	kindGenesis   = 1
	kindMember    = 2
	domainGenesis = "tombolo space genesis 1\n"
	domainMember  = "tombolo space member 1\n"
)

var (
	// ErrSignature is the verdict on a record that its issuer did not sign, or that was altered since.
	ErrSignature = errors.New("space: the signature of the record is wrong; get the records from another member")

	// ErrForeign is the verdict on a record of another space.
	ErrForeign = errors.New("space: the record belongs to another space; give it to that one")

	// ErrIssuer is the verdict on a record about members that somebody else than the owner issued.
	ErrIssuer = errors.New("space: only the owner of the space decides about members; ask on the device that made the space")

	// ErrOwner is the verdict on a record that would take the space from its owner.
	ErrOwner = errors.New("space: the owner of the space stays its owner, for nobody else could let anyone in; make a new space instead")

	// ErrGenesis says that a list of records does not begin with the genesis of a space.
	ErrGenesis = errors.New("space: the records do not begin with the genesis of a space; get all records from a member")
)

// FormError is the verdict on bytes that are not a record, or say what no record may say.
type FormError struct {
	Reason string // what is wrong, for a person
}

// Error says what is wrong with the form.
func (e *FormError) Error() string {
	return "space: malformed record: " + e.Reason + "; get the records from another member"
}

// Signer is a peer that can sign, usually this device.
type Signer interface {
	// ID is the text of the signer's peer ID.
	ID() string
	// Sign signs a message with the key that belongs to ID.
	Sign(msg []byte) ([]byte, error)
}

// Verify says whether sig is the signature of a peer under msg. Both come from strangers: it answers false to whatever it cannot read.
type Verify func(peer string, msg, sig []byte) bool

// envelope is a record after its codec byte.
type envelope struct {
	_         struct{} `cbor:",toarray"`
	Kind      uint8
	Body      []byte
	Signature []byte
}

// genesis founds a space. Its signed record is what the space's ID is made of.
type genesis struct {
	_     struct{} `cbor:",toarray"`
	Name  string
	Owner string
	Nonce [16]byte
	Time  int64 // seconds since 1970, as the owner says; decides nothing
}

// member says what one peer may do from now on.
type member struct {
	_       struct{} `cbor:",toarray"`
	Space   ID
	Subject string
	Name    string // of the subject's device
	Role    Role
	Number  uint64 // of the subject's records, from 1; the highest counts
	Issuer  string
	Time    int64 // as in genesis
}

// encode and decode are CBOR in the one form a value has.
var (
	encode = must(cbor.CoreDetEncOptions().EncMode())
	decode = must(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		MaxNestedLevels: 4, MaxArrayElements: 16, MaxMapPairs: 16,
	}.DecMode())
)

func must[T any](mode T, err error) T {
	if err != nil {
		panic("space: the CBOR library refuses our options: " + err.Error())
	}
	return mode
}

// marshal encodes one of our own types, which never fails.
func marshal(v any) []byte { return must(encode.Marshal(v)) }

// unmarshal reads b into v and refuses every spelling but the one that marshal gives.
func unmarshal(b []byte, v any) error {
	if err := decode.Unmarshal(b, v); err != nil || !bytes.Equal(marshal(v), b) {
		return &FormError{Reason: "it is not in the form this version writes"}
	}
	return nil
}

// sign makes a record of a body.
func sign(s Signer, kind uint8, domain string, body any) ([]byte, error) {
	b := marshal(body)
	sig, err := s.Sign(append([]byte(domain), b...))
	if err != nil {
		return nil, err
	}
	return append([]byte{codecByte}, marshal(envelope{Kind: kind, Body: b, Signature: sig})...), nil
}

// open takes a record of our codec apart. The size was checked before.
func open(raw []byte) (envelope, error) {
	var e envelope
	return e, unmarshal(raw[1:], &e)
}

// checkSize refuses what is not worth looking at.
func checkSize(raw []byte) error {
	if len(raw) == 0 || len(raw) > MaxRecord {
		return &FormError{Reason: "its size is " + strconv.Itoa(len(raw)) + " bytes, 1 to " + strconv.Itoa(MaxRecord) + " are allowed"}
	}
	return nil
}

func (g genesis) check() error {
	return cmp.Or(checkText("the space's name", g.Name, 0, MaxName), checkText("the owner", g.Owner, 1, MaxPeer), checkTime(g.Time))
}

func (m member) check() error {
	var number error
	if m.Number == 0 || m.Number > MaxNumber {
		number = &FormError{Reason: "its number is out of range"}
	}
	var role error
	if m.Role > Owner {
		role = &FormError{Reason: "it names a role there is not"}
	}
	return cmp.Or(checkText("the member", m.Subject, 1, MaxPeer), checkText("the device's name", m.Name, 0, MaxName),
		checkText("the issuer", m.Issuer, 1, MaxPeer), checkTime(m.Time), number, role)
}

// checkText admits what can be shown in one line: names come from others and end up on terminals.
func checkText(what, s string, shortest, longest int) error {
	if len(s) < shortest || len(s) > longest {
		return &FormError{Reason: what + " has " + strconv.Itoa(len(s)) + " bytes, " + strconv.Itoa(shortest) + " to " + strconv.Itoa(longest) + " are allowed"}
	}
	if !utf8.ValidString(s) {
		return &FormError{Reason: what + " is not UTF-8"}
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return &FormError{Reason: what + " holds control characters"}
		}
	}
	return nil
}

func checkTime(seconds int64) error {
	if seconds > maxTime || seconds < -maxTime {
		return &FormError{Reason: "its time is out of range"}
	}
	return nil
}
