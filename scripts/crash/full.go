package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// full is a device on a small disk that something else fills to the last byte while the device works. Its node must stay
// alive, say that the store is read-only, go on when there is room, and have all it acknowledged after a restart.
type full struct {
	lab    *lab
	random *rand.Rand
	kind   string
	disk   *mounted
	node   *node
	url    string
	edits  int
}

const (
	// smallDisk is little more than a store wants free: it is full soon, and has room again soon.
	smallDisk = 256 << 20
	// chunk is how much the filler writes at once.
	chunk = 1 << 20
	// fullFor is how long the disk stays full, at most.
	fullFor = 2 * time.Second
)

// outOfSpace reports whether a command says that the disk is full.
func outOfSpace(text string) bool { return strings.Contains(text, "disk space") }

// fill fills a disk in memory and an ext4, so many rounds each.
func (l *lab) fill(ctx context.Context, opts options) error {
	if err := able(); err != nil {
		return err
	}
	begun := time.Now()
	acknowledged := 0
	for i, kind := range []string{"tmpfs", "ext4"} {
		t := &full{lab: l, random: rand.New(rand.NewPCG(opts.seed, 200+uint64(i))), kind: kind}
		err := t.prepare(ctx)
		for round := 1; round <= opts.full && err == nil; round++ {
			var said string
			if said, err = t.round(ctx, round); err == nil {
				fmt.Printf("full %-5s %3d of %3d: %s\n", kind, round, opts.full, said)
			} else {
				err = fmt.Errorf("round %d: %w", round, errors.Join(err, ctx.Err()))
			}
		}
		if err = errors.Join(err, abort(t.node)); t.disk != nil {
			err = errors.Join(err, t.disk.unmount(ctx))
		}
		if err != nil {
			return fmt.Errorf("full %s: %w", kind, err)
		}
		o := t.node.now()
		acknowledged += o.streamed + len(o.single) + len(o.docs)
	}
	fmt.Printf("full disks %d: processes that died 0; acknowledged %d, lost 0; load errors 0; %s\n", 2*opts.full, acknowledged, time.Since(begun).Round(time.Second))
	return nil
}

func (t *full) prepare(ctx context.Context) (err error) {
	dir := filepath.Join(t.lab.dir, "full-"+t.kind)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	var m *mounted
	if t.kind == "tmpfs" {
		m, err = mountMemory(ctx, smallDisk, filepath.Join(dir, "disk"))
	} else if err = ext4(ctx, dir+"/disk.img", smallDisk); err == nil {
		m, err = mountImage(ctx, dir+"/disk.img", filepath.Join(dir, "disk"))
	}
	if err != nil {
		return err
	}
	t.disk = m
	t.node = t.lab.node("full-"+t.kind, "a")
	t.node.dir, t.node.mayFill = filepath.Join(m.dir, "a"), true
	if err := t.node.init(ctx, t.random.IntN(2) == 0); err != nil {
		return err
	}
	t.url, err = t.node.create(ctx, `{"single":{}}`)
	return err
}

func (t *full) round(ctx context.Context, round int) (said string, err error) {
	if err := t.node.start(ctx); err != nil {
		return "", err
	}
	before := t.node.now()
	loading, end := context.WithCancel(ctx)
	defer end()
	var load sync.WaitGroup
	load.Go(func() { t.streams(loading) })
	load.Go(func() { t.node.singles(loading, t.url, 1) })
	load.Go(func() { t.node.creates(loading) })
	stopped := func() error {
		end()
		load.Wait()
		return t.node.loadErr
	}
	filler, err := t.whileFull(ctx)
	if err != nil {
		return "", errors.Join(err, stopped(), os.Remove(filler))
	}
	// A node that is killed now finds the disk full when it starts.
	way := "went on"
	if round%3 == 0 {
		way = "started on the full disk"
		err = errors.Join(t.node.kill(), stopped(), t.startFull(ctx))
	}
	if err = errors.Join(err, os.Remove(filler)); err != nil {
		return "", errors.Join(err, stopped())
	}
	begun := time.Now()
	if err := errors.Join(t.node.start(ctx), t.writable(ctx)); err != nil {
		return "", errors.Join(err, stopped())
	}
	back := time.Since(begun)
	sleep(ctx, between(t.random, underLoad/3))
	if err := stopped(); err != nil {
		return "", err
	}
	leave := t.node.stop
	if t.random.IntN(2) == 0 {
		leave = t.node.kill
	}
	if err := errors.Join(leave(), t.check(ctx)); err != nil {
		return "", err
	}
	after := t.node.now()
	return fmt.Sprintf("%s, took edits %3d ms after there was room; acknowledged %5d edits in streams, %3d single ones, %3d documents", way, back.Milliseconds(),
		after.streamed-before.streamed, len(after.single)-len(before.single), len(after.docs)-len(before.docs)), nil
}

