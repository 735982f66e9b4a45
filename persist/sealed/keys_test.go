package sealed_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"tombolo/persist"
	"tombolo/persist/memstore"
	"tombolo/persist/sealed"
)

func passphrase(text string) sealed.Secret { return sealed.Passphrase(text, cheap) }

func mustOpen(t testing.TB, dir string, secret sealed.Secret) *sealed.Keys {
	t.Helper()
	k, err := sealed.Open(dir, secret)
	if err != nil {
		t.Fatalf("Open with a %v: %v", secret.Kind(), err)
	}
	return k
}

func wantKinds(t *testing.T, k *sealed.Keys, want ...sealed.Kind) {
	t.Helper()
	var got []sealed.Kind
	for _, s := range k.Slots() {
		got = append(got, s.Kind)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("the slots are %v, want %v", got, want)
	}
}

// TestKeys takes one data key through its life; records written at the start
// are read with every secret.
func TestKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	place := filepath.Join(t.TempDir(), "key")
	file, err := sealed.CreateKeyFile(place)
	wantNothing(t, err)
	recovery := sealed.NewRecoveryKey()
	k, err := sealed.Create(dir, passphrase("correct horse"), recovery)
	wantNothing(t, err)
	wantKinds(t, k, sealed.KindPassphrase, sealed.KindRecovery)
	inner := memstore.New()
	put(t, sealed.New(inner, k), "a", "written once")
	reads := func(secret sealed.Secret) *sealed.Keys {
		t.Helper()
		k := mustOpen(t, dir, secret)
		v, err := sealed.New(inner, k).Get(ctx, []byte("a"))
		if err != nil || string(v) != "written once" {
			t.Fatalf("Get: %q, %v", v, err)
		}
		return k
	}
	fails := func(secret sealed.Secret) {
		t.Helper()
		_, err := sealed.Open(dir, secret)
		wantErr(t, err, sealed.ErrSecret)
	}

	reads(passphrase("correct horse"))
	reads(recovery)
	fails(passphrase("Correct horse"))
	fails(sealed.NewRecoveryKey())
	fails(file)
	fails(sealed.Secret{})

	num, err := k.AddSlot(file)
	if err != nil || num != 3 {
		t.Fatalf("AddSlot: %d, %v", num, err)
	}
	again, err := sealed.KeyFile(place)
	wantNothing(t, err)
	reads(again)

	wantNothing(t, k.ChangePassphrase(passphrase("correct horse"), passphrase("battery staple")))
	wantErr(t, k.ChangePassphrase(passphrase("correct horse"), passphrase("battery staple")), sealed.ErrSecret)
	wantErr(t, k.ChangePassphrase(passphrase("battery staple"), passphrase("short")), sealed.ErrWeak)
	if err := k.ChangePassphrase(recovery, passphrase("battery staple")); err == nil {
		t.Fatal("changed a passphrase with a recovery key in its place")
	}
	fails(passphrase("correct horse"))
	k = reads(passphrase("battery staple"))
	wantKinds(t, k, sealed.KindRecovery, sealed.KindKeyFile, sealed.KindPassphrase)

	wantErr(t, k.RemoveSlot(1), sealed.ErrNoSlot)
	wantNothing(t, k.RemoveSlot(3))
	fails(file)
	wantNothing(t, k.RemoveSlot(2))
	wantErr(t, k.RemoveSlot(4), sealed.ErrLastSlot)
	k = reads(passphrase("battery staple"))
	if num, err = k.AddSlot(file); err != nil || num != 5 {
		t.Fatalf("AddSlot: %d, %v; numbers are not given twice", num, err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 || left[0].Name() != sealed.FileName || left[1].Name() != sealed.CopyName {
		t.Fatalf("%v is left of the keys file and its copy, %v", left, err)
	}
	for _, file := range left {
		if info, err := file.Info(); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Fatalf("%s has mode %v, %v", file.Name(), info.Mode(), err)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, weak := range []sealed.Secret{
		passphrase("seven77"),
		sealed.Passphrase("long enough", sealed.Cost{Passes: 1, Memory: 64 << 10, Threads: 4}),
		sealed.Passphrase("long enough", sealed.Cost{Passes: 3, Memory: 8 << 10, Threads: 4}),
		sealed.Passphrase("long enough", sealed.Cost{Passes: 3, Memory: 64 << 10}),
		sealed.Passphrase("long enough", sealed.Cost{Passes: 3, Memory: 1 << 30, Threads: 4}),
	} {
		_, err := sealed.Create(dir, weak)
		wantErr(t, err, sealed.ErrWeak)
	}
	if _, err := sealed.Create(dir, sealed.Secret{}); err == nil {
		t.Fatal("locked a data key under no secret")
	}
	many := make([]sealed.Secret, 64)
	for i := range many {
		many[i] = sealed.NewRecoveryKey()
	}
	_, err := sealed.Create(dir, sealed.NewRecoveryKey(), many...)
	wantErr(t, err, sealed.ErrTooManySlots)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Fatalf("a refused Create left %v, %v", left, err)
	}

	recovery := sealed.NewRecoveryKey()
	_, err = sealed.Open(dir, recovery)
	wantErr(t, err, fs.ErrNotExist)
	k, err := sealed.Create(dir, recovery, many[1:]...)
	wantNothing(t, err)
	_, err = k.AddSlot(recovery)
	wantErr(t, err, sealed.ErrTooManySlots)
	_, err = sealed.Create(dir, passphrase("another one"))
	wantErr(t, err, fs.ErrExist)
	mustOpen(t, dir, recovery)

	inTheWay := filepath.Join(dir, sealed.FileName)
	if _, err := sealed.Create(inTheWay, recovery); err == nil {
		t.Fatal("made a directory where a file is")
	}
	if _, err := sealed.Open(inTheWay, recovery); err == nil {
		t.Fatal("opened a file as a directory")
	}
}

// TestDefaultCost makes one slot with what programs get without asking.
func TestDefaultCost(t *testing.T) {
	dir := t.TempDir()
	_, err := sealed.Create(dir, sealed.Passphrase("correct horse", sealed.Cost{}))
	wantNothing(t, err)
	mustOpen(t, dir, sealed.Passphrase("correct horse", cheap)) // the slot's own cost counts
}

// TestWriteFails takes the directory away: the change fails, and the slots stay.
func TestWriteFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	recovery := sealed.NewRecoveryKey()
	k, err := sealed.Create(dir, recovery)
	wantNothing(t, err)
	wantNothing(t, os.Rename(dir, dir+"2"))
	_, err = k.AddSlot(sealed.NewRecoveryKey())
	wantErr(t, err, fs.ErrNotExist)
	wantKinds(t, k, sealed.KindRecovery)
	wantNothing(t, os.Rename(dir+"2", dir))
	_, err = k.AddSlot(sealed.NewRecoveryKey())
	wantNothing(t, err)
	wantKinds(t, mustOpen(t, dir, recovery), sealed.KindRecovery, sealed.KindRecovery)
}

