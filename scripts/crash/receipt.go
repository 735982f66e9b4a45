package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// receipt is a device that gets a long document from another and is killed meanwhile, again and again until it has all:
// what it has on its disk never becomes less. Then it falls behind, or another device begins with nothing.
type receipt struct {
	lab     *lab
	random  *rand.Rand
	giver   *node
	taker   *node
	takers  int
	url     string
	had     int              // edits on the taker's disk when it was last looked at
	windows [2]time.Duration // kills come within it: about as long as receiving takes, from the start and from its begin
	midst   int              // kills after which the taker had more than before, and not all
	whole   int              // how often a taker came to have all
	falls   int              // how often one fell behind
	starts  int              // of the taker, since it last had all
	resumed int              // times that all was there only after several starts
}

const (
	// long is how many changes a fresh device has to receive, and behind how many one that was away.
	long, behind = 40_000, 20_000
	// setUp is more changes than the document has beside the edits.
	setUp = 16
	// pause is the time between two looks at what is waited for.
	pause = 100 * time.Millisecond
)

func newReceipt(l *lab, random *rand.Rand) story {
	return &receipt{lab: l, random: random, windows: [...]time.Duration{500 * time.Millisecond, 200 * time.Millisecond}}
}

func (t *receipt) prepare(ctx context.Context) error {
	t.giver = t.lab.node("receipt", "a")
	err := errors.Join(t.giver.init(ctx, false), t.giver.start(ctx))
	if err == nil {
		t.url, err = t.giver.create(ctx, `{"single":{}}`)
	}
	if err != nil {
		return err
	}
	return t.grow(ctx, long)
}

// grow makes so many changes, each on the giver's disk.
func (t *receipt) grow(ctx context.Context, changes int) error {
	t.giver.stream(ctx, t.url, changes)
	t.giver.written = t.giver.streamed
	return t.giver.loadErr
}

func (t *receipt) round(ctx context.Context, _ int) (killed int, said string, err error) {
	fresh := t.taker == nil || t.had == t.giver.streamed && t.random.IntN(2) == 0
	if fresh {
		err = t.begin(ctx)
	} else {
		if t.had == t.giver.streamed {
			t.falls++
			err = t.grow(ctx, behind)
		}
		if err == nil {
			err = t.taker.start(ctx)
		}
	}
	if err != nil {
		return 0, "", err
	}
	t.starts++
	begun, window := time.Now(), &t.windows[min(1, t.random.IntN(3))]
	if window == &t.windows[1] {
		if err := t.begun(ctx); err != nil {
			return 0, "", err
		}
	}
	sleep(ctx, between(t.random, *window))
	took := time.Since(begun)
	if err := t.taker.kill(); err != nil {
		return 1, "", err
	}
	before := t.had
	if err := t.look(ctx); err != nil {
		return 1, "", fmt.Errorf("killed after %s: %w", took.Round(time.Millisecond), err)
	}
	t.tune(window, before)
	return 1, fmt.Sprintf("device %d killed after %4d ms; has %6d of %6d changes, had %6d", t.takers, took.Milliseconds(), t.had, t.giver.streamed, before), nil
}

// begin pairs a new device, which then receives the document.
func (t *receipt) begin(ctx context.Context) error {
	t.takers++
	t.taker, t.had, t.starts = t.lab.node("receipt", fmt.Sprintf("taker%d", t.takers)), 0, 0
	err := errors.Join(t.taker.init(ctx, t.random.IntN(2) == 0), t.taker.start(ctx))
	if err != nil {
		return err
	}
	return t.giver.pair(ctx, t.taker)
}

// begun waits until the taker has received something, as far as it is going to.
func (t *receipt) begun(ctx context.Context) error {
	for deadline := time.Now().Add(patience / 6); time.Now().Before(deadline) && ctx.Err() == nil; {
		all, err := t.taker.list(ctx)
		if err != nil {
			return err
		}
		if len(all) > 0 && all[0].Changes > t.had+setUp {
			return nil
		}
	}
	return ctx.Err()
}

// look reads the taker's disk, without a node.
func (t *receipt) look(ctx context.Context) error {
	if err := t.taker.examine(ctx); err != nil {
		return err
	}
	all, err := t.taker.list(ctx)
	if err != nil {
		return err
	}
	var c content
	if len(all) > 0 || t.had > 0 {
		if err := t.taker.read(ctx, &c, t.url); err != nil {
			return err
		}
	}
	if err := t.taker.holds(c.A.Text, "a", t.had); err != nil {
		return err
	}
	t.had = len(c.A.Text)
	return nil
}

// tune notes how the kill went, and moves its window to where receiving takes place on this machine.
func (t *receipt) tune(window *time.Duration, before int) {
	switch {
	case t.had == t.giver.streamed:
		t.whole++
		if t.starts > 1 {
			t.resumed++
		}
		t.starts = 0
		*window = max(*window*3/4, 5*time.Millisecond)
	case t.had > before:
		t.midst++
	default:
		*window = *window * 4 / 3
	}
}

func (t *receipt) finish(ctx context.Context) (string, error) {
	if t.taker == nil {
		return "", errors.New("no device received anything, so nothing was tried")
	}
	if err := t.taker.start(ctx); err != nil {
		return "", err
	}
	if err := t.arrival(ctx); err != nil {
		return "", err
	}
	if err := errors.Join(t.taker.stop(), t.giver.stop()); err != nil {
		return "", err
	}
	t.had = t.giver.streamed
	if err := t.look(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d kills in the midst of receiving; %d devices had all %d times (%d after several starts), fell behind %d times; the last has all %d changes",
		t.midst, t.takers, t.whole, t.resumed, t.falls, t.had), nil
}

// arrival waits until the taker has all.
func (t *receipt) arrival(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		all, err := t.taker.list(ctx)
		if err != nil {
			return err
		}
		if len(all) > 0 {
			var c content
			if err := t.taker.read(ctx, &c, t.url); err != nil {
				return err
			}
			if len(c.A.Text) == t.giver.streamed {
				return nil
			}
		}
		if sleep(ctx, pause); ctx.Err() != nil {
			return fmt.Errorf("the device did not get all within %s: %w", patience, ctx.Err())
		}
	}
}

func (t *receipt) abort() error { return abort(t.giver, t.taker) }
