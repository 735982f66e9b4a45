package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// node is one device: its process while it runs, and what it has acknowledged so far.
type node struct {
	name, program, dir string
	listen             string    // the same at every start: without discovery that is where the other looks
	process            *exec.Cmd // nil while it does not run

	written  int             // edits in its text at the last look: where the next stream goes on
	streamed int             // of its text, the first so many edits were acknowledged
	tried    int             // how many single edits were tried
	both     map[string]bool // single edits that were acknowledged, and whether they were reported on both disks
	loadErr  error           // a failure of the load that is not the kill's doing
}

// letter is the i-th edit of a stream: the text tells by itself whether one is missing.
func letter(i int) byte { return "abcdefghijklmnopqrstuvwxyz"[i%26] }

// start runs the node, if it does not run, and returns when it is ready.
func (n *node) start(ctx context.Context) error {
	if n.process != nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, n.program, "run", "--dir", n.dir, "--json", "--listen", n.listen, "--no-discovery")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("start node %s: %w", n.name, err)
	}
	var ready struct{ Addrs []string }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(line), &ready)
	}
	if err != nil || len(ready.Addrs) == 0 {
		err = errors.Join(err, cmd.Process.Kill(), cmd.Wait())
		return fmt.Errorf("node %s did not get ready: %q, %w\n%s", n.name, line, err, log.String())
	}
	n.process = cmd
	n.listen, _, _ = strings.Cut(ready.Addrs[0], "/p2p/")
	return nil
}

// kill ends the node as a power cut would end its process.
func (n *node) kill() error {
	err := n.process.Process.Kill()
	if err == nil {
		_ = n.process.Wait() // "signal: killed" is what we did
	}
	if code := n.process.ProcessState.ExitCode(); code >= 0 {
		err = errors.Join(err, fmt.Errorf("node %s had ended before it was killed, with code %d", n.name, code))
	}
	n.process = nil
	return err
}

// stop ends the node as a person would.
func (n *node) stop() error {
	err := errors.Join(n.process.Process.Signal(syscall.SIGTERM), n.process.Wait())
	n.process = nil
	if err != nil {
		return fmt.Errorf("stop node %s: %w", n.name, err)
	}
	return nil
}

// command runs one command of the program on the node's directory and reads its JSON into v, unless that is nil.
func (n *node) command(ctx context.Context, v any, args ...string) error {
	cmd := exec.CommandContext(ctx, n.program, append([]string{"--dir", n.dir, "--json"}, args...)...)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("node %s: peer %s: %w: %s", n.name, strings.Join(args, " "), err, strings.TrimSpace(log.String()))
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal(out, v)
}

// wait returns when what this node has of the document is on both disks.
func (n *node) wait(ctx context.Context, url string) error {
	return n.command(ctx, nil, "doc", "wait", url, "--devices", "2", "--timeout", patience.String())
}

// stream appends letters to the node's text, at most limit of them, until ctx ends.
func (n *node) stream(ctx context.Context, url string, limit int) {
	cmd := exec.CommandContext(ctx, n.program, "--dir", n.dir, "--json", "doc", "splice", url, "/"+n.name, "-")
	from := n.written
	lines := &lineReader{to: from + limit, next: from}
	var log bytes.Buffer
	cmd.Stdin, cmd.Stderr = lines, &log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		n.loadErr = err
		return
	}
	for acks := bufio.NewScanner(out); acks.Scan(); {
		var ack struct{ Done, Edits int }
		if err := json.Unmarshal(acks.Bytes(), &ack); err != nil {
			n.loadErr = fmt.Errorf("the stream of node %s printed %q: %w", n.name, acks.Text(), err)
		}
		n.streamed = max(n.streamed, from+ack.Done, from+ack.Edits)
	}
	// Killed with the node, or told that it went away: that is the plan. A refused edit is not.
	if err := cmd.Wait(); err != nil && ctx.Err() == nil && !strings.Contains(log.String(), "went away") {
		n.loadErr = fmt.Errorf("the stream of node %s: %w: %s", n.name, err, log.String())
	}
}

// lineReader gives the lines of a stream, in pieces of one line.
type lineReader struct{ next, to int }

func (r *lineReader) Read(p []byte) (int, error) {
	if r.next == r.to {
		return 0, io.EOF
	}
	line := fmt.Sprintf("[%d,0,%q]\n", r.next, string(letter(r.next)))
	if len(p) < len(line) {
		return 0, io.ErrShortBuffer
	}
	r.next++
	return copy(p, line), nil
}

// singles makes edits one by one, each waiting for both disks, until ctx ends.
func (n *node) singles(ctx context.Context, url string) {
	for ctx.Err() == nil {
		n.tried++
		key := n.name + strconv.Itoa(n.tried)
		if n.command(ctx, nil, "doc", "set", url, "/single/"+key, strconv.Itoa(n.tried)) != nil {
			continue // not acknowledged, so not owed
		}
		n.both[key] = false
		if n.command(ctx, nil, "doc", "wait", url, "--devices", "2", "--timeout", "10s") == nil {
			n.both[key] = true
		}
	}
}
