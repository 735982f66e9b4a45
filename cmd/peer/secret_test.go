package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretFile(t *testing.T) {
	dir := t.TempDir()
	for content, want := range map[string]string{
		"correct horse\n":                       "correct horse",
		"correct horse\r\nand the rest\n":       "correct horse",
		"correct horse":                         "correct horse",
		" spaces count \n":                      " spaces count ",
		"cafe\u0301 au lait\n":                  "caf\u00e9 au lait",
		strings.Repeat("x", maxSecret-1) + "\n": strings.Repeat("x", maxSecret-1),
	} {
		path := filepath.Join(dir, "secret")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		p := &peer{}
		if got, err := p.secret(path, "", "--secret-file", true); err != nil || string(got) != want {
			t.Errorf("%q: got %q, %v", content, got, err)
		}
	}
	for content, want := range map[string]string{
		"":                                "empty",
		"\nsecond line\n":                 "empty",
		strings.Repeat("x", maxSecret+10): "more than 4096 bytes",
	} {
		path := filepath.Join(dir, "secret")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		p := &peer{}
		if got, err := p.secret(path, "", "--secret-file", true); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "xxx") {
			t.Errorf("%.20q: got %.20q, %v", content, got, err)
		}
	}
	p := &peer{in: strings.NewReader("correct horse\n")}
	for file, want := range map[string]string{dir: "is a directory", filepath.Join(dir, "missing"): "no such file", "": "there is no terminal"} {
		if got, err := p.secret(file, "", "--secret-file", false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %q, %v", file, got, err)
		}
	}
}
