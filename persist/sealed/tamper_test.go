package sealed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
	"tombolo/persist/sealed"
)

// counting counts what listings give out.
type counting struct {
	persist.Store
	yielded int
}

func (c *counting) List(ctx context.Context, prefix []byte) iter.Seq2[persist.Entry, error] {
	return func(yield func(persist.Entry, error) bool) {
		for e, err := range c.Store.List(ctx, prefix) {
			c.yielded++
			if !yield(e, err) {
				return
			}
		}
	}
}

// kinds are keys of every kind that hides another part.
var kinds = []string{"f", "n", "dspace and document", "dspace and documenu", "r12345678123456781", "r1234567812345678\x00\x00", "xname", "xack/a", "xack/b", "z"}

// filled returns a sealed store with a value under each of kinds, and the
// store below it.
func filled(t *testing.T, keys *sealed.Keys) (*sealed.Store, *memstore.Store) {
	t.Helper()
	inner := memstore.New()
	s := sealed.New(inner, keys)
	for _, k := range kinds {
		put(t, s, k, "the value of one length")
	}
	return s, inner
}

// set puts bytes into the inner store as someone with the disk in hand would.
func set(t testing.TB, inner persist.Store, key, value []byte) {
	t.Helper()
	put(t, inner, string(key), string(value))
}

// wantAltered fails unless exactly n records of s read as altered, by key and
// in the list.
func wantAltered(t *testing.T, s persist.Store, n int, what string) {
	t.Helper()
	got := 0
	for _, e := range mustEntries(t, s, "") {
		_, err := s.Get(ctx, e.Key)
		if (err != nil) != (e.Err != nil) {
			t.Fatalf("%s: %q: Get says %v, List %v", what, e.Key, err, e.Err)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, persist.ErrAltered) || !errors.Is(e.Err, persist.ErrAltered) || e.Value != nil {
			t.Fatalf("%s: %q: Get says %v, List %v with %q", what, e.Key, err, e.Err, e.Value)
		}
		got++
	}
	if got != n {
		t.Fatalf("%s: %d records read as altered, want %d", what, got, n)
	}
}

// own returns the entries of an inner store without the tally, of which
// listings and Get know nothing.
func own(t *testing.T, inner persist.Store) []persist.Entry {
	t.Helper()
	return slices.DeleteFunc(mustEntries(t, inner, ""), func(e persist.Entry) bool { return e.Key[0] == 's' })
}

// TestFlip alters every byte of every record, and every length.
func TestFlip(t *testing.T) {
	s, inner := filled(t, newKeys(t))
	wantAltered(t, s, 0, "before")
	for _, e := range own(t, inner) {
		for i := range e.Value {
			v := bytes.Clone(e.Value)
			v[i] ^= 1 << (i % 8)
			set(t, inner, e.Key, v)
			wantAltered(t, s, 1, fmt.Sprintf("byte %d flipped", i))
			set(t, inner, e.Key, e.Value[:i])
			wantAltered(t, s, 1, fmt.Sprintf("cut to %d bytes", i))
		}
		set(t, inner, e.Key, append(bytes.Clone(e.Value), 0))
		wantAltered(t, s, 1, "a byte more")
		set(t, inner, e.Key, e.Value)
	}
	wantAltered(t, s, 0, "after")
}

// TestSwap swaps every two records, of one kind and of different ones.
func TestSwap(t *testing.T) {
	s, inner := filled(t, newKeys(t))
	all := own(t, inner)
	for i, a := range all {
		for _, b := range all[:i] {
			set(t, inner, a.Key, b.Value)
			wantAltered(t, s, 1, "a copy in another place")
			set(t, inner, b.Key, a.Value)
			wantAltered(t, s, 2, "two swapped")
			set(t, inner, a.Key, a.Value)
			set(t, inner, b.Key, b.Value)
		}
	}
}

// TestOtherStore puts the records of one store into another.
func TestOtherStore(t *testing.T) {
	s, inner := filled(t, newKeys(t))
	other, _ := filled(t, newKeys(t))
	if _, err := sealed.New(inner, newKeys(t)).Get(ctx, []byte("f")); !errors.Is(err, persist.ErrAltered) {
		t.Fatalf("read with the wrong keys: %v", err)
	}
	for _, e := range mustEntries(t, sealed.New(inner, newKeys(t)), "") {
		if !errors.Is(e.Err, persist.ErrAltered) || e.Value != nil {
			t.Fatalf("listed with the wrong keys: %q, %v", e, e.Err)
		}
	}
	wantAltered(t, s, 0, "mine")
	wantAltered(t, other, 0, "the other")
	set(t, inner, []byte("f"), []byte{9, 1})
	wantAltered(t, s, 1, "a record that was never sealed")
}

