package p2p_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"

	"tombolo/p2p"
)

func TestIdentityIsKept(t *testing.T) {
	id, file := newIdentity(t)
	again, err := p2p.LoadIdentity(file)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() != id.ID() {
		t.Errorf("%s became %s", id.ID(), again.ID())
	}
	if st, err := os.Stat(file); err != nil || st.Mode() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestIdentityHidden(t *testing.T) {
	file := filepath.Join(t.TempDir(), "identity.key")
	turn := func(b []byte) ([]byte, error) {
		b = bytes.Clone(b)
		for i := range b {
			b[i] ^= 0xff
		}
		return b, nil
	}
	refuse := errors.New("no key")
	fail := func([]byte) ([]byte, error) { return nil, refuse }
	if _, err := p2p.CreateHidden(file, rand.Reader, fail); !errors.Is(err, refuse) {
		t.Errorf("CreateHidden: %v", err)
	}
	if _, err := p2p.LoadHidden(file, turn); !errors.Is(err, p2p.ErrNoIdentity) {
		t.Errorf("LoadHidden without a file: %v", err)
	}
	id, err := p2p.CreateHidden(file, rand.Reader, turn)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := p2p.LoadHidden(file, turn); err != nil || again.ID() != id.ID() {
		t.Errorf("LoadHidden: %v, %v", again, err)
	}
	if _, err := p2p.LoadHidden(file, fail); !errors.Is(err, refuse) {
		t.Errorf("LoadHidden: %v", err)
	}
	if _, err := p2p.LoadIdentity(file); !errors.Is(err, p2p.ErrBrokenIdentity) {
		t.Errorf("LoadIdentity of a hidden one: %v", err)
	}
}

func TestIdentityIsNeverOverwritten(t *testing.T) {
	_, file := newIdentity(t)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p2p.CreateIdentity(file, rand.Reader); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second CreateIdentity: %v", err)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file changed (%v)", err)
	}
}

func TestCreateIdentityErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := p2p.CreateIdentity(filepath.Join(dir, "x"), strings.NewReader("short")); err == nil {
		t.Error("a reader without enough bytes is accepted")
	}
	if _, err := p2p.CreateIdentity(filepath.Join(dir, "no", "x"), rand.Reader); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestLoadIdentityErrors(t *testing.T) {
	_, file := newIdentity(t)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[10] ^= 1 // in the seed
	rsa, _, err := crypto.GenerateSecp256k1Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := crypto.MarshalPrivateKey(rsa)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty": {}, "cut short": good[:40], "bit flipped": flipped, "text": []byte("hello"), "another kind of key": other,
	} {
		path := filepath.Join(t.TempDir(), "identity")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := p2p.LoadIdentity(path); !errors.Is(err, p2p.ErrBrokenIdentity) {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, data) {
			t.Errorf("%s: the file was touched", name)
		}
	}
	if _, err := p2p.LoadIdentity(t.TempDir()); !errors.Is(err, p2p.ErrBrokenIdentity) {
		t.Errorf("directory: %v", err)
	}
	if _, err := p2p.LoadIdentity(filepath.Join(t.TempDir(), "x")); !errors.Is(err, p2p.ErrNoIdentity) {
		t.Errorf("missing: %v", err)
	}
	if _, err := p2p.LoadIdentity(filepath.Join(file, "below")); err == nil || errors.Is(err, p2p.ErrNoIdentity) {
		t.Errorf("path through a file: %v", err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := p2p.LoadIdentity(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("too open: %v", err)
	}
}

func TestSignatures(t *testing.T) {
	a, _ := newIdentity(t)
	b, _ := newIdentity(t)
	sig, err := a.Sign([]byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	if !p2p.Verify(a.ID(), []byte("message"), sig) {
		t.Error("a good signature is refused")
	}
	for name, ok := range map[string]bool{
		"another message": p2p.Verify(a.ID(), []byte("massage"), sig),
		"another signer":  p2p.Verify(b.ID(), []byte("message"), sig),
		"no signature":    p2p.Verify(a.ID(), []byte("message"), nil),
		"no peer":         p2p.Verify("nobody", []byte("message"), sig),
		"a hashed key":    p2p.Verify("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", []byte("message"), sig),
	} {
		if ok {
			t.Errorf("%s verifies", name)
		}
	}
}

func TestKeysAndSecretsArePrintedNowhere(t *testing.T) {
	id, file := newIdentity(t)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	seed := data[4:36]
	ticket := p2p.Ticket{Peer: id.ID(), Secret: p2p.Secret(seed[:16])}
	var out strings.Builder
	for _, v := range []any{id, *id, ticket, &ticket, ticket.Secret} {
		fmt.Fprintf(&out, "%v %+v %#v %s\n", v, v, v, v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
	}
	text := out.String()
	for _, sep := range []string{"%d %d %d", "%d,%d,%d", "%02x%02x%02x", "%02X%02X%02X", "%#x, %#x, %#x", "%c%c%c"} {
		if key := fmt.Sprintf(sep, seed[0], seed[1], seed[2]); strings.Contains(text, key) {
			t.Errorf("the key can be read as %s", sep)
		}
	}
	if strings.Contains(text, string(seed[:3])) {
		t.Error("the key can be read")
	}
}

func TestPeerIDs(t *testing.T) {
	id, _ := newIdentity(t)
	if got, err := p2p.ParsePeerID(string(id.ID())); err != nil || got != id.ID() {
		t.Errorf("%s, %v", got, err)
	}
	for _, bad := range []string{"", "hello", "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"} {
		if got, err := p2p.ParsePeerID(bad); err == nil {
			t.Errorf("%q is taken for %s", bad, got)
		}
	}
	if got := id.ID().Short(); len(got) != 8 || !strings.HasSuffix(string(id.ID()), got) {
		t.Errorf("short form %q", got)
	}
	if got := p2p.PeerID("x").Short(); got != "x" {
		t.Errorf("short form of a short one: %q", got)
	}
}
