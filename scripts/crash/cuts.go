package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// powercut is two nodes on a disk whose power goes away, as one machine's. What the disk has at that moment is what they
// start with next: everything that they acknowledged must be in it, to their users and to each other.
type powercut struct {
	appending
	lab  *lab
	name string // of its directory
	dev  *device
	node *node // one of them, which does more than the other
	keys [2]backupKey
}

// cutWays are the names of what a power cut interrupts or follows.
var cutWays = [...]string{"under load", "as the node ends", "after backup and restore"}

const (
	cutUnderLoad = iota
	cutAtEnd
	cutAfterBackup
)

// diskSize of the device: the store wants 64 MiB free and lays down 32 of ballast.
const diskSize = 384 << 20

// cuts cuts the power so many times, and shows on a program that does not sync that a loss would be seen.
func (l *lab) cuts(ctx context.Context, opts options) error {
	if err := able(); err != nil {
		return err
	}
	begun := time.Now()
	t := l.newPowercut("cuts", opts.seed)
	err := t.prepare(ctx)
	if err != nil {
		err = fmt.Errorf("prepare: %w", err)
	}
	for cut := 1; cut <= opts.cuts && err == nil; cut++ {
		var said string
		if said, err = t.round(ctx, cut); err == nil {
			fmt.Printf("cut %3d of %3d: %s\n", cut, opts.cuts, said)
		} else {
			err = fmt.Errorf("cut %d: %w", cut, errors.Join(err, ctx.Err()))
		}
	}
	if err == nil {
		err = t.meet(ctx)
	}
	if err = errors.Join(err, t.remove(ctx)); err != nil {
		lost, loads := verdict(err)
		fmt.Printf("acknowledged changes lost %d; load errors %d\n", lost, loads)
		return err
	}
	unsynced, err := l.control(ctx, opts.seed)
	if err != nil {
		return err
	}
	sum := t.owed()
	fmt.Printf("power cuts %d: acknowledged %d edits in streams, %d single ones (%d on both disks), %d documents; acknowledged changes lost 0; load errors 0; without syncs %s; %s\n",
		opts.cuts, sum.streamed, sum.single, sum.both, len(t.node.now().docs), unsynced, time.Since(begun).Round(time.Second))
	return nil
}

// newPowercut is the story in a directory of its own. Its remove must be called.
func (l *lab) newPowercut(name string, seed uint64) *powercut {
	t := &powercut{lab: l, name: name}
	t.random = rand.New(rand.NewPCG(seed, 100))
	for i, device := range []string{"a", "b"} {
		t.nodes[i] = l.node(name, device)
	}
	t.node = t.nodes[0]
	return t
}