// streams makes one stream after another: each ends when an edit is refused.
func (t *full) streams(ctx context.Context) {
	for ctx.Err() == nil && t.node.loadErr == nil {
		var c content
		if t.node.read(ctx, &c, t.url) == nil {
			t.node.written = len(c.A.Text)
			t.node.stream(ctx, t.url, 3*toPack)
		}
	}
}

// whileFull fills the disk and keeps it full for a while, looks at the node meanwhile, and gives the file that fills it.
func (t *full) whileFull(ctx context.Context) (filler string, err error) {
	sleep(ctx, between(t.random, underLoad/3))
	filler = filepath.Join(t.disk.dir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		return filler, err
	}
	filling, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- fillUp(filling, f) }()
	err = t.refusal(ctx)
	sleep(ctx, between(t.random, fullFor))
	if err == nil {
		err = t.saysReadOnly(ctx)
	}
	end()
	return filler, errors.Join(err, <-done, f.Close())
}

// fillUp writes until the disk has not a byte left, and takes what becomes free until ctx ends.
func fillUp(ctx context.Context, f *os.File) error {
	data := make([]byte, chunk)
	for n := chunk; ctx.Err() == nil; {
		_, err := f.Write(data[:n])
		if err == nil {
			continue
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return err
		}
		if n = max(n/2, 512); n == 512 {
			sleep(ctx, 10*time.Millisecond)
		}
	}
	return nil
}

// refusal waits until an edit is refused.
func (t *full) refusal(ctx context.Context) error {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		err := t.edit(ctx)
		if err != nil && outOfSpace(err.Error()) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("no edit was refused within %s on a full disk", patience)
}

// edit makes an edit that changes something.
func (t *full) edit(ctx context.Context) error {
	t.edits++
	return t.node.command(ctx, nil, "doc", "set", t.url, "/full", strconv.Itoa(t.edits))
}

// saysReadOnly checks that the node lives, says what is the matter, and lets documents be read.
func (t *full) saysReadOnly(ctx context.Context) error {
	state, err := t.state(ctx)
	if err == nil && state != "read-only" {
		err = fmt.Errorf("on a full disk peer status says that the store is %q, not read-only", state)
	}
	return errors.Join(err, t.node.read(ctx, &content{}, t.url))
}

// state is the store's, as the node says.
func (t *full) state(ctx context.Context) (string, error) {
	var status struct {
		Store struct{ State string }
	}
	err := t.node.command(ctx, &status, "status")
	return status.Store.State, err
}

// startFull starts the node on the full disk: it may run, or refuse to and say why.
func (t *full) startFull(ctx context.Context) error {
	if err := t.node.start(ctx); err != nil {
		if outOfSpace(err.Error()) {
			return nil
		}
		return err
	}
	return t.node.read(ctx, &content{}, t.url)
}

// writable waits until an edit is taken again.
func (t *full) writable(ctx context.Context) error {
	deadline := time.Now().Add(patience)
	for {
		err := t.edit(ctx)
		if err == nil {
			break
		}
		if !outOfSpace(err.Error()) || time.Now().After(deadline) {
			return fmt.Errorf("there is room again: %w", errors.Join(err, ctx.Err()))
		}
		sleep(ctx, pause)
	}
	state, err := t.state(ctx)
	if err == nil && state != "ready" {
		err = fmt.Errorf("with room again peer status says that the store is %q, not ready", state)
	}
	return err
}

// check looks at the device without a node.
func (t *full) check(ctx context.Context) error {
	if err := t.node.examine(ctx); err != nil {
		return err
	}
	if err := t.node.hasDocs(ctx); err != nil {
		return err
	}
	return t.node.holdsOwn(ctx, t.url)
}
