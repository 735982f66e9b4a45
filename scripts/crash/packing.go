package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// packing is one device whose loose changes become packs, in each of the ways there are: behind a stream of edits and
// 'peer compact' in the node, at the node's end, and 'peer compact' without a node. Each is killed in the midst of it.
type packing struct {
	lab    *lab
	random *rand.Rand
	node   *node
	url    string
	ending window
	alone  window
	hits   [len(packingWays)]int
}

// packingWays are the names of what is interrupted.
var packingWays = [...]string{"under load", "as the node ends", "compact without a node"}

const (
	underStream = iota
	atEnd
	withoutNode
)

const (
	// toPack is how many edits a stream of packing has: they are packed about six hundred at a time.
	toPack = 4000
	// toRest is fewer than the node packs by itself.
	toRest = 400
	// firstGuess is how long a command is taken to last before one was seen to end.
	firstGuess = 400 * time.Millisecond
)

func newPacking(l *lab, random *rand.Rand) story {
	return &packing{lab: l, random: random, ending: window(firstGuess), alone: window(firstGuess)}
}

func (t *packing) prepare(ctx context.Context) error {
	t.node = t.lab.node("packing", "a")
	if err := t.node.init(ctx, t.random.IntN(2) == 0); err != nil {
		return err
	}
	var err error
	t.url, err = t.node.create(ctx, `{"single":{}}`)
	return err
}

func (t *packing) round(ctx context.Context, limit int) (killed int, said string, err error) {
	way := t.random.IntN(len(packingWays))
	if limit < 2 && way == withoutNode { // it takes a kill of the node to have something loose
		way = underStream
	}
	before := t.node.streamed
	var took time.Duration
	switch way {
	case underStream:
		killed, took, err = t.underStream(ctx, toPack)
	case atEnd:
		killed, took, err = t.atEnd(ctx)
	case withoutNode:
		if killed, _, err = t.underStream(ctx, toRest); err == nil {
			var n int
			n, took, err = t.withoutNode(ctx)
			killed += n
		}
	}
	if err = errors.Join(err, t.node.loadErr); err != nil {
		return killed, "", err
	}
	if err := t.check(ctx); err != nil {
		return killed, "", fmt.Errorf("%s, killed after %s: %w", packingWays[way], took.Round(time.Millisecond), err)
	}
	how := fmt.Sprintf("killed %s after %4d ms", packingWays[way], took.Milliseconds())
	if killed == 0 {
		how = "came too late to kill " + packingWays[way]
	} else {
		t.hits[way]++
	}
	return killed, fmt.Sprintf("%s; acknowledged: %4d edits", how, t.node.streamed-before), nil
}

// underStream kills the node while it takes edits and packs what it has.
func (t *packing) underStream(ctx context.Context, edits int) (killed int, took time.Duration, err error) {
	if err := t.node.start(ctx); err != nil {
		return 0, 0, err
	}
	wait := between(t.random, underLoad)
	loading, end := context.WithCancel(ctx)
	defer end()
	var load sync.WaitGroup
	begun := time.Now()
	load.Go(func() { t.node.stream(loading, t.url, edits) })
	load.Go(func() { t.node.compacts(loading) })
	sleep(ctx, wait)
	took = time.Since(begun)
	err = t.node.kill()
	end()
	load.Wait()
	return 1, took, errors.Join(err, ctx.Err())
}

// atEnd interrupts the node, which packs what is loose before it ends, and kills it meanwhile.
func (t *packing) atEnd(ctx context.Context) (killed int, took time.Duration, err error) {
	if err := t.node.start(ctx); err != nil {
		return 0, 0, err
	}
	t.node.stream(ctx, t.url, toRest)
	killed, took, err = t.node.stopAndKill(t.ending.pick(t.random))
	t.ending.learn(killed > 0, took)
	return killed, took, err
}

// withoutNode kills a 'peer compact' that opened the directory itself.
func (t *packing) withoutNode(ctx context.Context) (killed int, took time.Duration, err error) {
	killed, took, err = t.node.prepared(ctx, "compact").killedAfter(t.alone.pick(t.random))
	t.alone.learn(killed > 0, took)
	return killed, took, err
}

func (t *packing) check(ctx context.Context) error {
	if err := t.node.examine(ctx); err != nil {
		return err
	}
	return t.node.holdsOwn(ctx, t.url)
}

func (t *packing) finish(ctx context.Context) (string, error) {
	if err := t.node.command(ctx, nil, "compact"); err != nil {
		return "", err
	}
	if err := t.check(ctx); err != nil {
		return "", err
	}
	if t.node.streamed == 0 {
		return "", errors.New("nothing was acknowledged in all rounds, so nothing was tried")
	}
	return fmt.Sprintf("all %d edits are there; rounds %s: %d, %s: %d, %s: %d", t.node.streamed,
		packingWays[underStream], t.hits[underStream], packingWays[atEnd], t.hits[atEnd], packingWays[withoutNode], t.hits[withoutNode]), nil
}

func (t *packing) abort() error { return abort(t.node) }
