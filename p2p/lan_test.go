package p2p_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tombolo/p2p"
)

// lanChildEnv, when set, makes the test binary a node that is told on stdin
// whom to allow and tells on stdout what happens.
const lanChildEnv = "TOMBOLO_P2P_LAN_CHILD"

func lanChild() {
	fail := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	dir, err := os.MkdirTemp("", "p2p")
	fail(err)
	defer os.RemoveAll(dir)
	id, err := p2p.CreateIdentity(filepath.Join(dir, "id"), rand.Reader)
	fail(err)
	n, err := p2p.Start(context.Background(), p2p.Options{
		Identity: id, Heartbeat: 500 * time.Millisecond, Dead: 2 * time.Second,
		Events: p2p.Events{
			Up:   func(p p2p.PeerID) { fmt.Println("up") },
			Down: func(p p2p.PeerID, err error) { fmt.Println("down", err) },
		},
	})
	fail(err)
	fmt.Println("id", id.ID())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		switch word, rest, _ := strings.Cut(in.Text(), " "); word {
		case "allow":
			fail(n.Allow(p2p.PeerID(rest), nil))
		case "addrs":
			fmt.Println("addrs", n.Addrs())
		}
	}
	fail(n.Close())
	fmt.Println("closed")
}

// lanNode is a child in a namespace of its own.
type lanNode struct {
	t     *testing.T
	in    io.WriteCloser
	lines chan string
}

func startLANNode(t *testing.T, ns string) *lanNode {
	t.Helper()
	cmd := exec.Command("ip", "netns", "exec", ns, os.Args[0])
	cmd.Env = append(os.Environ(), lanChildEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := &lanNode{t: t, in: in, lines: make(chan string, 64)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(out); s.Scan(); {
			n.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		in.Close()
		n.want("closed")
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("node in %s: %v", ns, err)
		}
	})
	return n
}

// want waits for a line that begins so, and passes over others.
func (n *lanNode) want(begin string) string {
	n.t.Helper()
	late := time.After(patience)
	for {
		select {
		case l := <-n.lines:
			if rest, ok := strings.CutPrefix(l, begin); ok {
				return strings.TrimSpace(rest)
			}
		case <-late:
			n.t.Fatalf("no %q within %v", begin, patience)
		}
	}
}

func (n *lanNode) say(format string, args ...any) {
	n.t.Helper()
	if _, err := fmt.Fprintf(n.in, format+"\n", args...); err != nil {
		n.t.Fatal(err)
	}
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
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

// lanPair starts two nodes in network namespaces, joined by a bridge in a
// third, whose interfaces are still down. They know only each other's IDs.
func lanPair(t *testing.T, tag string, prepare func(ns string)) (a, b *lanNode, middle, left, right string) {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped: takes ten seconds; run without -short")
	}
	tag = fmt.Sprintf("t%s%d", tag, os.Getpid())
	middle, left, right = tag+"m", tag+"l", tag+"r"
	if out, err := exec.Command("ip", "netns", "add", middle).CombinedOutput(); err != nil {
		lacks(t, "skipped: needs root and ip netns: %v: %s", err, out)
	}
	t.Cleanup(func() { ip(t, "netns", "del", middle) })
	ip(t, "-n", middle, "link", "add", "bridge", "type", "bridge")
	ip(t, "-n", middle, "link", "set", "bridge", "up")
	for _, ns := range []string{left, right} {
		ip(t, "netns", "add", ns)
		t.Cleanup(func() { ip(t, "netns", "del", ns) })
		ip(t, "-n", ns, "link", "set", "lo", "up")
		ip(t, "-n", middle, "link", "add", "to"+ns, "type", "veth", "peer", "name", "eth0", "netns", ns)
		ip(t, "-n", middle, "link", "set", "to"+ns, "master", "bridge")
		ip(t, "-n", middle, "link", "set", "to"+ns, "up")
		prepare(ns)
	}
	a, b = startLANNode(t, left), startLANNode(t, right)
	ida, idb := a.want("id"), b.want("id")
	a.say("allow %s", idb)
	b.say("allow %s", ida)
	return a, b, middle, left, right
}

func plugIn(t *testing.T, namespaces ...string) {
	t.Helper()
	for i, ns := range namespaces {
		ip(t, "-n", ns, "addr", "add", fmt.Sprintf("10.77.0.%d/24", i+1), "dev", "eth0")
		ip(t, "-n", ns, "link", "set", "eth0", "up")
	}
}

// Nodes that start before there is a network find each other when it comes, and
// again after a cut and after a change of address.
func TestLAN(t *testing.T) {
	a, b, middle, left, right := lanPair(t, "a", func(string) {})
	a.say("addrs")
	if got := a.want("addrs"); got != "[]" {
		t.Errorf("addresses without a network: %s", got)
	}
	plugIn(t, left, right)
	both := func(what string) {
		t.Helper()
		began := time.Now()
		a.want(what)
		b.want(what)
		t.Logf("%s on both sides after %v", what, time.Since(began).Round(10*time.Millisecond))
	}
	both("up")
	a.say("addrs")
	if got := a.want("addrs"); !strings.Contains(got, "/ip4/10.77.0.1/tcp/") || strings.Contains(got, "127.0.0.1") {
		t.Errorf("addresses: %s", got)
	}
	ip(t, "-n", middle, "link", "set", "to"+left, "down")
	both("down")
	ip(t, "-n", middle, "link", "set", "to"+left, "up")
	both("up")
	// A new address: nothing that was remembered is of use.
	ip(t, "-n", left, "addr", "del", "10.77.0.1/24", "dev", "eth0")
	ip(t, "-n", left, "addr", "add", "10.77.0.9/24", "dev", "eth0")
	both("down")
	both("up")
}

// Without IPv6 half of mDNS cannot start; the other half does, and closing does
// not hang.
func TestLANWithoutIPv6(t *testing.T) {
	a, b, _, left, right := lanPair(t, "b", func(ns string) {
		ip(t, "netns", "exec", ns, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
	})
	plugIn(t, left, right)
	a.want("up")
	b.want("up")
}
