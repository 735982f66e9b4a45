package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// node is one device: its process while it runs, and what it has acknowledged so far.
type node struct {
	name, program, dir string
	keyFile            string // what opens it, if it is sealed
	sealed             bool
	listen             string    // the same at every start: without discovery that is where the other looks
	process            *exec.Cmd // nil while it does not run
	mayFill            bool      // its disk may run full

	written int   // edits in its text at the last look: where the next stream goes on
	tried   int   // how many single edits were tried
	loadErr error // a failure of the load that is not the kill's doing
	debt
}

// start runs the node, if it does not run, and returns when it is ready.
func (n *node) start(ctx context.Context) error {
	if n.process != nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, n.program, n.line("run", "--listen", n.listen, "--no-discovery")...)
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

// stopAndKill ends the node as a person would, and kills it after a time, unless it has ended well by then.
func (n *node) stopAndKill(wait time.Duration) (killed int, took time.Duration, err error) {
	begun, process := time.Now(), n.process.Process
	err = process.Signal(syscall.SIGTERM)
	end := time.AfterFunc(wait, func() { _ = process.Kill() }) // it may just have ended
	waited := n.process.Wait()
	end.Stop()
	took = time.Since(begun)
	if n.process.ProcessState.ExitCode() < 0 {
		killed, waited = 1, nil
	}
	n.process = nil
	return killed, took, errors.Join(err, waited)
}

// interrupt asks the node to end, and does not wait for it.
func (n *node) interrupt() error { return n.process.Process.Signal(syscall.SIGTERM) }

// end sees a node out that may have ended already, or kills it.
func (n *node) end() {
	_ = n.process.Process.Kill()
	_ = n.process.Wait()
	n.process = nil
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
