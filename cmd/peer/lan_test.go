package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tombolo/p2p"
)

// Two nodes in two network namespaces, joined by a bridge, know nothing of each other but an invitation without addresses. They find
// each other by mDNS, pair, and share a document both ways.
func TestTwoNodesOnALAN(t *testing.T) {
	hosts := lan(t, 2)
	laptop, desk := newLANDevice(t, hosts[0], "laptop"), newLANDevice(t, hosts[1], "desk")

	var invite struct{ Link string }
	laptop.peer(&invite, "invite") // without a running node there are no addresses to put into it
	ticket, err := p2p.ParseLink(invite.Link)
	if err != nil || len(ticket.Addrs) > 0 {
		t.Fatalf("the invitation has addresses: %v (%v)", ticket.Addrs, err)
	}
	laptop.run()
	var joined struct{ Role string }
	desk.peer(&joined, "join", invite.Link)
	desk.run()

	var made struct{ URL string }
	laptop.peer(&made, "doc", "create", `{"from":"laptop"}`)
	laptop.peer(nil, "doc", "wait", made.URL, "--devices", "2", "--timeout", "60s")
	desk.peer(nil, "doc", "set", made.URL, "/answer", `"desk"`)
	desk.peer(nil, "doc", "wait", made.URL, "--devices", "2", "--timeout", "60s")
	for _, d := range []*lanDevice{laptop, desk} {
		var v map[string]string
		d.peer(&v, "doc", "get", made.URL)
		if v["from"] != "laptop" || v["answer"] != "desk" {
			t.Errorf("%s has %v", d.name, v)
		}
	}
}

// Two devices that were invited by a third learn of each other from it, and share documents when it is gone.
func TestMembersMeetWithoutTheirHost(t *testing.T) {
	hosts := lan(t, 3)
	laptop, desk, phone := newLANDevice(t, hosts[0], "laptop"), newLANDevice(t, hosts[1], "desk"), newLANDevice(t, hosts[2], "phone")
	stop := laptop.run()
	var made struct{ URL string }
	laptop.peer(&made, "doc", "create", `{"from":"laptop"}`)
	for _, d := range []*lanDevice{desk, phone} {
		var invite struct{ Link string }
		laptop.peer(&invite, "invite")
		d.peer(nil, "join", invite.Link)
		d.run()
	}
	laptop.peer(nil, "doc", "wait", made.URL, "--devices", "3", "--timeout", "60s")
	stop()
	desk.peer(nil, "doc", "set", made.URL, "/answer", `"desk"`)
	desk.peer(nil, "doc", "wait", made.URL, "--devices", "2", "--timeout", "60s")
	var v map[string]string
	phone.peer(&v, "doc", "get", made.URL)
	if v["answer"] != "desk" {
		t.Errorf("the phone has %v", v)
	}
}

// lacks skips a test that this machine cannot run. CI must be able to run all.
func lacks(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// lan makes network namespaces on one bridge, or skips the test where that is not possible.
func lan(t *testing.T, hosts int) (names []string) {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped: takes ten seconds; run without -short")
	}
	tag := fmt.Sprintf("tp%d%c", os.Getpid(), 'a'+hosts) // short: interface names have 15 characters at most
	bridge := tag + "m"
	if out, err := exec.Command("ip", "netns", "add", bridge).CombinedOutput(); err != nil {
		lacks(t, "skipped: needs root and network namespaces: %v: %s", err, out)
	}
	ip := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	t.Cleanup(func() { ip("netns", "del", bridge) })
	ip("-n", bridge, "link", "add", "bridge", "type", "bridge")
	ip("-n", bridge, "link", "set", "bridge", "up")
	for i := range hosts {
		ns := fmt.Sprintf("%s%d", tag, i)
		names = append(names, ns)
		ip("netns", "add", ns)
		t.Cleanup(func() { ip("netns", "del", ns) })
		ip("-n", ns, "link", "set", "lo", "up")
		ip("-n", bridge, "link", "add", "to"+ns, "type", "veth", "peer", "name", "eth0", "netns", ns)
		ip("-n", bridge, "link", "set", "to"+ns, "master", "bridge")
		ip("-n", bridge, "link", "set", "to"+ns, "up")
		ip("-n", ns, "addr", "add", fmt.Sprintf("10.78.0.%d/24", i+1), "dev", "eth0")
		ip("-n", ns, "link", "set", "eth0", "up")
	}
	return names
}

// lanDevice is a device in a namespace of its own.
type lanDevice struct {
	t             *testing.T
	ns, name, dir string
	program       string
}

func newLANDevice(t *testing.T, ns, name string) *lanDevice {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d := &lanDevice{t: t, ns: ns, name: name, dir: filepath.Join(t.TempDir(), name), program: filepath.Join(t.TempDir(), "peer")}
	if err := os.Symlink(self, d.program); err != nil { // under this name the test program is peer, see TestMain
		t.Fatal(err)
	}
	d.peer(nil, "init", "--name", name)
	return d
}

func (d *lanDevice) command(args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", d.ns, d.program, "--json", "--dir", d.dir}, args...)...)
}

// peer carries out one command and reads the JSON value that it prints.
func (d *lanDevice) peer(into any, args ...string) {
	d.t.Helper()
	cmd := d.command(args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil && into != nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		d.t.Fatalf("%s: peer %s: %v\n%s%s", d.name, strings.Join(args, " "), err, out, stderr.String())
	}
}

// run starts the device's node and waits until it is ready. The node ends with the test, or when stop is called.
func (d *lanDevice) run() (stop func()) {
	d.t.Helper()
	cmd := d.command("run")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || !strings.Contains(lines.Text(), `"event":"ready"`) {
		d.t.Errorf("%s said %q", d.name, lines.Text())
	}
	stop = sync.OnceFunc(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			d.t.Error(err)
		}
		for lines.Scan() { // until it has closed its output
		}
		if err := cmd.Wait(); err != nil {
			d.t.Errorf("%s: %v\n%s", d.name, err, stderr.String())
		}
		if d.t.Failed() {
			d.t.Logf("%s logged:\n%s", d.name, stderr.String())
		}
	})
	d.t.Cleanup(stop)
	return stop
}
