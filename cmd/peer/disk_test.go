package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// On a disk without room a command fails in one line that says so, what was there stays readable, and with room all goes on.
func TestFullDisk(t *testing.T) {
	mount := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", mount).CombinedOutput(); err != nil {
		lacks(t, "skipped: needs root to mount a small disk: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", mount).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	dir := filepath.Join(mount, "data")
	peer := func(args ...string) (code int, stdout, stderr string) {
		var out, errs bytes.Buffer
		p := &peer{args: append([]string{"--dir", dir, "--json"}, args...), in: strings.NewReader(""), out: &out, err: &errs}
		return p.execute(t.Context()), out.String(), errs.String()
	}
	ok := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := peer(args...)
		if code != exitOK {
			t.Fatalf("peer %s: exit %d: %s", strings.Join(args, " "), code, stderr)
		}
		return stdout
	}
	ok("init", "--name", "laptop")
	url := strings.Split(ok("doc", "create", `{"n":1}`), `"`)[3]

	// All but 70 MB: more than the reserve, then less.
	filler := filepath.Join(mount, "filler")
	if out, err := exec.Command("sh", "-c", "head -c 80M /dev/zero > "+filler).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	code, _, stderr := peer("doc", "set", url, "/n", "2")
	if code != exitFailure || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "space") {
		t.Errorf("exit %d, %q", code, stderr)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if got := ok("doc", "get", url); got != `{"n":1}`+"\n" {
		t.Errorf("after the failure the document is %s", got)
	}
	ok("doc", "set", url, "/n", "3")
	if got := ok("doc", "get", url); got != `{"n":3}`+"\n" {
		t.Errorf("with room again the document is %s", got)
	}
}
