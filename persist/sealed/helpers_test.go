package sealed_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"tombolo/persist"
	"tombolo/persist/badgerstore"
	"tombolo/persist/sealed"
)

var ctx = context.Background()

// cheap is the least work a passphrase may cost: about 30 ms.
var cheap = sealed.Cost{Passes: 2, Memory: 19 << 10, Threads: 1}

// newKeys returns keys of their own, locked with a recovery key, which is quick.
func newKeys(t testing.TB) *sealed.Keys {
	t.Helper()
	k, err := sealed.Create(t.TempDir(), sealed.NewRecoveryKey())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func openBadger(t testing.TB, dir string) persist.Store {
	t.Helper()
	s, err := badgerstore.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t testing.TB, s persist.Store, keysAndValues ...string) {
	t.Helper()
	b := &persist.Batch{}
	for i := 0; i < len(keysAndValues); i += 2 {
		b.Put([]byte(keysAndValues[i]), []byte(keysAndValues[i+1]))
	}
	if err := s.Apply(ctx, b); err != nil {
		t.Fatal(err)
	}
}

// entries returns everything below a prefix, and how the listing ended.
func entries(s persist.Store, prefix string) (all []persist.Entry, err error) {
	for e, err := range s.List(ctx, []byte(prefix)) {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

func mustEntries(t testing.TB, s persist.Store, prefix string) []persist.Entry {
	t.Helper()
	all, err := entries(s, prefix)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantErr(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("got the error %v, want %v", err, target)
	}
}

// joiner is a persist.Codec that puts the length before each change.
type joiner struct{}

func (joiner) Pack(changes [][]byte) ([]byte, error) {
	var p []byte
	for _, c := range changes {
		p = binary.AppendUvarint(p, uint64(len(c)))
		p = append(p, c...)
	}
	return p, nil
}

func (joiner) Unpack(p []byte) (changes [][]byte, err error) {
	for len(p) > 0 {
		n, k := binary.Uvarint(p)
		if k <= 0 || n > uint64(len(p)-k) {
			return nil, errors.New("torn pack")
		}
		changes = append(changes, p[k:k+int(n)])
		p = p[k+int(n):]
	}
	return changes, nil
}

func openLog(t testing.TB, s persist.Store) *persist.Log {
	t.Helper()
	l, err := persist.OpenLog(ctx, s, joiner{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// doc returns the n-th name.
func doc(n int) (name persist.Name) {
	copy(name.Space[:], "the space's ID!!")
	copy(name.Doc[:], fmt.Sprintf("document %07d", n))
	return name
}

func mustAppend(t testing.TB, l *persist.Log, name persist.Name, a persist.Append) {
	t.Helper()
	if _, err := l.Append(ctx, name, a); err != nil {
		t.Fatalf("Append: %v", err)
	}
}
