package sealed

import (
	"bytes"
	"cmp"
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
	ErrLastSlot = errors.New("sealed: the only secret is not removed, since the data would be lost with it; add another first")
	// ErrTooManySlots says that no further slot fits.
	ErrTooManySlots = errors.New("sealed: 64 slots are taken; remove one first")
	// ErrOtherKeys says that the keys file was replaced by that of another data key.
	ErrOtherKeys = errors.New("sealed: the keys file belongs to another store now; put back the one that was there")
)

// Keys is a data key, unlocked, with its file. It gives New what seals records,
// and locks the data key under other secrets. Its methods may be called from
// several goroutines, and of several processes: whoever alters the file reads it
// again first, and they take turns where the system has flock. It prints as
// [hidden].
type Keys struct {
	path    string
	data    []byte
	id      []byte
	records records
	names   names
	tally   tagger

	hidden    records // what is kept beside the store
	hiddenMAC tagger

	mu      sync.Mutex
	problem error       // see Problem
	file    *fileRecord // as it was on disk when it was read or written last
}

// Slot is one way to the data key.
type Slot struct {
	Num  uint64 // never given to another slot
	Kind Kind
}

// Create draws a data key, locks it under secrets, of which there is at least
// one, and writes it and a copy to dir, which is made when it is missing. A keys file that
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
	copied := filepath.Join(dir, CopyName)
	if _, err := os.Lstat(copied); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("sealed: create keys: there is a copy of earlier ones, %s: %w", copied, cmp.Or(err, fs.ErrExist))
	}
	if err := writeOnce(k.path, data); err != nil {
		return nil, fmt.Errorf("sealed: create keys: %w", err)
	}
	k.problem = replace(copied, data) // Mend tries again
	k.file = f
	return k, nil
}

// Open reads the keys file in dir, or its copy where that does not read (see
// Problem), and unlocks the data key. It writes nothing. With a passphrase
// it takes as long as the Cost of its slot says, for each slot of that kind.
//
// Errors: ErrSecret for a secret that opens no slot, fs.ErrNotExist without a
// file, ErrKeysFile for one that does not read, *persist.TooNewError for one
// of a later version.
func Open(dir string, secret Secret) (*Keys, error) {
	f, problem, err := load(dir)
	if err != nil {
		return nil, err
	}
	data, _, err := f.unlock(secret)
	if err != nil {
		return nil, err
	}
	k, err := newKeys(filepath.Join(dir, FileName), data)
	if err != nil {
		return nil, fmt.Errorf("sealed: open keys: %w", err)
	}
	k.file, k.problem = f, problem
	return k, nil
}

// openFile is readFile with errors that say what to do.
func openFile(path string) (*fileRecord, []byte, error) {
	f, raw, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("sealed: open keys: %w; put the file back from a backup, without it the records cannot be read", err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("sealed: open keys: %w", err)
	}
	return f, raw, nil
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
	err = errors.Join(err, e)
	k.hiddenMAC = newTagger(sub("beside mac", 32))
	k.hidden, e = newRecords(sub("beside", chacha20poly1305.KeySize))
	return k, errors.Join(err, e)
}

// Slots lists the ways to the data key, the oldest first, as the file had them
// when these Keys read or wrote it last.
func (k *Keys) Slots() []Slot {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.file.slots()
}

// Slots lists the ways to the data key of the keys file in dir without opening
// one: to know which secret to ask for. Errors are as with Open, but for
// ErrSecret.
func Slots(dir string) ([]Slot, error) {
	f, _, err := load(dir)
	if err != nil {
		return nil, err
	}
	return f.slots(), nil
}

func (f *fileRecord) slots() []Slot {
	slots := make([]Slot, len(f.Slots))
	for i, s := range f.Slots {
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

// alter has change work on the file as it is now, and writes it: another
// process may have taken a slot away, which must not come back.
func (k *Keys) alter(change func(*fileRecord) error) (err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	turn, err := takeTurn(k.path)
	if err != nil {
		return fmt.Errorf("sealed: alter the keys file: %w", err)
	}
	defer func() { err = errors.Join(err, turn.Close()) }()
	f, _, err := openFile(k.path)
	if err != nil {
		return err
	}
	if !bytes.Equal(f.ID, k.id) {
		return ErrOtherKeys
	}
	if err := change(f); err != nil {
		return err
	}
	data, err := f.encode()
	if err != nil {
		return err
	}
	if err := replace(k.path, data); err != nil {
		return fmt.Errorf("sealed: write the keys file: %w", err)
	}
	k.file = f
	if k.problem = replace(filepath.Join(filepath.Dir(k.path), CopyName), data); k.problem != nil {
		return fmt.Errorf("sealed: the keys file is written, but its copy %s has the secrets of before; try again, or remove it: %w", CopyName, k.problem)
	}
	return nil
}

// String keeps the key off terminals.
func (k *Keys) String() string { return "[hidden]" }

// GoString keeps %#v from printing the key.
func (k *Keys) GoString() string { return "[hidden]" }

// LogValue keeps the key out of logs.
func (k *Keys) LogValue() slog.Value { return slog.StringValue("[hidden]") }
