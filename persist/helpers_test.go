package persist_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"tombolo/persist"
	"tombolo/persist/badgerstore"
	"tombolo/persist/memstore"
)

var ctx = context.Background()

// joiner is a Codec that puts the length before each change.
type joiner struct{}

func (joiner) Pack(changes [][]byte) ([]byte, error) {
	var p []byte
	for _, c := range changes {
		p = binary.AppendUvarint(p, uint64(len(c)))
		p = append(p, c...)
	}
	return p, nil
}

var errTorn = errors.New("torn pack")

func (joiner) Unpack(p []byte) (changes [][]byte, err error) {
	for len(p) > 0 {
		n, k := binary.Uvarint(p)
		if k <= 0 || n > uint64(len(p)-k) {
			return nil, errTorn
		}
		changes = append(changes, p[k:k+int(n)])
		p = p[k+int(n):]
	}
	return changes, nil
}

// flaky is a store whose Apply can be counted, held back and made to fail.
type flaky struct {
	persist.Store
	mu      sync.Mutex
	applies int
	before  func(n int) error // called with the number of the Apply, from 1; an error fails it
	after   func(n int) error // an error hides that it was done
}

var errDisk = errors.New("disk on fire")

func (f *flaky) Apply(ctx context.Context, b *persist.Batch) error {
	f.mu.Lock()
	f.applies++
	n, before, after := f.applies, f.before, f.after
	f.mu.Unlock()
	if before != nil {
		if err := before(n); err != nil {
			return err
		}
	}
	if err := f.Store.Apply(ctx, b); err != nil || after == nil {
		return err
	}
	return after(n)
}

// arm sets what happens around every Apply from here on, counted from 1.
func (f *flaky) arm(before, after func(n int) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.applies, f.before, f.after = 0, before, after
}

func (f *flaky) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.applies
}

// failFrom fails every Apply from the k-th on.
func failFrom(k int) func(int) error {
	return func(n int) error {
		if n >= k {
			return errDisk
		}
		return nil
	}
}

// onStores runs a test on memory and on Badger. reopen closes the store that
// it was given and opens it again; memory keeps what it has instead.
func onStores(t *testing.T, test func(t *testing.T, s *flaky, reopen func())) {
	t.Run("mem", func(t *testing.T) {
		test(t, &flaky{Store: memstore.New()}, func() {})
	})
	t.Run("badger", func(t *testing.T) {
		dir := t.TempDir()
		s := &flaky{Store: openBadger(t, dir)}
		defer func() { s.Store.Close() }()
		test(t, s, func() {
			if err := s.Store.Close(); err != nil {
				t.Fatal(err)
			}
			s.Store = openBadger(t, dir)
		})
	})
}

func openBadger(t testing.TB, dir string) persist.Store {
	t.Helper()
	s, err := badgerstore.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
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
	name.Space[0] = byte(n % 3)
	binary.BigEndian.PutUint64(name.Doc[:], uint64(n))
	return name
}

// version makes the heads that stand for "after so many changes" in tests.
func version(last uint64) (heads []persist.Hash, hash persist.Hash) {
	h := sha256.Sum256(fmt.Append(nil, "head", last))
	return []persist.Hash{h}, sha256.Sum256(h[:])
}

// adding returns the append of changes after a Last.
func adding(after uint64, changes ...[]byte) persist.Append {
	a := persist.Append{After: after, Changes: changes}
	a.Heads, a.HeadsHash = version(after + uint64(len(changes)))
	return a
}

func mustAppend(t testing.TB, l *persist.Log, name persist.Name, a persist.Append) persist.Header {
	t.Helper()
	h, err := l.Append(ctx, name, a)
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	return h
}

func changes(l *persist.Log, name persist.Name, from uint64) (got [][]byte, err error) {
	for c, err := range l.Changes(ctx, name, from) {
		if err != nil {
			return got, err
		}
		got = append(got, slices.Clone(c))
	}
	return got, nil
}

// tb is what testing.T and rapid.T have in common, as far as helpers need it.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}

// wantChanges compares what lies in the log from a change on.
func wantChanges(t tb, l *persist.Log, name persist.Name, from uint64, want ...[]byte) {
	t.Helper()
	got, err := changes(l, name, from)
	if err != nil {
		t.Fatalf("Changes: %v after %d", err, len(got))
	}
	if len(got) != len(want) {
		t.Fatalf("%d changes from %d, want %d", len(got), from, len(want))
	}
	for i := range got {
		if string(got[i]) != string(want[i]) {
			t.Fatalf("change %d is %.40q (%d bytes), want %.40q (%d bytes)",
				from+uint64(i), got[i], len(got[i]), want[i], len(want[i]))
		}
	}
}

func wantErr(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("got the error %v, want %v", err, target)
	}
}

// wantAs fails unless err is an E, which it returns.
func wantAs[E error](t testing.TB, err error) E {
	t.Helper()
	e, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("got the error %v, want a %T", err, e)
	}
	return e
}

// some returns n small changes that tell themselves apart.
func some(n int, word string) [][]byte {
	c := make([][]byte, n)
	for i := range c {
		c[i] = fmt.Appendf(nil, "%s change %d, of some forty bytes or so", word, i+1)
	}
	return c
}

// large returns n bytes that tell their places apart.
func large(n int) []byte {
	b := make([]byte, n)
	for i := 0; i+4 <= n; i += 4 {
		binary.BigEndian.PutUint32(b[i:], uint32(i*2654435761))
	}
	return b
}
