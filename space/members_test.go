package space_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tombolo/space"
)

func Example() {
	genesis, err := space.SignGenesis(ada, "Home", [16]byte{1}, noon)
	if err != nil {
		panic(err)
	}
	m, err := space.Open([][]byte{genesis}, verify)
	if err != nil {
		panic(err)
	}
	record, err := m.SignMember(ada, bob.ID(), "Bob's phone", space.Writer, noon)
	if err != nil {
		panic(err)
	}
	changed, err := m.Add(record)
	role, ok := m.Role(bob.ID())
	fmt.Println(changed, err, role, ok, m.Name(bob.ID()))
	// Output: true <nil> writer true Bob's phone
}

func TestGenesis(t *testing.T) {
	m := home(t)
	wantRole(t, m, ada, space.Owner)
	wantRole(t, m, bob, space.Removed)
	if m.Title() != "Home" || m.Owner() != ada.ID() || m.Name(ada.ID()) != "" || len(m.Records()) != 1 {
		t.Errorf("%q of %q, %d records", m.Title(), m.Owner(), len(m.Records()))
	}
	other := must[[]byte](t)(space.SignGenesis(ada, "Home", [16]byte{2}, noon))
	n := must[*space.Members](t)(space.Open([][]byte{other}, verify))
	if m.ID() == n.ID() || m.Key() == n.Key() || m.Digest() == n.Digest() {
		t.Error("two spaces are the same")
	}
	if key, id := m.Key(), m.ID(); bytes.Equal(key[:16], id[:]) {
		t.Error("the ID gives half of the key away")
	}
}

func TestAGivenLife(t *testing.T) {
	m := home(t)
	give(t, m, bob, "Bob's phone", space.Reader)
	wantRole(t, m, bob, space.Reader)
	give(t, m, bob, "", space.Writer)
	wantRole(t, m, bob, space.Writer)
	give(t, m, bob, "", space.Removed)
	wantRole(t, m, bob, space.Removed)
	if m.Name(bob.ID()) != "Bob's phone" {
		t.Error("a removed device lost its name")
	}
	give(t, m, bob, "Bob's other phone", space.Owner)
	give(t, m, ada, "Ada's desk", space.Owner)
	want := []space.Member{
		{Peer: ada.ID(), Name: "Ada's desk", Role: space.Owner, Number: 1, Since: noon},
		{Peer: bob.ID(), Name: "Bob's other phone", Role: space.Owner, Number: 4, Since: noon},
	}
	slices.SortFunc(want, func(a, b space.Member) int { return strings.Compare(a.Peer, b.Peer) })
	if got := slices.Collect(m.All()); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	for range m.All() {
		break // an iterator may be left early
	}
}

// TestConverges makes the owner decide on several devices apart (a restored copy, a second program), and hands everything to two others
// in different orders, with repetitions.
func TestConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		devices := []*space.Members{home(t), home(t), home(t)}
		records := slices.Clone(devices[0].Records()[1:])
		for i := range rapid.IntRange(1, 20).Draw(t, "decisions") {
			m := rapid.SampledFrom(devices).Draw(t, "device")
			to := rapid.SampledFrom([]peer{bob, eve}).Draw(t, "subject")
			role := space.Role(rapid.IntRange(0, 3).Draw(t, "role"))
			records = append(records, give(t, m, to, fmt.Sprint("name ", i), role))
			if rapid.IntRange(0, 4).Draw(t, "later") == 0 {
				later := append([]byte{9}, rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "unknown")...)
				records = append(records, later)
			}
		}
		all, again := home(t), home(t)
		for _, r := range records {
			must[bool](t)(all.Add(r))
		}
		order := rapid.Permutation(slices.Concat(records, records)).Draw(t, "order")
		for _, r := range order {
			before := again.Digest()
			changed := must[bool](t)(again.Add(r))
			if changed != (before != again.Digest()) {
				t.Fatal("Add is wrong about whether something changed")
			}
		}
		reopened := must[*space.Members](t)(space.Open(all.Records(), verify))
		for _, m := range []*space.Members{again, reopened} {
			same := slices.EqualFunc(m.Records(), all.Records(), bytes.Equal) && slices.Equal(slices.Collect(m.All()), slices.Collect(all.All()))
			if m.Digest() != all.Digest() || !same {
				t.Fatal("two devices with the same records differ")
			}
		}
	})
}