// TestFileDamaged alters every byte of a keys file, and cuts it anywhere.
func TestFileDamaged(t *testing.T) {
	dir := t.TempDir()
	recovery := sealed.NewRecoveryKey()
	_, err := sealed.Create(dir, recovery)
	wantNothing(t, err)
	path := filepath.Join(dir, sealed.FileName)
	whole, err := os.ReadFile(path)
	wantNothing(t, err)
	wantNothing(t, os.Remove(filepath.Join(dir, sealed.CopyName)))
	try := func(data []byte) error {
		wantNothing(t, os.WriteFile(path, data, 0o600))
		_, err := sealed.Open(dir, recovery)
		return err
	}
	for i := range whole {
		data := bytes.Clone(whole)
		data[i] ^= 1 << (i % 8)
		wantErr(t, try(data), sealed.ErrKeysFile)
		wantErr(t, try(whole[:i]), sealed.ErrKeysFile)
		// With a right checksum it is no accident: the lock itself holds.
		if i >= 5 {
			err := try(checked(data))
			if !errors.Is(err, sealed.ErrKeysFile) && !errors.Is(err, sealed.ErrSecret) && i != nextAt(whole) {
				if _, newer := errors.AsType[*persist.TooNewError](err); !newer {
					t.Fatalf("byte %d altered: %v", i, err)
				}
			}
		}
	}
	wantErr(t, try(make([]byte, 1<<17)), sealed.ErrKeysFile)
	wantNothing(t, try(whole))

	newer := bytes.Clone(whole)
	newer[0] = 2
	if _, ok := errors.AsType[*persist.TooNewError](try(checked(newer))); !ok {
		t.Fatal("a file of version 2 is not too new")
	}
}

