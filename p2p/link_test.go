package p2p_test

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tombolo/p2p"
)

var coding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// link packs a payload as Link does, so that tests can say anything.
func link(payload []byte) string {
	sum := sha256.Sum256(payload)
	return "tombolo://join#" + coding.EncodeToString(append(payload[:len(payload):len(payload)], sum[:4]...))
}

func payload(t testing.TB, s string) []byte {
	b, err := coding.DecodeString(strings.TrimPrefix(s, "tombolo://join#"))
	if err != nil {
		t.Fatal(err)
	}
	return b[:len(b)-4]
}

func sample(t testing.TB) p2p.Ticket {
	id, _ := newIdentity(t)
	return p2p.Ticket{
		Peer: id.ID(), Secret: p2p.Secret{1, 2, 3}, Space: [16]byte{4, 5}, Role: p2p.RoleWriter,
		Expires: time.Unix(1_800_000_000, 0).UTC(), Addrs: []string{"/ip4/192.168.1.5/tcp/4001"},
	}
}

func mustLink(t testing.TB, k p2p.Ticket) string {
	s, err := k.Link()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func same(a, b p2p.Ticket) bool {
	return a.Peer == b.Peer && a.Secret == b.Secret && a.Space == b.Space && a.Role == b.Role &&
		a.Expires.Equal(b.Expires) && strings.Join(a.Addrs, " ") == strings.Join(b.Addrs, " ")
}

func TestLinkRoundTrip(t *testing.T) {
	var ids []p2p.PeerID
	for range 3 {
		id, _ := newIdentity(t)
		ids = append(ids, id.ID())
	}
	rapid.Check(t, func(t *rapid.T) {
		want := p2p.Ticket{
			Peer:    rapid.SampledFrom(ids).Draw(t, "peer"),
			Role:    rapid.SampledFrom([]string{p2p.RoleWriter, p2p.RoleReader}).Draw(t, "role"),
			Expires: time.Unix(rapid.Int64Range(1, 1<<40).Draw(t, "expires"), 0),
			Addrs: rapid.SliceOfN(rapid.SampledFrom([]string{
				"/ip4/10.0.0.1/tcp/1", "/ip6/fd00::1/tcp/65535", "/dns4/host.example/tcp/4001", "/ip4/1.2.3.4/udp/9/quic-v1",
			}), 0, p2p.MaxTicketAddrs).Draw(t, "addrs"),
		}
		copy(want.Secret[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "secret"))
		copy(want.Space[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "space"))
		s, err := want.Link()
		if err != nil {
			t.Fatal(err)
		}
		// As a person would bring it: in capitals, with blanks and line breaks.
		at := rapid.IntRange(0, len(s)).Draw(t, "blank")
		for _, text := range []string{s, strings.ToUpper(s), " " + s[:at] + " \r\n\t" + s[at:] + "\n"} {
			got, err := p2p.ParseLink(text)
			if err != nil || !same(got, want) {
				t.Fatalf("%q: %+v, %v", text, got, err)
			}
		}
		// Any one wrong character is noticed.
		i := rapid.IntRange(len("tombolo://join#"), len(s)-1).Draw(t, "typo")
		typo := []byte(s)
		typo[i] = rapid.SampledFrom([]byte("abcdefghijklmnopqrstuvwxyz234567189!")).Filter(func(b byte) bool { return b != s[i] }).Draw(t, "char")
		if _, err := p2p.ParseLink(string(typo)); !errors.Is(err, p2p.ErrMistyped) {
			t.Fatalf("typo: %v", err)
		}
	})
}

func TestLinkErrors(t *testing.T) {
	for name, change := range map[string]func(*p2p.Ticket){
		"peer":       func(k *p2p.Ticket) { k.Peer = "nobody" },
		"hashed key": func(k *p2p.Ticket) { k.Peer = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N" },
		"role":       func(k *p2p.Ticket) { k.Role = "owner" },
		"expiry":     func(k *p2p.Ticket) { k.Expires = time.Time{} },
		"5 addrs":    func(k *p2p.Ticket) { k.Addrs = make([]string, 5) },
		"address":    func(k *p2p.Ticket) { k.Addrs = []string{"192.168.1.5:80"} },
		"long":       func(k *p2p.Ticket) { k.Addrs = []string{"/dns4/" + strings.Repeat("a", 300) + "/tcp/1"} },
		"other peer": func(k *p2p.Ticket) {
			other, _ := newIdentity(t)
			k.Addrs = []string{"/ip4/1.2.3.4/tcp/5/p2p/" + string(other.ID())}
		},
	} {
		k := sample(t)
		change(&k)
		if s, err := k.Link(); err == nil {
			t.Errorf("%s: %s", name, s)
		}
	}
}

func TestLinkDropsTheOwnersID(t *testing.T) {
	k := sample(t)
	plain := k.Addrs[0]
	k.Addrs[0] += "/p2p/" + string(k.Peer)
	if got, err := p2p.ParseLink(mustLink(t, k)); err != nil || got.Addrs[0] != plain {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestParseLinkErrors(t *testing.T) {
	good := mustLink(t, sample(t))
	raw := payload(t, good)
	with := func(at int, b ...byte) []byte {
		out := append([]byte(nil), raw...)
		copy(out[at:], b)
		return out
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"nothing":           {"", p2p.ErrNotLink},
		"another scheme":    {"https://example.com/" + good, p2p.ErrNotLink},
		"endless":           {good + strings.Repeat("a", 10000), p2p.ErrNotLink},
		"long":              {good + strings.Repeat("a", 2100), p2p.ErrNotLink},
		"half":              {good[:len(good)/2], p2p.ErrMistyped},
		"prefix only":       {"tombolo://join#", p2p.ErrMistyped},
		"alphabet":          {good + "!", p2p.ErrMistyped},
		"newer":             {link(append([]byte{2}, "whatever comes"...)), p2p.ErrNewer},
		"version 0":         {link(with(0, 0)), p2p.ErrNotLink},
		"too short":         {link(raw[:30]), p2p.ErrNotLink},
		"role":              {link(with(65, 9)), p2p.ErrNotLink},
		"expiry endless":    {link(with(66, 255, 255, 255, 255, 255, 255)), p2p.ErrNotLink},
		"expiry zero":       {link(with(66, 0)), p2p.ErrNotLink},
		"expiry padded":     {link(with(66, 0x81, 0)), p2p.ErrNotLink},
		"no address count":  {link(raw[:71]), p2p.ErrNotLink},
		"too many":          {link(with(71, 5)), p2p.ErrNotLink},
		"address missing":   {link(with(71, 2)), p2p.ErrNotLink},
		"address garbage":   {link(with(73, 255)), p2p.ErrNotLink},
		"address cut short": {link(raw[:len(raw)-1]), p2p.ErrNotLink},
		"left over":         {link(append(with(0, 1), 0)), p2p.ErrNotLink},
	} {
		if got, err := p2p.ParseLink(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestInviteDependsOnBoth(t *testing.T) {
	a, _ := newIdentity(t)
	b, _ := newIdentity(t)
	seen := map[p2p.PeerID]bool{}
	for _, inviter := range []p2p.PeerID{a.ID(), b.ID()} {
		for _, s := range []p2p.Secret{{1}, {2}} {
			id, err := p2p.Invite(s, inviter)
			if err != nil || seen[id] {
				t.Fatalf("%s, %v", id, err)
			}
			seen[id] = true
			if again, _ := p2p.Invite(s, inviter); again != id {
				t.Fatal("not the same twice")
			}
		}
	}
	if _, err := p2p.Invite(p2p.Secret{}, "nobody"); err == nil {
		t.Error("an inviter without a proper ID is accepted")
	}
}

// FuzzParseLink: no text crashes it, and what it takes is written back the same.
func FuzzParseLink(f *testing.F) {
	k := sample(f)
	good := mustLink(f, k)
	f.Add(good)
	k.Addrs = []string{"/ip6/fd00::1/tcp/1", "/dns4/a.example/tcp/2"}
	f.Add(mustLink(f, k))
	f.Add(strings.ToUpper(good))
	f.Add(link([]byte{2}))
	f.Add(string(payload(f, good))) // the fuzzer cannot guess a checksum
	f.Fuzz(func(t *testing.T, s string) {
		for _, text := range []string{s, link([]byte(s)), link(append([]byte{1}, s...))} {
			got, err := p2p.ParseLink(text)
			if err != nil {
				continue
			}
			again, err := got.Link()
			plain := strings.ToLower(strings.Join(strings.Fields(text), ""))
			if err != nil || again != plain {
				t.Fatalf("%q came back as %q, %v", text, again, err)
			}
		}
	})
}
