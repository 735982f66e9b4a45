package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/cmd/peer/internal/control"
)

// A node that is just starting or stopping has the directory and does not answer yet, or any more. Commands try again
// every so often, and then say who has the directory.
const (
	patience = 3 * time.Second
	retry    = 50 * time.Millisecond
)

// task is the part of a command that needs the engine.
type task func(ctx context.Context, eng *tombolo.Engine, args []string) error

// access is how a command opens the engine where no node runs.
type access int

const (
	existing access = iota // an existing device, without network
	creating               // makes the device if need be, and needs the network
)

// onEngine is a command's RunE: it has the running node carry the command out, or opens the engine and runs do.
func (p *peer) onEngine(how access, do task) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		if p.engine != nil {
			return do(ctx, p.engine, args)
		}
		conn, eng, err := p.reach(ctx, how, &tombolo.Options{Offline: how == existing})
		switch {
		case err != nil:
			return err
		case conn != nil:
			return p.remote(ctx, conn)
		}
		return errors.Join(do(ctx, eng, args), eng.Close())
	}
}

// remote has the node behind conn carry out the whole command line.
func (p *peer) remote(ctx context.Context, conn net.Conn) error {
	exit, err := control.Do(ctx, conn, control.Request{Args: p.args, Terminal: p.terminal}, control.Streams{
		In: p.in, Out: p.out, Err: p.err, Progress: p.progress,
	})
	if err == nil && exit != exitOK {
		err = exitStatus(exit)
	}
	return err
}

// reach gives a connection to the node that runs on the directory, or else the directory's engine.
func (p *peer) reach(ctx context.Context, how access, opts *tombolo.Options) (net.Conn, *tombolo.Engine, error) {
	if err := p.hasDir(); err != nil {
		return nil, nil, err
	}
	opts.Unlock = p.unlock()
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := control.Dial(ctx, p.dir)
		if !errors.Is(err, control.ErrNoNode) {
			return conn, nil, err
		}
		if how == existing && !tombolo.Exists(p.dir) {
			return nil, nil, p.noDevice()
		}
		eng, err := tombolo.Open(ctx, p.dir, opts)
		if _, busy := errors.AsType[*tombolo.InUseError](err); !busy {
			return nil, eng, p.refused(err)
		}
		select {
		case <-time.After(retry):
		case <-patient.Done():
			return nil, nil, err
		}
	}
}

// dirFlag is what a command in a hint needs to reach this directory: empty, or a space and the flag.
func (p *peer) dirFlag() string {
	i := 0
	for i < len(p.args) && p.args[i] != "--dir" && !strings.HasPrefix(p.args[i], "--dir=") {
		i++
	}
	if i == len(p.args) {
		return ""
	}
	return " --dir " + shellWord(p.dir)
}

// shellWord quotes s where a shell would take it apart.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("/._-+:@%,=", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
