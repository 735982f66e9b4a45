package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// smallDisk mounts a file system of 160 MiB, in memory or on an image, until the test ends.
func smallDisk(t *testing.T, kind string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	args := []string{"-t", "tmpfs", "-o", "size=160m", "tmpfs", dir}
	if kind == "ext4" {
		image := filepath.Join(t.TempDir(), "image")
		if out, err := exec.Command("sh", "-c", "truncate -s 160M "+image+" && mkfs.ext4 -q -F "+image).CombinedOutput(); err != nil {
			lacks(t, "skipped: needs mkfs.ext4, of the Debian package e2fsprogs: %v: %s", err, out)
		}
		args = []string{"-o", "loop", image, dir}
	}
	if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
		lacks(t, "skipped: needs root to mount a small disk: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

// On a disk without room a command fails in one line that says so, what was there stays readable, and with room all goes on.
func TestFullDisk(t *testing.T) {
	mount := smallDisk(t, "tmpfs")
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

// While a node writes, another program fills the disk to the last byte, three times. The node lives, says that its store is read-only, and
// goes on when there is room. Nothing that it acknowledged is lost. More of it: go run ./scripts/crash -full 3.
func TestDiskFillsUnderNode(t *testing.T) {
	for _, kind := range []string{"tmpfs", "ext4"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			disk := smallDisk(t, kind)
			d := newDiskDevice(t, filepath.Join(disk, "data"))
			stop := d.run()
			var made struct{ URL string }
			d.must(&made, "doc", "create", "{}")
			edits := 0
			set := func() error {
				err := d.peer(nil, "doc", "set", made.URL, fmt.Sprintf("/%d", edits), "1")
				if err == nil {
					edits++
				}
				return err
			}
			state := func() string {
				var status struct{ Store struct{ State string } }
				d.must(&status, "status")
				return status.Store.State
			}
			for range 3 {
				if err := set(); err != nil {
					t.Fatalf("with room: %v", err)
				}
				filler := filepath.Join(disk, "filler")
				filling := exec.Command("sh", "-c", "exec cat /dev/zero > "+filler) // ends when nothing is left
				if err := filling.Start(); err != nil {
					t.Fatal(err)
				}
				d.until("an edit is refused", func() bool {
					err := set()
					if err != nil && !strings.Contains(err.Error(), "disk space") {
						t.Fatalf("on a full disk: %v", err)
					}
					return err != nil
				})
				_ = filling.Wait()
				if got := state(); got != "read-only" {
					t.Errorf("on a full disk peer status says %q", got)
				}
				if err := d.peer(nil, "doc", "get", made.URL); err != nil {
					t.Errorf("reading on a full disk: %v", err)
				}
				if err := os.Remove(filler); err != nil {
					t.Fatal(err)
				}
				d.until("edits are taken again", func() bool { return set() == nil })
				if got := state(); got != "ready" {
					t.Errorf("with room again peer status says %q", got)
				}
			}
			stop()
			var v map[string]int
			d.must(&v, "doc", "get", made.URL)
			for i := range edits {
				if v[fmt.Sprint(i)] != 1 {
					t.Errorf("edit %d was acknowledged and is not there", i)
				}
			}
		})
	}
}

// A node that is stopped while the disk is full to the last byte ends well.
func TestStopOnFullDisk(t *testing.T) {
	disk := smallDisk(t, "tmpfs")
	d := newDiskDevice(t, filepath.Join(disk, "data"))
	stop := d.run()
	var made struct{ URL string }
	d.must(&made, "doc", "create", `{"n":1}`)
	filler := filepath.Join(disk, "filler")
	_ = exec.Command("sh", "-c", "exec cat /dev/zero > "+filler).Run() // ends when nothing is left
	stop()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	var v map[string]int
	if d.must(&v, "doc", "get", made.URL); v["n"] != 1 {
		t.Errorf("the document is %v", v)
	}
}

// diskDevice is a device whose node is a process of its own.
type diskDevice struct {
	t            *testing.T
	dir, program string
}

func newDiskDevice(t *testing.T, dir string) *diskDevice {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d := &diskDevice{t: t, dir: dir, program: filepath.Join(t.TempDir(), "peer")}
	if err := os.Symlink(self, d.program); err != nil { // under this name the test program is peer, see TestMain
		t.Fatal(err)
	}
	d.must(nil, "init", "--name", "laptop")
	return d
}

// peer carries out one command and reads the JSON value that it prints.
func (d *diskDevice) peer(into any, args ...string) error {
	cmd := exec.Command(d.program, append([]string{"--json", "--dir", d.dir}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("peer %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(out, into)
}

func (d *diskDevice) must(into any, args ...string) {
	d.t.Helper()
	if err := d.peer(into, args...); err != nil {
		d.t.Fatal(err)
	}
}

// until tries again until it is so.
func (d *diskDevice) until(what string, so func() bool) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	for !so() {
		if ctx.Err() != nil {
			d.t.Fatalf("within a minute it did not happen that %s", what)
		}
	}
}

// run starts the node and waits until it is ready. stop ends it well.
func (d *diskDevice) run() (stop func()) {
	d.t.Helper()
	cmd := exec.Command(d.program, "run", "--json", "--dir", d.dir, "--listen", "/ip4/127.0.0.1/tcp/0", "--no-discovery")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	ended := false
	d.t.Cleanup(func() {
		if !ended {
			cmd.Process.Kill() // fails where it has just ended
			cmd.Wait()
			d.t.Logf("the node logged:\n%s", stderr.String())
		}
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); !strings.Contains(line, `"event":"ready"`) {
		d.t.Fatalf("the node said %q, %v", line, err)
	}
	return func() {
		d.t.Helper()
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			d.t.Fatal(err)
		}
		err := cmd.Wait()
		if ended = true; err != nil {
			d.t.Fatalf("the node died: %v\n%s", err, stderr.String())
		}
	}
}
