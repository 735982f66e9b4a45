package core_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"tombolo/doc/core"
)

// FuzzOpenBox: whatever is in the file, the box opens, and what it gives comes back the same when it is noted again.
func FuzzOpenBox(f *testing.F) {
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{1}, 1500))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "box")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		box, left := openBox(t, path)
		if slots := len(b)/512 + 1; len(left)+box.Torn() > slots {
			t.Fatalf("%d entries and %d damaged ones of %d slots", len(left), box.Torn(), slots)
		}
		for _, e := range left {
			if err := box.Before(e); err != nil {
				t.Fatal(err)
			}
		}
		if _, again := openBox(t, path); len(again) != len(left) {
			t.Fatalf("%d entries came back as %d", len(left), len(again))
		}
	})
}

// FuzzFrames: the frames of a file are read without a panic, and a file twice is a file with everything twice.
func FuzzFrames(f *testing.F) {
	for _, name := range []string{"kills-load.bin", "kills-add.bin", "dies-later.bin"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("\x85\x6f\x4a\x83\xb8\x1a\x95\x44\x00\x04\x00\x00\x00\x00"))
	f.Add([]byte("\x85\x6f\x4a\x83\x00\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		changes, err := core.Loose(b)
		if err != nil {
			return
		}
		twice, err := core.Loose(append(bytes.Clone(b), b...))
		if err != nil || len(twice) != 2*len(changes) {
			t.Fatalf("%d changes once, %d twice, %v", len(changes), len(twice), err)
		}
	})
}