// Two decisions with one number: removal wins, whichever came first.
func TestRemovalWinsTies(t *testing.T) {
	for _, first := range []int{0, 1} {
		a, b := home(t), home(t)
		records := [][]byte{give(t, a, bob, "", space.Writer), give(t, b, bob, "", space.Removed)}
		m := home(t)
		must[bool](t)(m.Add(records[first]))
		must[bool](t)(m.Add(records[1-first]))
		wantRole(t, m, bob, space.Removed)
	}
}

// A restored old copy counts from where it stood, so what it signs is outdone by what the others have.
func TestBackdatedIsOutdone(t *testing.T) {
	m, old := home(t), home(t)
	give(t, m, bob, "", space.Writer)
	give(t, m, bob, "", space.Removed)
	if changed, err := m.Add(give(t, old, bob, "", space.Owner)); changed || err != nil {
		t.Errorf("changed %v, %v", changed, err)
	}
	wantRole(t, m, bob, space.Removed)
}

func TestSignMemberRefuses(t *testing.T) {
	m := home(t)
	give(t, m, bob, "", space.Owner)
	broken := ada
	broken.fail = errors.New("the key is gone")
	for name, c := range map[string]struct {
		by      peer
		subject string
		device  string
		role    space.Role
		want    error // nil: a FormError
	}{
		"another owner":   {bob, eve.ID(), "", space.Writer, space.ErrIssuer},
		"mutual removal":  {bob, ada.ID(), "", space.Removed, space.ErrIssuer},
		"the last owner":  {ada, ada.ID(), "", space.Removed, space.ErrOwner},
		"a lesser owner":  {ada, ada.ID(), "", space.Writer, space.ErrOwner},
		"a broken signer": {broken, bob.ID(), "", space.Writer, broken.fail},
		"no subject":      {ada, "", "", space.Writer, nil},
		"long subject":    {ada, strings.Repeat("p", space.MaxPeer+1), "", space.Writer, nil},
		"long name":       {ada, bob.ID(), strings.Repeat("n", space.MaxName+1), space.Writer, nil},
		"control":         {ada, bob.ID(), "\x1b[2J", space.Writer, nil},
		"other direction": {ada, bob.ID(), "a\u202eb", space.Writer, nil},
		"not UTF-8":       {ada, bob.ID(), "\xff", space.Writer, nil},
		"no such role":    {ada, bob.ID(), "", 4, nil},
	} {
		_, err := m.SignMember(c.by, c.subject, c.device, c.role, noon)
		if c.want != nil && !errors.Is(err, c.want) || c.want == nil && !isForm(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := m.SignMember(ada, bob.ID(), "", space.Writer, noon.AddDate(1<<30, 0, 0)); !isForm(err) {
		t.Errorf("late time: %v", err)
	}
	if _, err := space.SignGenesis(broken, "Home", [16]byte{}, noon); !errors.Is(err, broken.fail) {
		t.Errorf("genesis by a broken signer: %v", err)
	}
	if _, err := space.SignGenesis(ada, "Ho\nme", [16]byte{}, noon); !isForm(err) {
		t.Errorf("genesis with a line break: %v", err)
	}
}

func TestRole(t *testing.T) {
	for _, r := range []space.Role{space.Reader, space.Writer, space.Owner} {
		if got, err := space.ParseRole(r.String()); err != nil || got != r {
			t.Errorf("%v reads as %v: %v", r, got, err)
		}
	}
	for _, s := range []string{"", "removed", "Owner", "admin"} {
		if _, err := space.ParseRole(s); err == nil {
			t.Errorf("%q was read", s)
		}
	}
	if s := space.Role(9).String(); s != "role 9" {
		t.Error(s)
	}
}

func TestID(t *testing.T) {
	id := home(t).ID()
	if got, err := space.ParseID(id.String()); err != nil || got != id {
		t.Errorf("%v: %v", got, err)
	}
	for _, s := range []string{"", id.String()[1:], id.String() + "a", strings.ToUpper(id.String()), id.String()[:25] + "b", strings.Repeat("1", 26)} {
		if _, err := space.ParseID(s); err == nil {
			t.Errorf("%q was read", s)
		}
	}
}
