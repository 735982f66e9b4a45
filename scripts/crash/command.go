package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// command is a command line of the program on a node's directory.
type command struct {
	*exec.Cmd
	node      string
	args      []string
	said, log bytes.Buffer
}

// saidAtMost bounds what an error repeats of a command's output, in bytes.
const saidAtMost = 4000

// line is the arguments of the program for a command on this node.
func (n *node) line(args ...string) []string {
	global := []string{"--dir", n.dir, "--json"}
	if n.sealed {
		global = append(global, "--key-file", n.keyFile)
	}
	return append(global, args...)
}

// prepared is a command that has not begun.
func (n *node) prepared(ctx context.Context, args ...string) *command {
	c := &command{Cmd: exec.CommandContext(ctx, n.program, n.line(args...)...), node: n.name, args: args}
	c.Stdout, c.Stderr = &c.said, &c.log
	return c
}

// output runs the command to its end.
func (c *command) output() ([]byte, error) {
	if err := c.Run(); err != nil {
		return nil, c.failed(err)
	}
	return c.said.Bytes(), nil
}

// failed is an error with what the program said.
func (c *command) failed(err error) error {
	said := strings.TrimSpace(c.log.String() + c.said.String())
	return fmt.Errorf("node %s: peer %s: %w: %s", c.node, strings.Join(c.args, " "), err, said[:min(len(said), saidAtMost)])
}

// killedAfter runs the command and kills it after a time. One that ended before is not killed, and must have ended well.
func (c *command) killedAfter(wait time.Duration) (killed int, took time.Duration, err error) {
	begun := time.Now()
	if err := c.Start(); err != nil {
		return 0, 0, err
	}
	end := time.AfterFunc(wait, func() { _ = c.Process.Kill() }) // it may just have ended
	err = c.Wait()
	end.Stop()
	took = time.Since(begun)
	if c.ProcessState.ExitCode() < 0 {
		return 1, took, nil
	}
	if err != nil {
		err = c.failed(err)
	}
	return 0, took, err
}

// command runs one command of the program on the node's directory and reads its JSON into v, unless that is nil.
func (n *node) command(ctx context.Context, v any, args ...string) error {
	out, err := n.prepared(ctx, args...).output()
	if err != nil || v == nil {
		return err
	}
	return json.Unmarshal(out, v)
}

// init makes the device, sealed or not.
func (n *node) init(ctx context.Context, sealed bool) error {
	args := []string{"init", "--name", n.name}
	if n.sealed = sealed; sealed {
		args = append(args, "--seal")
	}
	return n.command(ctx, nil, args...)
}

// create makes a document and gives its URL.
func (n *node) create(ctx context.Context, value string) (string, error) {
	c := n.prepared(ctx, "doc", "create", "-")
	c.Stdin = strings.NewReader(value)
	out, err := c.output()
	if err != nil {
		return "", err
	}
	var created struct{ URL string }
	err = json.Unmarshal(out, &created)
	return created.URL, err
}

// pair has another device join this one. Both run.
func (n *node) pair(ctx context.Context, other *node) error {
	var invitation struct{ Link string }
	if err := n.command(ctx, &invitation, "invite"); err != nil {
		return err
	}
	return other.command(ctx, nil, "join", invitation.Link)
}

// wait returns when what this node has of the document is on both disks.
func (n *node) wait(ctx context.Context, url string) error {
	return n.command(ctx, nil, "doc", "wait", url, "--devices", "2", "--timeout", patience.String())
}
