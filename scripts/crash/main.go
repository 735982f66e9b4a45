// Command crash kills two nodes under load, again and again, and checks that nothing they acknowledged is lost.
//
//	go run ./scripts/crash -rounds 20
//
// In each round two nodes start, and see that they have the same. Each then edits one document: a stream of edits to a
// text of its own, and single edits that wait until they are on both disks. At a random moment both are killed. What each
// directory then holds is read without a node: every edit that was acknowledged must be there, and on the other's disk
// those that were reported to be there. The last round is followed by a start that must bring both together.
//
// A line is printed for each round, with the seed first; the exit code tells. A failure leaves the directories behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 20, "how many times to kill both nodes")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "decides the moments; printed, to repeat a run")
	edits := flag.Int("edits", 5000, "at most so many edits in a stream, each round")
	longest := flag.Duration("longest", 1500*time.Millisecond, "kill at the latest after this time under load")
	program := flag.String("peer", "", "the peer program to test (default: built from ./cmd/peer)")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fmt.Printf("seed %d (repeat with -seed %d)\n", *seed, *seed)
	dir, err := os.MkdirTemp("", "tombolo-crash")
	if err == nil {
		t := &trial{
			dir: dir, program: *program, edits: *edits, longest: *longest,
			random: rand.New(rand.NewPCG(*seed, 0)),
		}
		err = t.run(ctx, *rounds)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "crash: %v (seed %d, directories in %s)\n", err, *seed, dir)
		os.Exit(1)
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintf(os.Stderr, "crash: remove %s: %v\n", dir, err)
		os.Exit(1)
	}
}

// trial is two nodes and what they owe us.
type trial struct {
	dir, program string
	edits        int
	longest      time.Duration
	random       *rand.Rand
	url          string
	nodes        [2]*node
}

// patience is how long two nodes may take to find each other and have the same on both disks.
const patience = time.Minute

func (t *trial) run(ctx context.Context, rounds int) (err error) {
	defer func() { // after a failure nodes may still run
		for _, n := range t.nodes {
			if n != nil && n.process != nil {
				err = errors.Join(err, n.kill())
			}
		}
	}()
	if err := t.prepare(ctx); err != nil {
		return err
	}
	streamed, single := 0, 0
	for round := 1; round <= rounds; round++ {
		if err := t.meet(ctx); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		before := t.owed()
		took, err := t.loadAndKill(ctx)
		if err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		if err := t.check(ctx); err != nil {
			return fmt.Errorf("round %d, killed after %s: %w", round, took.Round(time.Millisecond), err)
		}
		now := t.owed()
		fmt.Printf("round %2d: killed after %4d ms; acknowledged: %4d edits in streams, %3d single ones (%3d on both disks); all there\n",
			round, took.Milliseconds(), now.streamed-before.streamed, now.single-before.single, now.both-before.both)
		streamed, single = now.streamed, now.single
	}
	if err := t.meet(ctx); err != nil {
		return fmt.Errorf("after the last round: %w", err)
	}
	for _, n := range t.nodes {
		if err := n.stop(); err != nil {
			return err
		}
	}
	if rounds > 0 && (streamed == 0 || single == 0) {
		return errors.New("nothing was acknowledged in all rounds, so nothing was tried; give more time with -longest")
	}
	fmt.Printf("nothing acknowledged was lost in %d rounds: %d edits in streams, %d single ones; both devices have the same\n", rounds, streamed, single)
	return nil
}

// prepare makes the two devices, pairs them, and creates the document on both.
func (t *trial) prepare(ctx context.Context) error {
	if t.program == "" {
		t.program = filepath.Join(t.dir, "peer")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", t.program, "./cmd/peer").CombinedOutput(); err != nil {
			return fmt.Errorf("build ./cmd/peer (run this in the module's root): %w\n%s", err, out)
		}
	}
	for i, name := range []string{"a", "b"} {
		n := &node{name: name, program: t.program, dir: filepath.Join(t.dir, name), listen: "/ip4/127.0.0.1/tcp/0", both: map[string]bool{}}
		t.nodes[i] = n
		if err := errors.Join(n.command(ctx, nil, "init", "--name", name), n.start(ctx)); err != nil {
			return err
		}
	}
	a, b := t.nodes[0], t.nodes[1]
	var invitation struct{ Link string }
	var created struct{ URL string }
	err := a.command(ctx, &invitation, "invite")
	if err == nil {
		err = b.command(ctx, nil, "join", invitation.Link)
	}
	if err == nil {
		err = a.command(ctx, &created, "doc", "create", `{"single":{}}`)
	}
	if err == nil {
		t.url = created.URL
		err = a.wait(ctx, t.url)
	}
	return err
}

// meet starts both nodes where they do not run, waits until each has on its disk what the other has, and compares.
func (t *trial) meet(ctx context.Context) error {
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

// loadAndKill edits on both nodes and kills both at a random moment.
func (t *trial) loadAndKill(ctx context.Context) (time.Duration, error) {
	wait := time.Duration(t.random.Int64N(int64(t.longest)))
	first := t.random.IntN(2)
	// Commands end with the nodes: without one they would go on by opening the directory themselves.
	loading, end := context.WithCancel(ctx)
	defer end()
	var load sync.WaitGroup
	begun := time.Now()
	for _, n := range t.nodes {
		load.Go(func() { n.stream(loading, t.url, t.edits) })
		load.Go(func() { n.singles(loading, t.url) })
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
	took := time.Since(begun)
	err := errors.Join(t.nodes[first].kill(), t.nodes[1-first].kill())
	end()
	load.Wait()
	for _, n := range t.nodes {
		err = errors.Join(err, n.loadErr)
	}
	return took, errors.Join(err, ctx.Err())
}

type debt struct{ streamed, single, both int }

// owed is how much has been acknowledged since the beginning.
func (t *trial) owed() debt {
	var d debt
	for _, n := range t.nodes {
		d.streamed += n.streamed
		d.single += len(n.both)
		for _, both := range n.both {
			if both {
				d.both++
			}
		}
	}
	return d
}
