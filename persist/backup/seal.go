package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"strings"

	"filippo.io/age"
)

// workFactor is the logarithm of scrypt's cost for a passphrase: a second and
// 256 MiB, as the age program has it.
var workFactor = 18

// maxWorkFactor is the highest that is read: 1 GiB.
const maxWorkFactor = 20

// MinPassphrase is the fewest bytes of a passphrase that Seal takes.
const MinPassphrase = 8

// Intro is how every sealed archive begins, as every file of age.
const Intro = "age-encryption.org/v1\n"

// Key closes archives and opens them: a passphrase, or keys of age.
type Key struct {
	Passphrase []byte   // for both directions; without Recipients and Identities
	Recipients []string // to close: public keys, "age1…"; each of them opens it
	Identities []string // to open: secret keys, "AGE-SECRET-KEY-…"; one that fits is enough
}

// String keeps a stray %v from printing the key.
func (k Key) String() string { return "[hidden]" }

// GoString keeps %#v from printing the key.
func (k Key) GoString() string { return "backup.Key{[hidden]}" }

// LogValue keeps the key out of logs.
func (k Key) LogValue() slog.Value { return slog.StringValue("[hidden]") }

// Seal gives a writer that encrypts for k into w. The archive is whole when
// Close has returned nil; w stays open.
func Seal(w io.Writer, k Key) (io.WriteCloser, error) {
	recipients, err := k.recipients()
	if err != nil {
		return nil, fmt.Errorf("seal a backup: %w", err)
	}
	sealed, err := age.Encrypt(w, recipients...)
	if err != nil {
		return nil, fmt.Errorf("seal a backup: %w", err)
	}
	return sealed, nil
}

// recipients are who can open an archive.
func (k Key) recipients() ([]age.Recipient, error) {
	switch {
	case len(k.Passphrase) > 0 && len(k.Recipients) > 0:
		return nil, errors.New("it is sealed by a passphrase or for recipients: give one of the two")
	case len(k.Passphrase) > 0 && len(k.Passphrase) < MinPassphrase:
		return nil, fmt.Errorf("a passphrase of %d bytes is too weak for a file that may lie anywhere; give it %d or more", len(k.Passphrase), MinPassphrase)
	case len(k.Passphrase) > 0:
		r, err := age.NewScryptRecipient(string(k.Passphrase))
		if err != nil {
			return nil, err
		}
		r.SetWorkFactor(workFactor)
		return []age.Recipient{r}, nil
	case len(k.Recipients) == 0:
		return nil, errors.New("it needs a passphrase, or a recipient age1…")
	}
	var out []age.Recipient
	for _, s := range k.Recipients {
		r, err := age.ParseX25519Recipient(s)
		if err != nil {
			return nil, fmt.Errorf("recipient %q is no public key of age; copy it again, it begins with age1", s)
		}
		out = append(out, r)
	}
	return out, nil
}

// Unseal gives what Seal was given, byte for byte as far as it is authentic.
// Errors: ErrKey, ErrNotBackup for a file that is not age's, and those of r.
// A file that is damaged further on shows when that is read.
func Unseal(r io.Reader, k Key) (io.Reader, error) {
	identities, err := k.identities()
	if err != nil {
		return nil, fmt.Errorf("open a backup: %w", err)
	}
	in := bufio.NewReader(r)
	first, err := in.Peek(len(Intro))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("open a backup: %w", err)
	}
	if string(first) != Intro {
		return nil, fmt.Errorf("open a backup: %w", ErrNotBackup)
	}
	plain, err := age.Decrypt(in, identities...)
	if err == nil {
		return plain, nil
	}
	if _, wrong := errors.AsType[*age.NoIdentityMatchError](err); wrong {
		err = ErrKey
	} else {
		err = damaged(err)
	}
	return nil, fmt.Errorf("open a backup: %w", err)
}

// identities are what may open an archive.
func (k Key) identities() ([]age.Identity, error) {
	var out []age.Identity
	if len(k.Passphrase) > 0 {
		s, err := age.NewScryptIdentity(string(k.Passphrase))
		if err != nil {
			return nil, err
		}
		s.SetMaxWorkFactor(maxWorkFactor)
		out = append(out, s)
	}
	for _, s := range k.Identities {
		more, err := age.ParseIdentities(strings.NewReader(s))
		if err != nil {
			return nil, errors.New("an identity cannot be read: it begins with AGE-SECRET-KEY-1") // err may quote it
		}
		out = append(out, more...)
	}
	if len(out) == 0 {
		return nil, errors.New("it needs the passphrase, or the secret key of a recipient")
	}
	return out, nil
}

// transport reports whether reading failed and not what was read.
func transport(err error) bool {
	_, path := errors.AsType[*fs.PathError](err)
	_, network := errors.AsType[net.Error](err)
	return path || network || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
