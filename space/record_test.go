package space_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"tombolo/space"
)

// forge spells a record out by hand, signed by p under a domain.
func forge(t failer, p peer, kind uint8, domain string, body any) []byte {
	t.Helper()
	mode := must[cbor.EncMode](t)(cbor.CoreDetEncOptions().EncMode())
	b, spelled := body.([]byte) // a body the encoder would not write
	if !spelled {
		b = must[[]byte](t)(mode.Marshal(body))
	}
	sig := must[[]byte](t)(p.Sign(append([]byte(domain), b...)))
	return append([]byte{1}, must[[]byte](t)(mode.Marshal([]any{kind, b, sig}))...)
}

const (
	genesisDomain = "tombolo space genesis 1\n"
	memberDomain  = "tombolo space member 1\n"
)

// row is the body of a member record.
func row(m *space.Members, subject, issuer peer, role, number uint64) []any {
	id := m.ID()
	return []any{id[:], subject.ID(), "name", role, number, issuer.ID(), noon.Unix()}
}

func TestAddRefuses(t *testing.T) {
	m, foreign := home(t), must[*space.Members](t)(space.Open([][]byte{must[[]byte](t)(space.SignGenesis(ada, "Other", [16]byte{9}, noon))}, verify))
	good := row(m, bob, ada, 2, 1)
	with := func(i int, v any) []any { r := slices.Clone(good); r[i] = v; return r }
	member := func(body any) []byte { return forge(t, ada, 2, memberDomain, body) }
	altered := member(good)
	altered[bytes.Index(altered, []byte("name"))] = 'N'
	for name, c := range map[string]struct {
		raw  []byte
		want error // nil: a FormError
	}{
		"nothing":             {nil, nil},
		"too long":            {append([]byte{9}, make([]byte, space.MaxRecord)...), nil},
		"garbage":             {[]byte("\x01garbage"), nil},
		"only a codec":        {[]byte{1}, nil},
		"trailing byte":       {append(member(good), 0), nil},
		"not shortest":        {longer(member(good)), nil},
		"unknown kind":        {forge(t, ada, 3, memberDomain, good), nil},
		"body of another":     {member([]any{"Home"}), nil},
		"field too many":      {member(append(slices.Clone(good), 1)), nil},
		"endless list":        {member([]byte{0x9f, 0xff}), nil},
		"tagged":              {member([]byte{0xc0, 0x01}), nil},
		"short space":         {member(with(0, []byte{1})), nil},
		"number 0":            {member(with(4, uint64(0))), nil},
		"number beyond":       {member(with(4, uint64(space.MaxNumber+1))), nil},
		"time beyond":         {member(with(6, int64(-1<<53-1))), nil},
		"no such role":        {member(with(3, uint64(4))), nil},
		"no issuer":           {member(with(5, "")), nil},
		"another genesis":     {foreign.Records()[0], space.ErrForeign},
		"another space":       {member(row(foreign, bob, ada, 2, 1)), space.ErrForeign},
		"issued by a member":  {forge(t, bob, 2, memberDomain, row(m, eve, bob, 2, 1)), space.ErrIssuer},
		"owner removed":       {member(row(m, ada, ada, 0, 1)), space.ErrOwner},
		"forged issuer":       {forge(t, eve, 2, memberDomain, good), space.ErrSignature},
		"signed as a genesis": {forge(t, ada, 2, genesisDomain, good), space.ErrSignature},
		"altered":             {altered, space.ErrSignature},
	} {
		before := m.Digest()
		changed, err := m.Add(c.raw)
		if changed || m.Digest() != before || c.want != nil && !errors.Is(err, c.want) || c.want == nil && !isForm(err) {
			t.Errorf("%s: changed %v, %v", name, changed, err)
		}
		if err != nil && err.Error() == "" {
			t.Errorf("%s: the error says nothing", name)
		}
	}
	if changed, err := m.Add(member(good)); !changed || err != nil {
		t.Errorf("the record that the others are made from: %v, %v", changed, err)
	}
	if _, err := m.Add(forge(t, eve, 2, memberDomain, good)); !errors.Is(err, space.ErrSignature) {
		t.Errorf("a forged record that says what is known: %v", err)
	}
	if changed, err := m.Add(m.Records()[0]); changed || err != nil {
		t.Errorf("the genesis again: %v, %v", changed, err)
	}
}

// longer spells the kind of a record in two bytes instead of one.
func longer(raw []byte) []byte {
	return append([]byte{raw[0], raw[1], 0x18, raw[2]}, raw[3:]...)
}

