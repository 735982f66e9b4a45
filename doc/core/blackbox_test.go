package core_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"tombolo/doc/core"
)

func openBox(t *testing.T, path string) (*core.FileBox, []core.Entry) {
	t.Helper()
	box, left, err := core.OpenBox(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	return box, left
}

// TestBoxKeepsWhatIsUnderWay shows that what has a Before and no After is found at the next open, and nothing else.
func TestBoxKeepsWhatIsUnderWay(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprint(n))
		box, _, err := core.OpenBox(path)
		if err != nil {
			t.Fatal(err)
		}
		defer box.Close()
		var want []core.Entry
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			if len(want) > 0 && rapid.Bool().Draw(t, "after") {
				i := rapid.IntRange(0, len(want)-1).Draw(t, "which")
				if err := box.After(want[i]); err != nil {
					t.Fatal(err)
				}
				want = slices.Delete(want, i, i+1)
				continue
			}
			e := core.Entry{
				Doc:  [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "doc")),
				Hash: [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash")),
				From: rapid.StringN(0, -1, 255).Draw(t, "from"),
			}
			if err := box.Before(e); err != nil {
				t.Fatal(err)
			}
			want = append(want, e)
		}
		next, left, err := core.OpenBox(path)
		if err != nil {
			t.Fatal(err)
		}
		defer next.Close()
		byHash := func(a, b core.Entry) int {
			return cmp.Or(bytes.Compare(a.Hash[:], b.Hash[:]), bytes.Compare(a.Doc[:], b.Doc[:]), strings.Compare(a.From, b.From))
		}
		slices.SortFunc(left, byHash)
		slices.SortFunc(want, byHash)
		if !slices.Equal(left, want) || next.Torn() != 0 {
			t.Fatalf("left %v, want %v; %d torn", left, want, next.Torn())
		}
	})
}

func TestBoxManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "box")
	box, _ := openBox(t, path)
	var wg sync.WaitGroup
	for i := range 100 { // more than there are slots at first
		wg.Go(func() {
			e := core.Entry{Doc: [16]byte{byte(i)}, From: "same sender"}
			for range 20 {
				if err := errors.Join(box.Before(e), box.After(e)); err != nil {
					t.Error(err)
				}
			}
			if err := box.Before(e); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	next, left := openBox(t, path)
	if len(left) != 100 || next.Torn() != 0 {
		t.Fatalf("%d entries left and %d torn, want 100 and 0", len(left), next.Torn())
	}
}

func TestBoxDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "box")
	for _, c := range []struct {
		name   string
		damage func([]byte) []byte
		left   int
		torn   int
	}{
		{"untouched", func(b []byte) []byte { return b }, 3, 0},
		{"a flipped bit", func(b []byte) []byte { b[512+40] ^= 1; return b }, 2, 1},
		{"a flipped checksum", func(b []byte) []byte { b[511] ^= 1; return b }, 2, 1},
		{"cut within a note", func(b []byte) []byte { return b[:2*512+100] }, 2, 1},
		{"cut between notes", func(b []byte) []byte { return b[:2*512] }, 2, 0},
		{"an unknown codec", func(b []byte) []byte { b[0] = 9; return b }, 2, 1},
		{"another file", func([]byte) []byte { return bytes.Repeat([]byte("a diary\n"), 300) }, 0, 5},
		{"nothing", func([]byte) []byte { return nil }, 0, 0},
		{"much too long", func(b []byte) []byte { return append(b, make([]byte, 3<<20)...) }, 3, 0},
	} {
		box, _ := openBox(t, path)
		for i := range 3 {
			if err := box.Before(core.Entry{Doc: [16]byte{byte(i)}, From: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := box.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, c.damage(b), 0o600); err != nil {
			t.Fatal(err)
		}
		next, left := openBox(t, path)
		if len(left) != c.left || next.Torn() != c.torn {
			t.Errorf("%s: %d left and %d torn, want %d and %d", c.name, len(left), next.Torn(), c.left, c.torn)
		}
		if again, left := openBox(t, path); len(left) != 0 || again.Torn() != 0 {
			t.Errorf("%s: opened again: %d left, %d torn", c.name, len(left), again.Torn())
		}
	}
}

func TestBoxErrors(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := core.OpenBox(filepath.Join(dir, "no", "such", "folder")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("open in a folder that is not there: %v", err)
	}
	if _, _, err := core.OpenBox(dir); err == nil {
		t.Error("a folder opened as a box")
	}
	box, _ := openBox(t, filepath.Join(dir, "box"))
	e := core.Entry{From: strings.Repeat("ä", 200)} // the 255th byte is half a letter
	if err := box.After(e); err == nil {
		t.Error("After without Before: no error")
	}
	if err := box.Before(e); err != nil {
		t.Fatal(err)
	}
	_, left := openBox(t, filepath.Join(dir, "box"))
	if len(left) != 1 || left[0].From != strings.Repeat("ä", 127) {
		t.Errorf("a long name came back as %v", left)
	}
	if err := box.Close(); err != nil {
		t.Fatal(err)
	}
	if err := box.Before(e); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Before on a closed box: %v", err)
	}
	if err := box.After(e); !errors.Is(err, os.ErrClosed) {
		t.Errorf("After on a closed box: %v", err)
	}
	if err := box.Before(e); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Before on a closed box, again: %v", err)
	}
}

func TestDigest(t *testing.T) {
	a, b := []byte("ab"), []byte("c")
	if core.Digest(a, b) == core.Digest([]byte("a"), []byte("bc")) || core.Digest(a, b) == core.Digest([]byte("abc")) {
		t.Error("different pieces have one digest")
	}
}

func BenchmarkBox(b *testing.B) {
	box, _, err := core.OpenBox(filepath.Join(b.TempDir(), "box"))
	if err != nil {
		b.Fatal(err)
	}
	defer box.Close()
	for b.Loop() {
		if err := errors.Join(box.Before(core.Entry{}), box.After(core.Entry{})); err != nil {
			b.Fatal(err)
		}
	}
}
