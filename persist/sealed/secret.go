package sealed

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// Kind says what a secret is. The numbers are on disk.
type Kind uint8

// The kinds of secrets.
const (
	KindKeyFile    Kind = 1
	KindPassphrase Kind = 2
	KindRecovery   Kind = 3
)

// String returns the kind in words.
func (k Kind) String() string {
	switch k {
	case KindKeyFile:
		return "key file"
	case KindPassphrase:
		return "passphrase"
	case KindRecovery:
		return "recovery key"
	}
	return fmt.Sprintf("secret of kind %d", uint8(k))
}

var (
	// ErrSecret says that a secret opens no slot.
	ErrSecret = errors.New("sealed: the secret does not fit; check it, or use another one (key file, passphrase, recovery key)")
	// ErrWeak says that a passphrase, or its Cost, is below the least allowed.
	ErrWeak = errors.New("sealed: too weak")
	// ErrRecoveryKey says that a text is no recovery key, or one mistyped.
	ErrRecoveryKey = errors.New("sealed: not a recovery key; it has 8 groups of 4 letters and digits, look for one mistyped")
)

// Sizes of secrets.
const (
	keyFileSize   = 32
	recoverySize  = 16 // bytes of a recovery key, all random
	recoveryCheck = 4  // bytes of its checksum
	MinPassphrase = 8  // bytes of a passphrase that is set, of any kind of character
)

// Cost says how much work it is to try one passphrase: the parameters of
// Argon2id (RFC 9106). They are stored with the slot, so Open ignores them. The
// zero value means what RFC 9106 recommends where memory is limited: 3 passes
// over 64 MiB in 4 threads, 0.1 to 0.3 s.
type Cost struct {
	Passes  uint32
	Memory  uint32 // KiB
	Threads uint8
}

// The bounds of Cost. The least is OWASP's; the most keeps an altered file from
// taking all memory or hours.
const (
	minPasses, maxPasses = 2, 64
	minMemory, maxMemory = 19 << 10, 2 << 20
)

func (c Cost) withDefaults() Cost {
	if c == (Cost{}) {
		return Cost{Passes: 3, Memory: 64 << 10, Threads: 4}
	}
	return c
}

func (c Cost) ok() bool {
	return c.Threads >= 1 && c.Passes >= minPasses && c.Passes <= maxPasses && c.Memory >= minMemory && c.Memory <= maxMemory
}

// Secret is what a data key is locked with. It prints as [hidden].
type Secret struct {
	kind  Kind
	bytes []byte
	cost  Cost // of a passphrase
}

// Kind returns what the secret is; zero for the zero Secret, which opens nothing.
func (s Secret) Kind() Kind { return s.kind }

// String keeps the secret off terminals.
func (s Secret) String() string { return s.kind.String() + " [hidden]" }

// GoString keeps %#v from printing the secret.
func (s Secret) GoString() string { return s.String() }

// LogValue keeps the secret out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Passphrase returns a secret that people remember. Its bytes count as they
// are: programs that take it on several systems bring it to one form of Unicode
// first. cost is for slots made with it.
func Passphrase(text string, cost Cost) Secret {
	return Secret{kind: KindPassphrase, bytes: []byte(text), cost: cost.withDefaults()}
}

// CreateKeyFile makes a key file, 32 random bytes with mode 0600, durably, and
// never over an existing file (fs.ErrExist). It protects as far as it is kept
// from the store: on another disk, or in what a service manager hands out.
func CreateKeyFile(path string) (Secret, error) {
	key := random(keyFileSize)
	if err := create(path, key); err != nil {
		return Secret{}, fmt.Errorf("sealed: write a key file: %w", err)
	}
	return Secret{kind: KindKeyFile, bytes: key}, nil
}

// KeyFile reads a key file. Errors: fs.ErrNotExist, and texts for a file that
// others can read or that is none.
func KeyFile(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return Secret{}, fmt.Errorf("sealed: read a key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Secret{}, fmt.Errorf("sealed: read a key file: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return Secret{}, fmt.Errorf("sealed: others can read the key file (mode %04o); run: chmod 600 %s", info.Mode().Perm(), path)
	}
	key, err := io.ReadAll(io.LimitReader(f, keyFileSize+1))
	if err != nil {
		return Secret{}, fmt.Errorf("sealed: read a key file: %w", err)
	}
	if len(key) != keyFileSize {
		return Secret{}, fmt.Errorf("sealed: %s is no key file, which has %d bytes; choose another", path, keyFileSize)
	}
	return Secret{kind: KindKeyFile, bytes: key}, nil
}

// NewRecoveryKey makes a secret of 128 random bits to be written down: show
// Text once, at set-up, and say that whoever has it can read everything.
func NewRecoveryKey() Secret { return Secret{kind: KindRecovery, bytes: random(recoverySize)} }

// Text returns a recovery key as people write it down, 8 groups of 4 letters
// and digits; for other kinds it returns "".
func (s Secret) Text() string {
	if s.kind != KindRecovery {
		return ""
	}
	text := base32.StdEncoding.EncodeToString(slices.Concat(s.bytes, recoverySum(s.bytes)))
	var groups []string
	for g := range slices.Chunk([]byte(text), 4) {
		groups = append(groups, string(g))
	}
	return strings.Join(groups, "-")
}

// RecoveryKey reads what Text wrote; case, spaces and dashes do not matter, and
// 0, 1 and 8 count as O, I and B. ErrRecoveryKey says that it does not add up.
func RecoveryKey(text string) (Secret, error) {
	text = strings.NewReplacer(" ", "", "-", "", "0", "O", "1", "I", "8", "B").Replace(strings.ToUpper(strings.TrimSpace(text)))
	key, err := base32.StdEncoding.DecodeString(text)
	if err != nil || len(key) != recoverySize+recoveryCheck {
		return Secret{}, ErrRecoveryKey
	}
	key, sum := key[:recoverySize], key[recoverySize:]
	if string(sum) != string(recoverySum(key)) {
		return Secret{}, ErrRecoveryKey
	}
	return Secret{kind: KindRecovery, bytes: key}, nil
}

func recoverySum(key []byte) []byte {
	sum := sha256.Sum256(append([]byte("tombolo recovery key 1|"), key...))
	return sum[:recoveryCheck]
}

// key returns the key that s gives with a slot's salt and cost.
func (s Secret) key(salt []byte, cost Cost) ([]byte, error) {
	if s.kind == KindPassphrase {
		return argon2.IDKey(s.bytes, salt, cost.Passes, cost.Memory, cost.Threads, chacha20poly1305.KeySize), nil
	}
	return hkdf.Key(sha256.New, s.bytes, salt, "tombolo sealed 1 "+s.kind.String(), chacha20poly1305.KeySize)
}

// check says whether a slot may be made with s.
func (s Secret) check() error {
	switch s.kind {
	case KindKeyFile, KindRecovery:
		return nil
	case KindPassphrase:
		if len(s.bytes) < MinPassphrase {
			return fmt.Errorf("%w: a passphrase of %d bytes; give it %d or more", ErrWeak, len(s.bytes), MinPassphrase)
		}
		if !s.cost.ok() {
			return fmt.Errorf("%w: Argon2id with %d passes over %d KiB in %d threads; take %d to %d passes over %d to %d KiB",
				ErrWeak, s.cost.Passes, s.cost.Memory, s.cost.Threads, minPasses, maxPasses, minMemory, maxMemory)
		}
		return nil
	}
	return errors.New("sealed: no secret; make one with Passphrase, KeyFile or NewRecoveryKey")
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: the process ends instead
	return b
}
