package main

import (
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
)

// device is one person's directory, and the program that runs on it.
type device struct {
	ctx       context.Context // of the script: its programs end with it
	name, dir string
	program   string // "v1", "v2" or "v3"
	apart     bool   // its program runs without a network
	listen    string // where it listens: any port at first, and then always the same, so that the others find it again

	run   *exec.Cmd
	stdin io.WriteCloser
	ask   *json.Encoder
	hear  *json.Decoder
	log   bytes.Buffer
}

func newDevice(ctx context.Context, under, name string) *device {
	return &device{ctx: ctx, name: name, dir: filepath.Join(under, name), listen: "/ip4/127.0.0.1/tcp/0"}
}

// launch starts a program, and does not wait until it is ready.
func (d *device) launch() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{d.program, "-dir", d.dir, "-name", d.name}
	if !d.apart {
		args = append(args, "-listen", d.listen)
	}
	d.run = exec.CommandContext(d.ctx, self, args...)
	d.run.Stderr = &d.log
	if d.stdin, err = d.run.StdinPipe(); err != nil {
		return err
	}
	stdout, err := d.run.StdoutPipe()
	if err != nil {
		return err
	}
	d.ask, d.hear = json.NewEncoder(d.stdin), json.NewDecoder(stdout)
	return d.run.Start()
}

// ready waits until the program has started.
func (d *device) ready() error {
	a, err := d.answer()
	if err == nil && len(a.Addrs) > 0 {
		d.listen, _, _ = strings.Cut(a.Addrs[0], "/p2p/")
	}
	return err
}

// stop ends the program as its user would.
func (d *device) stop() error {
	if d.run == nil {
		return nil
	}
	err := errors.Join(d.stdin.Close(), d.run.Wait())
	d.run = nil
	return err
}

// kill ends the program as a power cut would.
func (d *device) kill() {
	if d.run != nil {
		_ = d.run.Process.Kill()
		_ = d.run.Wait() // its exit status says that it was killed
		d.run = nil
	}
}

func (d *device) answer() (a answer, err error) {
	if err = d.hear.Decode(&a); err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	if err != nil && d.ctx.Err() != nil {
		err = context.Cause(d.ctx)
	}
	if err != nil {
		err = fmt.Errorf("%s's %s: %w", d.name, d.program, err)
	}
	return a, err
}

// call asks the program for something and waits until it is done.
func (d *device) call(r request) (answer, error) {
	if err := d.ask.Encode(r); err != nil {
		return answer{}, fmt.Errorf("%s's %s: %w", d.name, d.program, err)
	}
	return d.answer()
}
