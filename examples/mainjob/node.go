package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// node is one device: a directory, and `peer run` on it.
type node struct {
	name, binary, dir string
	run               *exec.Cmd
	log               bytes.Buffer // what the node logged, shown when something failed
}

// startNode makes a device and waits until its node says that it is ready.
func startNode(ctx context.Context, binary, under, name string) (*node, error) {
	n := &node{name: name, binary: binary, dir: filepath.Join(under, name)}
	if _, err := n.peer(ctx, nil, "init", "--name", name); err != nil {
		return nil, err
	}
	n.run = exec.Command(binary, "--dir", n.dir, "run", "--json", "--no-discovery", "--listen", "/ip4/127.0.0.1/tcp/0")
	n.run.Stderr = &n.log
	out, err := n.run.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := n.run.Start(); err != nil {
		return nil, err
	}
	var ready struct{ Event string }
	lines := bufio.NewReader(out)
	line, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil || ready.Event != "ready" {
		n.kill()
		return nil, fmt.Errorf("start %s: it said %q (%v)", name, line, err)
	}
	go io.Copy(io.Discard, lines) // what it says from now on is not needed; the pipe must not fill up
	return n, nil
}

// peer carries out one command on the device and gives what it printed.
func (n *node) peer(ctx context.Context, in io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, n.binary, append([]string{"--dir", n.dir, "--json"}, args...)...)
	cmd.Stdin = in
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = errors.New(strings.TrimSpace(string(exit.Stderr)))
		}
		return nil, fmt.Errorf("peer %s on %s: %w", strings.Join(args, " "), n.name, err)
	}
	return out, nil
}

// value is peer for commands that print one JSON value.
func (n *node) value(ctx context.Context, into any, args ...string) error {
	out, err := n.peer(ctx, nil, args...)
	if err != nil {
		return err
	}
	return json.Unmarshal(out, into)
}

// stream starts a command that reads and writes lines for as long as it is wanted.
func (n *node) stream(ctx context.Context, args ...string) (*stream, error) {
	cmd := exec.CommandContext(ctx, n.binary, append([]string{"--dir", n.dir, "--json"}, args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &stream{cmd: cmd, in: in, out: bufio.NewScanner(out)}, cmd.Start()
}

type stream struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// next reads the next line as JSON.
func (s *stream) next(into any) error {
	if !s.out.Scan() {
		return errors.Join(fmt.Errorf("`%s` ended too early", strings.Join(s.cmd.Args[4:], " ")), s.out.Err())
	}
	return json.Unmarshal(s.out.Bytes(), into)
}

// end closes the input and waits until the command has ended well.
func (s *stream) end() error {
	err := s.in.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	for s.out.Scan() { // the rest of what it says
	}
	return errors.Join(err, s.cmd.Wait())
}

// interrupt ends a command that has no end of its own.
func (s *stream) interrupt() {
	_ = s.cmd.Process.Signal(syscall.SIGINT)
	_ = s.end() // it was told to stop, so its exit status says nothing
}

// stop ends the node as an operator would, and checks that it ended well.
func (n *node) stop() error {
	if err := n.run.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", n.name, err)
	}
	if err := n.run.Wait(); err != nil {
		return fmt.Errorf("stop %s: %w", n.name, err)
	}
	n.run = nil
	return nil
}

// size is how many bytes the node's data takes on disk.
func (n *node) size() (int64, error) {
	var sum int64
	err := filepath.WalkDir(n.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || e.Name() == "ballast" { // a reserve against a full disk
			return err
		}
		info, err := e.Info()
		if err == nil {
			sum += info.Sys().(*syscall.Stat_t).Blocks * 512 // files may have holes
		}
		return err
	})
	return sum, err
}

// kill makes sure that the node is gone, whatever happened.
func (n *node) kill() {
	if n.run != nil {
		_ = n.run.Process.Kill()
		_ = n.run.Wait()
	}
}