// prepare makes the disk and the devices. A first cut comes when one has just been made.
func (t *powercut) prepare(ctx context.Context) (err error) {
	dir := filepath.Join(t.lab.dir, t.name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if t.keys, err = t.lab.backupKeys(t.name); err != nil {
		return err
	}
	if t.dev, err = newDevice(ctx, dir, diskSize); err != nil {
		return err
	}
	for _, n := range t.nodes {
		n.dir = filepath.Join(t.dev.disk.dir, n.name)
	}
	first := t.lab.node(t.name, "first")
	first.dir = filepath.Join(t.dev.disk.dir, first.name)
	if err := first.init(ctx, false); err != nil {
		return err
	}
	url, err := first.create(ctx, `{"single":{}}`)
	if err != nil {
		return err
	}
	if err := t.cut(ctx, t.copyOf("first")); err != nil {
		return err
	}
	if err := errors.Join(first.examine(ctx), first.read(ctx, &content{}, url)); err != nil {
		return fmt.Errorf("after a cut just when the device was made: %w", err)
	}
	return errors.Join(os.RemoveAll(first.dir), t.appending.prepare(ctx))
}

// remove ends what runs and takes the disk away.
func (t *powercut) remove(ctx context.Context) error {
	err := t.abort()
	if t.dev != nil {
		err = errors.Join(err, t.dev.remove(ctx))
	}
	return err
}

// copyOf is where a copy of the disk goes.
func (t *powercut) copyOf(name string) string { return filepath.Join(t.lab.dir, t.name, name+".img") }

// cut cuts the power now.
func (t *powercut) cut(ctx context.Context, copied string) error {
	err := t.dev.cut(ctx, copied, func() {})
	if err == nil {
		err = t.dev.become(ctx, copied)
	}
	return errors.Join(err, os.Remove(copied))
}

func (t *powercut) round(ctx context.Context, cut int) (said string, err error) {
	way := cutUnderLoad
	if t.random.IntN(2) == 0 {
		way = t.random.IntN(len(cutWays))
	}
	copied := t.copyOf(fmt.Sprintf("cut%d", cut))
	before := t.owed()
	begun := time.Now()
	if way == cutAfterBackup {
		err = t.afterBackup(ctx, copied, cut)
	} else {
		err = t.underLoad(ctx, copied, way)
	}
	if err == nil {
		err = t.check(ctx)
	}
	after := t.owed()
	return fmt.Sprintf("%-24s acknowledged %4d edits in streams, %3d single ones (%3d on both disks); %4d ms in all", cutWays[way]+",",
		after.streamed-before.streamed, after.single-before.single, after.both-before.both, time.Since(begun).Milliseconds()), err
}

// underLoad cuts the power of a node that works, or that is about to end.
func (t *powercut) underLoad(ctx context.Context, copied string, way int) error {
	if err := t.meet(ctx); err != nil {
		return err
	}
	loading, end := context.WithCancel(ctx)
	defer end()
	var load sync.WaitGroup
	for _, n := range t.nodes {
		load.Go(func() { n.stream(loading, t.url, toPack) })
		load.Go(func() { n.singles(loading, t.url, 2) })
	}
	load.Go(func() { t.node.creates(loading) })
	load.Go(func() { t.node.compacts(loading) })
	err := t.atWork(ctx)
	sleep(ctx, between(t.random, 2*underLoad))
	if way == cutAtEnd {
		end() // commands that outlive the node would open the directory themselves
		load.Wait()
		err = errors.Join(t.nodes[0].interrupt(), t.nodes[1].interrupt())
		sleep(ctx, between(t.random, firstGuess))
	}
	// What is acknowledged while the disk stands still was on it before. The nodes die before the disk moves again.
	var then [2]owed
	err = errors.Join(err, t.dev.cut(ctx, copied, func() {
		for i, n := range t.nodes {
			_ = n.process.Process.Kill()
			then[i] = n.now()
		}
	}))
	end()
	for _, n := range t.nodes {
		n.end()
	}
	load.Wait()
	for i, n := range t.nodes {
		n.owe(func(o *owed) { *o = then[i] })
		err = errors.Join(err, n.loadErr)
	}
	return errors.Join(err, t.dev.become(ctx, copied), os.Remove(copied))
}

// atWork waits until something is acknowledged.
func (t *powercut) atWork(ctx context.Context) error {
	before, deadline := t.owed(), time.Now().Add(patience)
	for t.owed() == before {
		if time.Now().After(deadline) {
			return fmt.Errorf("nothing was acknowledged within %s", patience)
		}
		if sleep(ctx, pause/10); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// afterBackup cuts the power when a backup was made on the disk, and restored into a new device.
func (t *powercut) afterBackup(ctx context.Context, copied string, cut int) error {
	for _, n := range t.nodes { // those that were just made run
		if n.process != nil {
			if err := n.stop(); err != nil {
				return err
			}
		}
	}
	file := filepath.Join(t.dev.disk.dir, "backup")
	restored := t.lab.node(t.name, fmt.Sprintf("new%d", cut))
	restored.dir = filepath.Join(t.dev.disk.dir, restored.name)
	key := t.keys[t.random.IntN(len(t.keys))]
	want, _, err := versions(ctx, t.node)
	if err == nil {
		err = t.node.command(ctx, nil, with(key.seal, "backup", file)...)
	}
	if err == nil {
		err = restored.command(ctx, nil, with(key.open, "restore", file)...)
	}
	if err == nil {
		err = t.cut(ctx, copied)
	}
	if err != nil {
		return err
	}
	if err := t.node.command(ctx, nil, with(key.open, "verify", file)...); err != nil {
		return &loadError{err}
	}
	got, _, err := versions(ctx, restored)
	if err != nil {
		return err
	}
	if !slices.Equal(got, want) {
		return &lostError{1, fmt.Sprintf("the restored device differs: it has %d documents, the backup %d", len(got), len(want))}
	}
	return errors.Join(restored.examine(ctx), os.Remove(file), os.RemoveAll(restored.dir))
}

// check looks at the devices without a node.
func (t *powercut) check(ctx context.Context) error {
	for _, n := range t.nodes {
		if err := t.checkNode(ctx, n, false); err != nil {
			return err
		}
	}
	return t.node.hasDocs(ctx)
}