func TestSignMemberRunsOutOfNumbers(t *testing.T) {
	m := home(t)
	must[bool](t)(m.Add(forge(t, ada, 2, memberDomain, row(m, bob, ada, 2, space.MaxNumber))))
	if _, err := m.SignMember(ada, bob.ID(), "", space.Removed, noon); !isForm(err) {
		t.Errorf("got %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	m := home(t)
	genesis := m.Records()[0]
	record := give(t, m, bob, "", space.Writer)
	body := []any{"Home", ada.ID(), make([]byte, 16), noon.Unix()}
	with := func(i int, v any) []any { r := slices.Clone(body); r[i] = v; return r }
	flipped := slices.Clone(genesis)
	flipped[len(flipped)-1] ^= 1
	for name, c := range map[string]struct {
		records [][]byte
		want    error // nil: a FormError
	}{
		"nothing":          {nil, space.ErrGenesis},
		"no genesis":       {[][]byte{record, genesis}, space.ErrGenesis},
		"unknown codec":    {[][]byte{{9, 9}}, space.ErrGenesis},
		"empty record":     {[][]byte{{}}, nil},
		"garbage":          {[][]byte{[]byte("\x01garbage")}, nil},
		"flipped bit":      {[][]byte{flipped}, space.ErrSignature},
		"forged":           {[][]byte{forge(t, eve, 1, genesisDomain, body)}, space.ErrSignature},
		"signed as member": {[][]byte{forge(t, ada, 1, memberDomain, body)}, space.ErrSignature},
		"other body":       {[][]byte{forge(t, ada, 1, genesisDomain, []any{1})}, nil},
		"short nonce":      {[][]byte{forge(t, ada, 1, genesisDomain, with(2, []byte{1}))}, nil},
		"no owner":         {[][]byte{forge(t, ada, 1, genesisDomain, with(1, ""))}, nil},
		"time beyond":      {[][]byte{forge(t, ada, 1, genesisDomain, with(3, int64(1<<53+1)))}, nil},
		"a bad record":     {[][]byte{genesis, record, flipped}, space.ErrForeign},
		"a damaged record": {[][]byte{genesis, record[:len(record)-1]}, nil},
	} {
		if _, err := space.Open(c.records, verify); c.want != nil && !errors.Is(err, c.want) || c.want == nil && !isForm(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Records of later versions are kept and handed on; when there are too many, every device keeps the same.
func TestUnknownCodec(t *testing.T) {
	a, b := home(t), home(t)
	var records [][]byte
	for i := range space.MaxUnknown + 50 {
		records = append(records, []byte{2, byte(i), byte(i >> 8)})
	}
	for i := range records {
		must[bool](t)(a.Add(records[i]))
		must[bool](t)(b.Add(records[len(records)-1-i]))
	}
	if changed := must[bool](t)(a.Add(slices.Clone(a.Records()[1]))); changed {
		t.Error("a known record changed something")
	}
	if a.Digest() != b.Digest() || len(a.Records()) != 1+space.MaxUnknown {
		t.Errorf("%d and %d records, or not the same", len(a.Records()), len(b.Records()))
	}
	if n := len(slices.Collect(a.All())); n != 1 {
		t.Errorf("unknown records made %d members", n)
	}
}

// What Add is given stays the caller's.
func TestAddCopies(t *testing.T) {
	m := home(t)
	for _, raw := range [][]byte{must[[]byte](t)(m.SignMember(ada, bob.ID(), "", space.Writer, noon)), {7, 7, 7}} {
		must[bool](t)(m.Add(raw))
		want := m.Digest()
		clear(raw)
		if m.Digest() != want {
			t.Error("the records changed from outside")
		}
	}
}

// FuzzAdd: no record makes Add panic, the owner stays, and what was taken can be opened again. Every signature counts as right here,
// so the fuzzer gets to what lies behind it.
func FuzzAdd(f *testing.F) {
	yes := func(string, []byte, []byte) bool { return true }
	m := home(f)
	genesis := m.Records()[0]
	f.Add(genesis)
	f.Add(give(f, m, bob, "Bob's phone", space.Writer))
	f.Add(give(f, m, bob, "", space.Removed))
	f.Add([]byte{9, 1, 2, 3})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := space.Open([][]byte{raw}, yes); err == nil && raw[0] != 1 {
			t.Fatal("a space was founded by an unknown codec")
		}
		m := must[*space.Members](t)(space.Open([][]byte{genesis}, yes))
		changed, err := m.Add(raw)
		if changed && err != nil {
			t.Fatalf("changed, and yet %v", err)
		}
		wantRole(t, m, ada, space.Owner)
		if again, err := m.Add(raw); changed && (again || err != nil) {
			t.Fatalf("the second time: %v, %v", again, err)
		}
		if o := must[*space.Members](t)(space.Open(m.Records(), yes)); o.Digest() != m.Digest() {
			t.Fatal("opened again, it is another space")
		}
	})
}
