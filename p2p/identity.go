package p2p

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/crypto/pb"
)

// ErrNoIdentity says that there is no identity file yet: call CreateIdentity.
var ErrNoIdentity = errors.New("p2p: no identity yet; run init first")

// ErrBrokenIdentity says that the identity file is there but cannot be used. It
// is never replaced silently, because every other device knows this one by it.
var ErrBrokenIdentity = errors.New("p2p: the identity file is damaged; 'peer doctor --repair' puts back the copy of it, or restore it from a backup")

// Identity is the Ed25519 key that other devices know this one by. It prints as
// its public ID and never as its key. Safe for use by several goroutines.
type Identity struct {
	key ed25519.PrivateKey
	id  PeerID
}

// LoadIdentity reads the identity at path: ErrNoIdentity when nothing is there,
// ErrBrokenIdentity when it does not hold one whole key, and an error naming
// the remedy when others may read it (its mode must be 0600 or stricter;
// Windows, which has no such modes, is not checked).
func LoadIdentity(path string) (*Identity, error) { return LoadHidden(path, plain) }

// CreateIdentity makes a new identity from 32 bytes of rand and writes it to
// path with mode 0600, durably: temporary file, fsync, link into place, fsync
// of the directory. An existing file is never overwritten (fs.ErrExist).
func CreateIdentity(path string, rand io.Reader) (*Identity, error) {
	return CreateHidden(path, rand, plain)
}

func plain(data []byte) ([]byte, error) { return data, nil }

// LoadHidden is LoadIdentity for a file whose bytes reveal turns back into what
// CreateHidden gave to hide. The errors of reveal come back as they are.
func LoadHidden(path string, reveal func([]byte) ([]byte, error)) (*Identity, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (looked at %s)", ErrNoIdentity, path)
	}
	if err != nil {
		return nil, fmt.Errorf("p2p: open the identity: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("p2p: identity: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a file", ErrBrokenIdentity, path)
	}
	if runtime.GOOS != "windows" && st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("p2p: others can read the identity (mode %04o); run: chmod 600 %s", st.Mode().Perm(), path)
	}
	// A key file has 68 bytes, hidden some more; a bound keeps a wrong path from filling memory.
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return nil, fmt.Errorf("p2p: read the identity: %w", err)
	}
	if data, err = reveal(data); err != nil {
		return nil, fmt.Errorf("p2p: read the identity in %s: %w", path, err)
	}
	id, err := unmarshalIdentity(data)
	if err != nil {
		return nil, fmt.Errorf("%w (%s: %w)", ErrBrokenIdentity, path, err)
	}
	return id, nil
}

// CreateHidden is CreateIdentity for a file that holds what hide makes of the
// key's bytes.
func CreateHidden(path string, rand io.Reader, hide func([]byte) ([]byte, error)) (*Identity, error) {
	// The seed is read here because ed25519.GenerateKey no longer promises to
	// use the reader it is given (Go 1.26 release notes, crypto).
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, fmt.Errorf("p2p: draw a key: %w", err)
	}
	id, err := identityFromSeed(seed)
	if err != nil {
		return nil, err
	}
	priv, err := id.libp2p()
	if err != nil {
		return nil, err
	}
	data, err := crypto.MarshalPrivateKey(priv)
	if err != nil {
		return nil, fmt.Errorf("p2p: encode the identity: %w", err)
	}
	if data, err = hide(data); err != nil {
		return nil, fmt.Errorf("p2p: encode the identity: %w", err)
	}
	if err := writeOnce(path, data); err != nil {
		return nil, fmt.Errorf("p2p: write the identity: %w", err)
	}
	return id, nil
}

// ID returns the public name of the identity.
func (id *Identity) ID() PeerID { return id.id }

// Sign signs msg. The same key authenticates connections, so msg must begin
// with a text that says what is signed and that nothing else begins with.
func (id *Identity) Sign(msg []byte) ([]byte, error) {
	return ed25519.Sign(id.key, msg), nil
}

// String returns the public ID, so that a stray %v prints no key. It and the
// next two are methods of the value, because a pointer's do not guard %v of *id.
func (id Identity) String() string { return string(id.id) }

// GoString keeps %#v from printing the key.
func (id Identity) GoString() string { return "p2p.Identity(" + string(id.id) + ")" }

// LogValue keeps the key out of logs.
func (id Identity) LogValue() slog.Value { return slog.StringValue(string(id.id)) }

// libp2p returns the key in the library's own type.
func (id *Identity) libp2p() (crypto.PrivKey, error) {
	return crypto.UnmarshalEd25519PrivateKey(id.key)
}

// identityFromSeed derives the key pair; seed must have 32 bytes.
func identityFromSeed(seed []byte) (*Identity, error) {
	key := ed25519.NewKeyFromSeed(seed)
	raw, err := idOf(key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	return &Identity{key: key, id: PeerID(raw.String())}, nil
}

// unmarshalIdentity reads libp2p's encoding and checks that the public half
// belongs to the seed, which the library does not: a flipped bit would give a
// key whose signatures nobody accepts.
func unmarshalIdentity(data []byte) (*Identity, error) {
	priv, err := crypto.UnmarshalPrivateKey(data)
	if err != nil {
		return nil, errors.New("it holds no key")
	}
	if priv.Type() != pb.KeyType_Ed25519 {
		return nil, errors.New("not an Ed25519 key")
	}
	key, err := priv.Raw()
	if err != nil {
		return nil, err
	}
	id, err := identityFromSeed(key[:ed25519.SeedSize])
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(id.key, key) {
		return nil, errors.New("the two halves of the key do not belong together")
	}
	return id, nil
}

// writeOnce puts data at path unless something is there. Linking, unlike
// renaming, fails when the name is taken, so two programs cannot race.
func writeOnce(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".identity-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, werr := f.Write(data)
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	if runtime.GOOS == "windows" { // a directory cannot be synced there
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
