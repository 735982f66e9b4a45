package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamages shows that each damage at each place is one, and that a snapshot undoes it in the same file.
func TestDamages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	whole := append(bytes.Repeat([]byte("contents "), 2000), make([]byte, 5000)...)
	for _, name := range []string{identityName, "store/1.mem"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := takeSnapshot(dir, filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	was, err := os.Stat(filepath.Join(dir, identityName))
	if err != nil {
		t.Fatal(err)
	}
	for name := range s.files {
		if s.files[name].mode.IsDir() {
			continue
		}
		path := filepath.Join(dir, name)
		for _, d := range damages {
			for _, place := range d.places {
				if err := d.spoil(path, place); err != nil {
					t.Fatal(err)
				}
				if b, err := os.ReadFile(path); err == nil && bytes.Equal(b, whole) {
					t.Errorf("%s at %.2f left %s as it was", d.name, place, name)
				}
				if err := s.restore(); err != nil {
					t.Fatal(err)
				}
				if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, whole) {
					t.Errorf("%s was not put back: %v", name, err)
				}
			}
		}
	}
	if now, err := os.Stat(filepath.Join(dir, identityName)); err != nil || !os.SameFile(was, now) {
		t.Errorf("the identity is another file: %v", err)
	}
}

// TestTable shows loss and failure in the table.
func TestTable(t *testing.T) {
	var out strings.Builder
	printTable(&out, []cell{
		{File: "a", Damage: "zeros", Tried: 1, Healed: true, Reason: "empty"},
		{File: "b", Damage: "zeros", Tried: 1, Missing: true, Doctor: outcome{Message: "x|y"}},
		{File: "c", Damage: "zeros"},
	}, 3)
	if strings.Contains(out.String(), "`c`") {
		t.Errorf("a row for a file that is not there:\n%s", out.String())
	}
	for _, want := range []string{"nothing missing: empty", "SILENT LOSS", "**no**: x/y"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
}
