package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// appending is two nodes, one of them sealed, and what they owe us. In each round they meet, and see that they have the same. Each then edits
// one document: a stream of edits to a text of its own, and single edits that wait until they are on both disks. Both
// are killed. Each disk must hold what its node acknowledged, and of the other's edits those that were reported there.
type appending struct {
	random           *rand.Rand
	url              string
	nodes            [2]*node
	streamed, single int
}

const (
	// patience is how long two nodes may take to find each other and have the same on both disks.
	patience = time.Minute
	// streamOf is how many edits a stream has in a round, at most.
	streamOf = 2000
	// underLoad is how long nodes work before they are killed, at most.
	underLoad = 1500 * time.Millisecond
)

func newAppending(l *lab, random *rand.Rand) story {
	return &appending{random: random, nodes: [...]*node{l.node("append", "a"), l.node("append", "b")}}
}

// prepare makes the two devices, pairs them, and creates the document on both.
func (t *appending) prepare(ctx context.Context) error {
	for i, n := range t.nodes {
		if err := errors.Join(n.init(ctx, i == 1), n.start(ctx)); err != nil {
			return err
		}
	}
	a, b := t.nodes[0], t.nodes[1]
	err := a.pair(ctx, b)
	if err == nil {
		t.url, err = a.create(ctx, `{"single":{}}`)
	}
	if err == nil {
		err = a.wait(ctx, t.url)
	}
	return err
}

func (t *appending) round(ctx context.Context, limit int) (int, string, error) {
	if err := t.meet(ctx); err != nil {
		return 0, "", err
	}
	before := t.owed()
	killed, took, err := t.loadAndKill(ctx, min(limit, 2))
	if err != nil {
		return killed, "", err
	}
	for _, n := range t.nodes {
		if err := t.checkNode(ctx, n, false); err != nil {
			return killed, "", fmt.Errorf("killed after %s: %w", took.Round(time.Millisecond), err)
		}
	}
	now := t.owed()
	t.streamed, t.single = now.streamed, now.single
	return killed, fmt.Sprintf("killed after %4d ms; acknowledged: %4d edits in streams, %3d single ones (%3d on both disks)",
		took.Milliseconds(), now.streamed-before.streamed, now.single-before.single, now.both-before.both), nil
}

func (t *appending) finish(ctx context.Context) (string, error) {
	if err := t.meet(ctx); err != nil {
		return "", err
	}
	for _, n := range t.nodes {
		if err := n.stop(); err != nil {
			return "", err
		}
	}
	if t.streamed == 0 || t.single == 0 {
		return "", errors.New("nothing was acknowledged in all rounds, so nothing was tried")
	}
	return fmt.Sprintf("all %d edits of streams and %d single ones are there, and both devices have the same", t.streamed, t.single), nil
}

func (t *appending) abort() error { return abort(t.nodes[:]...) }

// abort kills those nodes that run.
func abort(nodes ...*node) (err error) {
	for _, n := range nodes {
		if n != nil && n.process != nil {
			err = errors.Join(err, n.kill())
		}
	}
	return err
}

// meet starts both nodes where they do not run, waits until each has on its disk what the other has, and compares.
func (t *appending) meet(ctx context.Context) error {
	for _, n := range t.nodes {
		if err := n.start(ctx); err != nil {
			return err
		}
	}
	var hashes [2]struct{ Hash string }
	for i, n := range t.nodes {
		if err := n.wait(ctx, t.url); err != nil {
			return err
		}
		// The other may have had more, which the wait of its own brings here.
		if err := t.nodes[1-i].wait(ctx, t.url); err != nil {
			return err
		}
	}
	for i, n := range t.nodes {
		if err := n.command(ctx, &hashes[i], "doc", "hash", t.url); err != nil {
			return err
		}
		if err := t.checkNode(ctx, n, true); err != nil {
			return err
		}
	}
	if hashes[0] != hashes[1] {
		return fmt.Errorf("the devices met and differ: %s and %s", hashes[0].Hash, hashes[1].Hash)
	}
	return nil
}

// loadAndKill edits on both nodes and kills both at a random moment, or one of them and stops the other.
func (t *appending) loadAndKill(ctx context.Context, kills int) (killed int, took time.Duration, err error) {
	wait := between(t.random, underLoad)
	first := t.random.IntN(2)
	// Commands end with the nodes: without one they would go on by opening the directory themselves.
	loading, end := context.WithCancel(ctx)
	defer end()
	var load sync.WaitGroup
	begun := time.Now()
	for _, n := range t.nodes {
		load.Go(func() { n.stream(loading, t.url, streamOf) })
		load.Go(func() { n.singles(loading, t.url, 2) })
	}
	sleep(ctx, wait)
	took = time.Since(begun)
	other := t.nodes[1-first].kill
	if kills < 2 {
		other = t.nodes[1-first].stop
	}
	err = errors.Join(t.nodes[first].kill(), other())
	end()
	load.Wait()
	for _, n := range t.nodes {
		err = errors.Join(err, n.loadErr)
	}
	return kills, took, errors.Join(err, ctx.Err())
}

type sum struct{ streamed, single, both int }

// owed is how much has been acknowledged since the beginning.
func (t *appending) owed() (s sum) {
	for _, n := range t.nodes {
		o := n.now()
		s.streamed += o.streamed
		s.single += len(o.single)
		for _, both := range o.single {
			if both {
				s.both++
			}
		}
	}
	return s
}

// checkNode looks for everything that a device must have: what it acknowledged itself, and of the other's what was reported
// to be on its disk, or all once they have met.
func (t *appending) checkNode(ctx context.Context, n *node, met bool) error {
	if err := n.examine(ctx); err != nil {
		return err
	}
	var c content
	if err := n.read(ctx, &c, t.url); err != nil {
		return err
	}
	for _, writer := range t.nodes {
		own := writer == n
		owed := 0
		if own || met {
			owed = writer.streamed
		}
		text := c.text(writer.name)
		if err := n.holds(text, writer.name, owed); err != nil {
			return err
		}
		if own {
			n.written = len(text)
		}
		for key, both := range writer.single {
			if _, there := c.Single[key]; !there && (own || both || met) {
				return &lostError{1, fmt.Sprintf("device %s lacks the acknowledged edit %s", n.name, key)}
			}
		}
	}
	return nil
}