// TestKeyAltered alters keys: a shown part makes another place, a hidden part
// no key at all.
func TestKeyAltered(t *testing.T) {
	s, inner := filled(t, newKeys(t))
	for _, e := range own(t, inner) {
		if len(e.Key) == 1 {
			continue
		}
		for i := 1; i < len(e.Key); i++ {
			k := bytes.Clone(e.Key)
			k[i] ^= 1
			b := &persist.Batch{}
			b.Delete(e.Key)
			b.Put(k, e.Value)
			if err := inner.Apply(ctx, b); err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(mustEntries(t, s, string(k[:1])), func(e persist.Entry) bool { return errors.Is(e.Err, persist.ErrAltered) }) {
				t.Fatalf("byte %d of a key flipped, and nobody noticed", i)
			}
			b = &persist.Batch{}
			b.Delete(k)
			b.Put(e.Key, e.Value)
			if err := inner.Apply(ctx, b); err != nil {
				t.Fatal(err)
			}
		}
	}
	set(t, inner, []byte("dshort"), nil)
	set(t, inner, []byte("xs"), nil)
	for prefix, want := range map[string]int{"": 2, "d": 1, "dspace": 1, "x": 1, "xack/": 0} {
		got := 0
		for _, e := range mustEntries(t, s, prefix) {
			if errors.Is(e.Err, persist.ErrAltered) && strings.HasPrefix(string(e.Key), prefix) {
				got++
			}
		}
		if got != want {
			t.Errorf("%d keys that are none are listed below %q, want %d", got, prefix, want)
		}
	}
}

// TestNoPlaintext looks for what was written in the files of a store: it is
// found in a plain one, so the search works, and not in a sealed one.
func TestNoPlaintext(t *testing.T) {
	words := []string{"Vq7-value-9tLkX2", "Rw3-meta-Zp81nb", "Hd5-setting-aa0Qv", "Mx8-key-PP3kd7", "Sp4-space-Yq1mm5", "Dc6-doc-id-Jw7cx"}
	one := persist.Name{Space: [16]byte([]byte(words[4])), Doc: [16]byte([]byte(words[5]))}
	write := func(s persist.Store) {
		l := openLog(t, s)
		mustAppend(t, l, one, persist.Append{Changes: [][]byte{[]byte("loose " + words[0])}, Meta: []byte(words[1])})
		mustAppend(t, l, doc(2), persist.Append{Pack: []byte("\x09pack " + words[0]), Count: 1})
		if err := l.PutCache(ctx, one, 2, 1, []byte("cache "+words[0])); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"name", "ack/" + words[3], words[3]} {
			if err := l.Settings().Put(ctx, []byte(key), []byte(words[2])); err != nil {
				t.Fatal(err)
			}
		}
		l.Close()
		wantNothing(t, s.Close())
	}
	for _, plain := range []bool{true, false} {
		dir := t.TempDir()
		open, closed := filepath.Join(dir, "copied while open"), filepath.Join(dir, "store")
		inner := openBadger(t, closed)
		s := inner
		if !plain {
			s = sealed.New(inner, newKeys(t))
		}
		write(&closing{s, func() { wantNothing(t, os.CopyFS(open, os.DirFS(closed))) }})
		for _, d := range []string{open, closed} {
			for _, w := range words {
				found := search(t, d, w)
				if plain && found == "" {
					t.Errorf("%q is not found in a plain store: the search proves nothing", w)
				}
				if !plain && found != "" {
					t.Errorf("%q is found in %s of a sealed store", w, found)
				}
			}
		}
	}
}

// closing does something before the store is closed.
type closing struct {
	persist.Store
	before func()
}

func (c *closing) Close() error {
	c.before()
	return c.Store.Close()
}

func wantNothing(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// search returns the name of a file below dir that holds word.
func search(t *testing.T, dir, word string) (found string) {
	t.Helper()
	wantNothing(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "ballast" {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(word)) {
			found = d.Name()
		}
		return err
	}))
	return found
}