// checked gives altered bytes of a keys file the checksum that fits.
func checked(data []byte) []byte {
	table := crc32.MakeTable(crc32.Castagnoli)
	binary.BigEndian.PutUint32(data[1:], crc32.Update(crc32.Checksum(data[:1], table), table, data[5:]))
	return data
}

// nextAt is where the number of the next slot stands, which no lock covers.
func nextAt(data []byte) int { return bytes.Index(data, []byte{2, 2, 3}) + 1 }

// TestSlotAltered rewrites a keys file field by field as an attacker would.
func TestSlotAltered(t *testing.T) {
	dir := t.TempDir()
	_, err := sealed.Create(dir, passphrase("correct horse"))
	wantNothing(t, err)
	path := filepath.Join(dir, sealed.FileName)
	whole, err := os.ReadFile(path)
	wantNothing(t, err)
	for _, c := range []struct {
		field int
		value any
		want  error
	}{
		{4, 1, sealed.ErrKeysFile},       // passes
		{4, 1 << 20, sealed.ErrKeysFile}, // hours
		{5, 1 << 10, sealed.ErrKeysFile},
		{5, 1 << 30, sealed.ErrKeysFile}, // a TiB
		{6, 0, sealed.ErrKeysFile},
		{4, 3, sealed.ErrSecret},
		{7, []byte("short"), sealed.ErrKeysFile},
		{2, 9, sealed.ErrSecret}, // a kind of later versions is passed over
	} {
		var body map[int]any
		wantNothing(t, cbor.Unmarshal(whole[5:], &body))
		body[3].([]any)[0].(map[any]any)[uint64(c.field)] = c.value
		data, err := cbor.Marshal(body)
		wantNothing(t, err)
		wantNothing(t, os.WriteFile(path, checked(append(bytes.Clone(whole[:5]), data...)), 0o600))
		_, err = sealed.Open(dir, passphrase("correct horse"))
		if !errors.Is(err, c.want) {
			t.Errorf("field %d = %v: %v, want %v", c.field, c.value, err, c.want)
		}
	}
	wantNothing(t, os.WriteFile(path, whole, 0o600))
	mustOpen(t, dir, passphrase("correct horse"))
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	_, err := sealed.KeyFile(path)
	wantErr(t, err, fs.ErrNotExist)
	_, err = sealed.CreateKeyFile(path)
	wantNothing(t, err)
	_, err = sealed.CreateKeyFile(path)
	wantErr(t, err, fs.ErrExist)
	_, err = sealed.CreateKeyFile(filepath.Join(path, "below a file"))
	if err == nil {
		t.Fatal("made a key file below a file")
	}
	data, err := os.ReadFile(path)
	if err != nil || len(data) != 32 {
		t.Fatalf("a key file of %d bytes, %v", len(data), err)
	}
	if runtime.GOOS != "windows" {
		wantNothing(t, os.Chmod(path, 0o640))
		if _, err = sealed.KeyFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Fatalf("a key file that others can read: %v", err)
		}
		wantNothing(t, os.Chmod(path, 0o600))
	}
	for _, size := range []int{0, 31, 33} {
		wantNothing(t, os.WriteFile(path, make([]byte, size), 0o600))
		if _, err := sealed.KeyFile(path); err == nil {
			t.Fatalf("a key file of %d bytes was taken", size)
		}
	}
	if _, err := sealed.KeyFile(filepath.Dir(path)); err == nil {
		t.Fatal("a directory was taken for a key file")
	}
}

