package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A story is something that a kill may interrupt.
type story interface {
	// prepare makes what the rounds need.
	prepare(ctx context.Context) error
	// round kills at most limit processes at random moments, looks at what is left, and says how it went.
	round(ctx context.Context, limit int) (killed int, said string, err error)
	// finish checks what must hold in the end, and stops what runs. It fails where the kills hit nothing.
	finish(ctx context.Context) (said string, err error)
	// abort ends what still runs after a failure.
	abort() error
}

// stories lists them in the order in which they play, with their share of the kills in percent.
var stories = []struct {
	name  string
	share int
	tell  func(l *lab, random *rand.Rand) story
}{
	{"append", 30, newAppending},
	{"packing", 20, newPacking},
	{"receipt", 20, newReceipt},
	{"backup", 15, newBackup},
	{"restore", 15, newRestore},
}

// lostError reports that something acknowledged is not there.
type lostError struct {
	n    int
	what string
}

func (e *lostError) Error() string { return "LOST: " + e.what }

// loadError reports that what a kill left cannot be read.
type loadError struct{ error }

func (e *loadError) Unwrap() error { return e.error }

// verdict is what an error says of lost changes and failed loads.
func verdict(err error) (lost, loads int) {
	if e, ok := errors.AsType[*lostError](err); ok {
		lost = e.n
	}
	if _, ok := errors.AsType[*loadError](err); ok {
		loads = 1
	}
	return lost, loads
}

// rounds is how often at most a story is played for each of its kills: a round may come too late to kill anything.
const rounds = 5

// kills plays the stories and prints the sum.
func (l *lab) kills(ctx context.Context, opts options) error {
	shares, err := shareOut(opts.kills, opts.only)
	if err != nil {
		return err
	}
	begun := time.Now()
	total, lost, loads := 0, 0, 0
	var sum []string
	var failed error
	for i, s := range stories {
		if shares[i] == 0 {
			continue
		}
		if failed = errors.Join(os.Mkdir(filepath.Join(l.dir, s.name), 0o700), ctx.Err()); failed != nil {
			break
		}
		killed, err := play(ctx, s.name, s.tell(l, rand.New(rand.NewPCG(opts.seed, uint64(i)))), shares[i])
		total += killed
		sum = append(sum, fmt.Sprintf("%s %d", s.name, killed))
		if lost, loads = verdict(err); err != nil {
			failed = fmt.Errorf("%s: %w", s.name, err)
			break
		}
	}
	fmt.Printf("kills %d: %s; acknowledged changes lost %d; load errors %d; %s\n",
		total, strings.Join(sum, ", "), lost, loads, time.Since(begun).Round(time.Second))
	return failed
}

// shareOut says how many kills each story gets; the first takes what does not come out even.
func shareOut(kills int, only string) ([]int, error) {
	var all []string
	for _, s := range stories {
		all = append(all, s.name)
	}
	names := all
	if only != "" {
		names = strings.Split(only, ",")
	}
	for _, name := range names {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("there is no story %q; choose among %s", name, strings.Join(all, ", "))
		}
	}
	shares, whole, first := make([]int, len(stories)), 0, -1
	for i, s := range stories {
		if slices.Contains(names, s.name) {
			if whole += s.share; first < 0 {
				first = i
			}
		}
	}
	left := kills
	for i, s := range stories {
		if i != first && slices.Contains(names, s.name) {
			shares[i] = kills * s.share / whole
			left -= shares[i]
		}
	}
	shares[first] = left
	return shares, nil
}

// play goes through a story until so many processes were killed.
func play(ctx context.Context, name string, s story, kills int) (killed int, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, s.abort())
		}
	}()
	if err := s.prepare(ctx); err != nil {
		return 0, fmt.Errorf("prepare: %w", err)
	}
	for round := 1; killed < kills; round++ {
		if round > rounds*kills {
			return killed, fmt.Errorf("only %d of %d kills in %d rounds found something to kill; the stories' times do not fit this machine", killed, kills, round-1)
		}
		n, said, err := s.round(ctx, kills-killed)
		killed += n
		if err != nil {
			return killed, fmt.Errorf("round %d: %w", round, errors.Join(err, ctx.Err()))
		}
		fmt.Printf("%-8s %3d of %3d: %s\n", name, killed, kills, said)
	}
	said, err := s.finish(ctx)
	if err != nil {
		return killed, fmt.Errorf("after the last round: %w", err)
	}
	fmt.Printf("%-8s %s\n", name, said)
	return killed, nil
}

// window is about how long something takes: kills come within it. It follows the machine.
type window time.Duration

// pick is a moment in the window.
func (w window) pick(random *rand.Rand) time.Duration { return between(random, time.Duration(w)) }

// learn takes in that a kill hit, or came when all was over after a time.
func (w *window) learn(hit bool, took time.Duration) {
	if *w += *w / 10; !hit {
		*w = window(took)
	}
}

// between is a random time below longest.
func between(random *rand.Rand, longest time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(max(longest, time.Millisecond))))
}

// sleep waits, or returns early when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
