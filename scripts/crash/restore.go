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

// restore is a backup that is restored into a new directory, and killed meanwhile. The directory then holds no device,
// and restoring again works, or the whole of it.
type restore struct {
	lab     *lab
	random  *rand.Rand
	keys    [2]backupKey
	files   [2]string // the same backup under each key
	owed    []string  // what each document in the backup has
	changes int
	new     *node
	made    int // directories
	lasts   [2]window
	none    int // kills that left no device
	whole   int // kills that left all of it
	again   int // restores run to their end after a kill
}

func newRestore(l *lab, random *rand.Rand) story {
	return &restore{lab: l, random: random, lasts: [...]window{window(time.Second), window(firstGuess)}}
}

func (t *restore) prepare(ctx context.Context) error {
	var err error
	if t.keys, err = t.lab.backupKeys("restore"); err != nil {
		return err
	}
	n := t.lab.node("restore", "a")
	if err := errors.Join(n.init(ctx, false), n.start(ctx)); err != nil {
		return err
	}
	url, err := n.fill(ctx, t.random)
	if err == nil {
		n.stream(ctx, url, toPack)
		err = n.loadErr
	}
	if err := errors.Join(err, n.stop()); err != nil {
		return err
	}
	if t.owed, t.changes, err = versions(ctx, n); err != nil {
		return err
	}
	for i, key := range t.keys {
		t.files[i] = filepath.Join(t.lab.dir, "restore", fmt.Sprintf("backup-%d", i))
		if err := n.command(ctx, nil, with(key.seal, "backup", t.files[i], "--with-identity")...); err != nil {
			return err
		}
	}
	return nil
}

// versions tells what each document of a device has, wherever it lies.
func versions(ctx context.Context, n *node) (all []string, changes int, err error) {
	list, err := n.list(ctx)
	for _, d := range list {
		slices.Sort(d.Heads)
		all = append(all, fmt.Sprintf("%s (%d changes)", strings.Join(d.Heads, " "), d.Changes))
		changes += d.Changes
	}
	slices.Sort(all)
	return all, changes, err
}

func (t *restore) round(ctx context.Context, _ int) (killed int, said string, err error) {
	if t.new == nil {
		t.made++
		t.new = t.lab.node("restore", fmt.Sprintf("new%d", t.made))
	}
	kind, same := t.random.IntN(len(t.keys)), t.random.IntN(2) == 0
	killed, took, err := t.restoring(ctx, kind, same).killedAfter(t.lasts[kind].pick(t.random))
	if err != nil {
		return killed, "", err
	}
	t.lasts[kind].learn(killed > 0, took)
	how := "killed"
	if killed == 0 {
		how = "came too late to kill it"
	}
	there, err := t.check(ctx)
	if err != nil {
		return killed, "", fmt.Errorf("killed after %s: %w", took.Round(time.Millisecond), err)
	}
	left := "no device"
	if there {
		left = "the whole device"
		t.whole += killed
	} else {
		t.none += killed
		if t.random.IntN(2) == 0 { // otherwise the next round goes on where this one left it
			left += "; restored again"
			if err := t.complete(ctx, kind, same); err != nil {
				return killed, "", err
			}
			there = true
		}
	}
	if there {
		err = os.RemoveAll(t.new.dir)
		t.new = nil
	}
	return killed, fmt.Sprintf("%s after %4d ms, left %s", how, took.Milliseconds(), left), err
}

func (t *restore) restoring(ctx context.Context, kind int, same bool) *command {
	args := with(t.keys[kind].open, "restore", t.files[kind])
	if same {
		args = append(args, "--same-device")
	}
	return t.new.prepared(ctx, args...)
}

// complete restores after a kill, in peace.
func (t *restore) complete(ctx context.Context, kind int, same bool) error {
	t.again++
	if _, err := t.restoring(ctx, kind, same).output(); err != nil {
		return fmt.Errorf("restore again: %w", err)
	}
	there, err := t.check(ctx)
	if err == nil && !there {
		err = errors.New("peer restore ended well and left no device")
	}
	return err
}

// check tells whether the directory holds a device, which must be whole then.
func (t *restore) check(ctx context.Context) (there bool, err error) {
	if _, err := t.new.list(ctx); err != nil && strings.Contains(err.Error(), "there is no device") {
		return false, nil
	}
	all, changes, err := versions(ctx, t.new)
	if err != nil {
		return true, err
	}
	if !slices.Equal(all, t.owed) {
		return true, &lostError{max(1, t.changes-changes), fmt.Sprintf("the restored device differs from the backup: it has\n%s\ninstead of\n%s",
			strings.Join(all, "\n"), strings.Join(t.owed, "\n"))}
	}
	return true, t.new.examine(ctx)
}

func (t *restore) finish(ctx context.Context) (string, error) {
	if t.new != nil {
		if err := t.complete(ctx, 0, false); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d kills left no device, %d the whole one; %d times restored again with all %d documents", t.none, t.whole, t.again, len(t.owed)), nil
}

func (t *restore) abort() error { return nil }
