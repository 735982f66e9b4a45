package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// node is one device, and its process while that runs.
type node struct {
	name, program, dir string
	listen             string // the same at every start: that is where the other looks
	process            *exec.Cmd
	log                *bytes.Buffer // what it says on standard error; read when it has ended
}

// versions is the heads of each document, by its URL.
type versions map[string]string

// refusedError says that a node did not start, and why.
type refusedError struct{ message string }

func (e refusedError) Error() string { return e.message }

// start runs the node and returns when it is ready, or a refusedError with what it said instead.
func (n *node) start(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, n.program, "run", "--dir", n.dir, "--json", "--listen", n.listen, "--no-discovery")
	n.log = &bytes.Buffer{}
	cmd.Stderr = n.log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("start node %s: %w", n.name, err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	var ready struct{ Addrs []string }
	if err == nil {
		err = json.Unmarshal([]byte(line), &ready)
	}
	if err != nil || len(ready.Addrs) == 0 {
		_ = cmd.Process.Kill() // it has ended, most likely
		_ = cmd.Wait()
		return refusedError{lastError(n.log.String())}
	}
	n.process = cmd
	n.listen, _, _ = strings.Cut(ready.Addrs[0], "/p2p/")
	return nil
}

// lastError is the message in the last line of a program's standard error that has one; all of it where it is no JSON, as after a panic.
func lastError(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	for _, line := range slices.Backward(lines) {
		var said struct{ Error string }
		if json.Unmarshal([]byte(line), &said) == nil && said.Error != "" {
			return said.Error
		}
	}
	return strings.TrimSpace(log)
}

// warnings are the messages of a node's log that an operator is meant to see.
func warnings(log string) string {
	var out []string
	for line := range strings.Lines(log) {
		var said struct{ Level, Msg, Err string }
		if json.Unmarshal([]byte(line), &said) == nil && (said.Level == "WARN" || said.Level == "ERROR") && said.Msg != "" {
			if said.Err != "" {
				said.Msg += ": " + said.Err
			}
			out = append(out, said.Msg)
		}
	}
	return strings.Join(out, "; ")
}

func (n *node) kill() error {
	err := n.process.Process.Kill()
	_ = n.process.Wait() // "signal: killed" is what we did
	n.process = nil
	return err
}

func (n *node) stop() error {
	err := errors.Join(n.process.Process.Signal(syscall.SIGTERM), n.process.Wait())
	n.process = nil
	if err != nil {
		return fmt.Errorf("stop node %s: %w: %s", n.name, err, lastError(n.log.String()))
	}
	return nil
}

// command runs one command of the program on the node's directory and reads its JSON into v, unless that is nil.
func (n *node) command(ctx context.Context, v any, in string, args ...string) error {
	out, log, err := n.exec(ctx, in, args...)
	if err != nil {
		return fmt.Errorf("node %s: peer %s: %w: %s", n.name, strings.Join(args, " "), err, lastError(log))
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal([]byte(out), v)
}

func (n *node) exec(ctx context.Context, in string, args ...string) (out, log string, err error) {
	cmd := exec.CommandContext(ctx, n.program, append([]string{"--dir", n.dir, "--json"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// diagnosis is what `peer doctor` prints.
type diagnosis struct {
	Sound    bool
	Findings []struct{ Severity, Where, What string }
	Repaired []string
	failed   string // instead of all that
}

// notices says whether there is anything to read for the operator, and what.
func (d diagnosis) notices() (bool, string) {
	if d.failed != "" {
		return true, d.failed
	}
	var out []string
	for _, f := range d.Findings {
		out = append(out, f.Where+": "+f.What)
	}
	return len(out) > 0, strings.Join(out, "; ")
}

func (n *node) doctor(ctx context.Context, args ...string) (diagnosis, error) {
	out, log, err := n.exec(ctx, "", append([]string{"doctor"}, args...)...)
	var d diagnosis
	if json.Unmarshal([]byte(out), &d) == nil {
		return d, nil
	}
	if _, exit := errors.AsType[*exec.ExitError](err); !exit {
		return d, fmt.Errorf("peer doctor printed %q: %w", out, err)
	}
	d.failed = lastError(log)
	return d, nil
}

// versions are the documents of the device that read.
func (n *node) versions(ctx context.Context) (versions, error) {
	var status struct {
		Documents []struct {
			URL, State string
			Heads      []string
		}
	}
	if err := n.command(ctx, &status, "", "status"); err != nil {
		return nil, err
	}
	out := versions{}
	for _, d := range status.Documents {
		if d.State == "ready" {
			out[d.URL] = strings.Join(d.Heads, " ")
		}
	}
	return out, nil
}

var errDiffers = errors.New("it does not have what the other has")

// wait waits until the device has these versions.
func (n *node) wait(ctx context.Context, want versions) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		have, err := n.versions(ctx)
		if err == nil && maps.Equal(have, want) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(errDiffers, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
