package sealed

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	dataKeySize = 32
	idSize      = 16
	saltSize    = 16
)

var (
	// ErrNoSlot says that there is no slot of that number.
	ErrNoSlot = errors.New("sealed: no such slot; Slots lists them")
	// ErrLastSlot says that removing a slot would leave no way to the data.
	ErrLastSlot = errors.New("sealed: the only slot is not removed, since the data would be lost with it; add another first")
	// ErrTooManySlots says that no further slot fits.
	ErrTooManySlots = errors.New("sealed: 64 slots are taken; remove one first")
)

// Keys is a data key, unlocked, with its file. It gives New what seals records,
// and locks the data key under other secrets. Its methods may be called from
// several goroutines; two processes must not alter one file at a time. It
// prints as [hidden].
type Keys struct {
	path    string
	data    []byte
	id      []byte
	records records
	names   names
	tally   tagger

	mu   sync.Mutex
	file *fileRecord // as on disk
}

// Slot is one way to the data key.
type Slot struct {
	Num  uint64 // never given to another slot
	Kind Kind
}

// Create draws a data key, locks it under secrets, of which there is at least
// one, and writes it to dir, which is made when it is missing. A keys file that
// is there is never overwritten (fs.ErrExist). ErrWeak says that a passphrase
// is too short or its Cost too low.
func Create(dir string, secret Secret, more ...Secret) (*Keys, error) {
	k, err := newKeys(filepath.Join(dir, FileName), random(dataKeySize))
	if err != nil {
		return nil, fmt.Errorf("sealed: create keys: %w", err)
	}
	f := &fileRecord{ID: k.id, Next: 1}
	for _, s := range slices.Concat([]Secret{secret}, more) {
		if err := k.lock(f, s); err != nil {
			return nil, err
		}
	}
	data, err := f.encode()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sealed: create keys: %w", err)
	}
	if err := writeOnce(k.path, data); err != nil {
		return nil, fmt.Errorf("sealed: create keys: %w", err)
	}
	k.file = f
	return k, nil
}

// Open reads the keys file in dir and unlocks the data key. With a passphrase
// it takes as long as the Cost of its slot says, for each slot of that kind.
//
// Errors: ErrSecret for a secret that opens no slot, fs.ErrNotExist without a
// file, ErrKeysFile for one that does not read, *persist.TooNewError for one
// of a later version.
func Open(dir string, secret Secret) (*Keys, error) {
	path := filepath.Join(dir, FileName)
	f, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("sealed: open keys: %w; put the file back from a backup, without it the records cannot be read", err)
	}
	if err != nil {
		return nil, fmt.Errorf("sealed: open keys: %w", err)
	}
	data, _, err := f.unlock(secret)
	if err != nil {
		return nil, err
	}
	k, err := newKeys(path, data)
	if err != nil {
		return nil, fmt.Errorf("sealed: open keys: %w", err)
	}
	k.file = f
	return k, nil
}

// newKeys derives a subkey for each purpose, so that none is used for two.
func newKeys(path string, data []byte) (*Keys, error) {
	k := &Keys{path: path, data: data}
	var err error
	sub := func(purpose string, size int) []byte {
		key, e := hkdf.Expand(sha256.New, data, "tombolo sealed 1 "+purpose, size)
		err = errors.Join(err, e)
		return key
	}
	k.id = sub("id", idSize)
	k.names = names{mac: newTagger(sub("key mac", 32)), group: newTagger(sub("key group", 32)), stream: sub("key stream", 32)}
	k.tally = newTagger(sub("tally", 32))
	aead, e := newRecords(sub("records", chacha20poly1305.KeySize))
	k.records = aead
	return k, errors.Join(err, e)
}

// Slots lists the ways to the data key, the oldest first.
func (k *Keys) Slots() []Slot {
	k.mu.Lock()
	defer k.mu.Unlock()
	slots := make([]Slot, len(k.file.Slots))
	for i, s := range k.file.Slots {
		slots[i] = Slot{Num: s.Num, Kind: s.Kind}
	}
	return slots
}

// AddSlot locks the data key under a further secret and returns the number of
// the slot. Errors: ErrWeak, ErrTooManySlots, and what writing the file gives;
// after those of writing, Open tells whether the slot is there.
func (k *Keys) AddSlot(secret Secret) (num uint64, err error) {
	err = k.alter(func(f *fileRecord) error {
		num = f.Next
		return k.lock(f, secret)
	})
	return num, err
}

// RemoveSlot takes a slot away. A copy of the file from before still opens with
// its secret. Errors: ErrNoSlot, ErrLastSlot, and as with AddSlot.
func (k *Keys) RemoveSlot(num uint64) error {
	return k.alter(func(f *fileRecord) error {
		i := slices.IndexFunc(f.Slots, func(s slotRecord) bool { return s.Num == num })
		if i < 0 {
			return ErrNoSlot
		}
		if len(f.Slots) == 1 {
			return ErrLastSlot
		}
		f.Slots = slices.Delete(f.Slots, i, i+1)
		return nil
	})
}

// ChangePassphrase puts a slot for now in the place of the one that old opens,
// in one write; no record is written anew. Whoever has a copy of the file from
// before and knows the old passphrase can read the records still, and always:
// the data key stays. ErrSecret says that old opens nothing; others as with
// AddSlot.
func (k *Keys) ChangePassphrase(old, now Secret) error {
	return k.alter(func(f *fileRecord) error {
		if old.kind != KindPassphrase || now.kind != KindPassphrase {
			return errors.New("sealed: both secrets must be passphrases; use AddSlot and RemoveSlot for others")
		}
		_, i, err := f.unlock(old)
		if err != nil {
			return err
		}
		f.Slots = slices.Delete(f.Slots, i, i+1)
		return k.lock(f, now)
	})
}

// alter has change work on a copy of the file and writes it.
func (k *Keys) alter(change func(*fileRecord) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := *k.file
	f.Slots = slices.Clone(f.Slots)
	if err := change(&f); err != nil {
		return err
	}
	data, err := f.encode()
	if err != nil {
		return err
	}
	if err := replace(k.path, data); err != nil {
		return fmt.Errorf("sealed: write the keys file: %w", err)
	}
	k.file = &f
	return nil
}

// String keeps the key off terminals.
func (k *Keys) String() string { return "[hidden]" }

// GoString keeps %#v from printing the key.
func (k *Keys) GoString() string { return "[hidden]" }

// LogValue keeps the key out of logs.
func (k *Keys) LogValue() slog.Value { return slog.StringValue("[hidden]") }