func TestRecoveryKey(t *testing.T) {
	dir := t.TempDir()
	recovery := sealed.NewRecoveryKey()
	_, err := sealed.Create(dir, recovery)
	wantNothing(t, err)
	text := recovery.Text()
	if len(text) != 39 || strings.Count(text, "-") != 7 {
		t.Fatalf("a recovery key reads %q", text)
	}
	for _, typed := range []string{text, strings.ToLower(text), " " + strings.ReplaceAll(text, "-", " ") + "\n", strings.NewReplacer("O", "0", "I", "1", "B", "8").Replace(text)} {
		k, err := sealed.RecoveryKey(typed)
		if err != nil {
			t.Fatalf("%q: %v", typed, err)
		}
		mustOpen(t, dir, k)
	}
	rapid.Check(t, func(t *rapid.T) {
		typed := []byte(text)
		i := rapid.IntRange(0, len(typed)-1).Draw(t, "place")
		if typed[i] == '-' {
			return
		}
		typed[i] = rapid.SampledFrom([]byte("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567!")).Draw(t, "letter")
		if _, err := sealed.RecoveryKey(string(typed)); (err == nil) != (string(typed) == text) {
			t.Fatalf("%q for %q: %v", typed, text, err)
		}
	})
	for _, typed := range []string{"", text[:38], text + "A", "correct horse"} {
		_, err := sealed.RecoveryKey(typed)
		wantErr(t, err, sealed.ErrRecoveryKey)
	}
	if got := passphrase("correct horse").Text(); got != "" {
		t.Fatalf("a passphrase has the text %q", got)
	}
}

// TestHidden prints secrets and keys in every way there is.
func TestHidden(t *testing.T) {
	recovery := sealed.NewRecoveryKey()
	secret := passphrase("correct horse")
	if secret.Kind() != sealed.KindPassphrase {
		t.Errorf("a passphrase is a %v", secret.Kind())
	}
	keys := newKeys(t)
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	log.Info("said", "secret", secret, "keys", keys, "recovery", recovery)
	fmt.Fprintf(&out, "%v %+v %#v %s %v %+v %#v %s %#v", secret, secret, secret, secret, keys, keys, keys, keys, recovery)
	if s := out.String(); strings.Contains(s, "horse") || strings.Contains(s, "104 111 114 115 101") || strings.Count(s, "[hidden]") != 12 {
		t.Fatalf("printed: %s", s)
	}
	for kind, want := range map[sealed.Kind]string{
		sealed.KindKeyFile: "key file", sealed.KindPassphrase: "passphrase", sealed.KindRecovery: "recovery key", 9: "secret of kind 9",
	} {
		if kind.String() != want {
			t.Errorf("kind %d is called %q", uint8(kind), kind)
		}
	}
}

// FuzzKeysFile opens files that are no keys files. A passphrase is not tried:
// bytes from outside may ask for minutes of work, within bounds.
func FuzzKeysFile(f *testing.F) {
	dir := f.TempDir()
	recovery := sealed.NewRecoveryKey()
	if _, err := sealed.Create(dir, recovery, sealed.NewRecoveryKey()); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(dir, sealed.FileName)
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole[5:])
	f.Add([]byte{})
	f.Add([]byte("\xa3\x01\x50................\x02\x01\x03\x81\xa3\x01\x01\x02\x03\x03\x40"))
	f.Fuzz(func(t *testing.T, body []byte) {
		data := checked(append(bytes.Clone(whole[:5]), body...))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := sealed.Open(dir, recovery)
		if err == nil && len(k.Slots()) == 0 {
			t.Fatal("opened without a slot")
		}
	})
}
