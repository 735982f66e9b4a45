//go:build cgo && (linux || darwin) && (amd64 || arm64)

package core_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"tombolo/doc/core"
)

func init() {
	// load opens a box, and a file under its note.
	children["load"] = func(args []string) error {
		return underNote(args[0], args[1], func(file []byte, opts core.Options) error {
			_, err := core.Load(file, opts)
			return err
		})
	}
	// give hands a file to the core as changes that passed the gate.
	children["give"] = func(args []string) error {
		return underNote(args[0], args[1], func(file []byte, opts core.Options) error {
			d, err := core.FromChanges(nil, opts)
			if err != nil {
				return err
			}
			return d.Give(file)
		})
	}
}

func underNote(path, name string, do func([]byte, core.Options) error) error {
	box, left, err := core.OpenBox(path)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return errors.New("the box was not empty")
	}
	file, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return do(file, core.Options{Box: box, Doc: [16]byte{1}, Space: [16]byte{2}, From: "mallory"})
}

// TestDeathIsNamed shows that a process that died inside the core finds at its next start what killed it, once.
func TestDeathIsNamed(t *testing.T) {
	for _, c := range []struct{ child, file string }{
		{"load", "testdata/kills-load.bin"},
		{"give", "testdata/kills-add.bin"},
	} {
		t.Run(c.child, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "box")
			cmd := exec.Command(os.Args[0], path, c.file)
			cmd.Env = append(os.Environ(), "CORE_CHILD="+c.child)
			out, err := cmd.CombinedOutput()
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok {
				t.Fatalf("the child lived: %v\n%s", err, out)
			}
			// The Go runtime dies of SIGABRT with exit code 2 where it is not set to dump core.
			if status := exit.Sys().(syscall.WaitStatus); status.ExitStatus() != 2 && status.Signal() != syscall.SIGABRT || !strings.Contains(string(out), "SIGABRT") {
				t.Fatalf("the child ended otherwise: %v\n%s", err, out)
			}
			killer, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			want := []core.Entry{{Doc: [16]byte{1}, Space: [16]byte{2}, Hash: core.Digest(killer), From: "mallory"}}
			for _, want := range [][]core.Entry{want, nil} {
				box, left, err := core.OpenBox(path)
				if err != nil || box.Torn() != 0 || !slices.Equal(left, want) {
					t.Fatalf("OpenBox: %v, %d torn, %v; want %v", left, box.Torn(), err, want)
				}
				if err := box.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestGateStopsKiller shows that what kills by way of Add is refused by it.
func TestGateStopsKiller(t *testing.T) {
	killer, err := os.ReadFile("testdata/kills-add.bin")
	if err != nil {
		t.Fatal(err)
	}
	if d, err := core.FromChanges([][]byte{killer}, core.Options{}); err == nil {
		t.Fatal(d.Close())
	}
	if d, err := core.Load(killer, core.Options{}); err == nil {
		t.Fatal(d.Close())
	}
}

// TestAcceptedByTheCoreOnly: a file that the core loads, and dies of some calls later, is refused when it is loaded.
func TestAcceptedByTheCoreOnly(t *testing.T) {
	file, err := os.ReadFile("testdata/dies-later.bin")
	if err != nil {
		t.Fatal(err)
	}
	in := core.InUse()
	_, err = core.Load(file, core.Options{})
	if e, ok := errors.AsType[*core.Error](err); !ok || e.Op != "load" {
		t.Errorf("Load: %v", err)
	}
	if core.InUse() != in {
		t.Errorf("%d bytes are still accounted", core.InUse()-in)
	}
}
