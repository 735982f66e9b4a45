// Command crash ends nodes, commands and the power at random moments, again and again, and checks that nothing that was
// acknowledged is lost.
//
//	go run ./scripts/crash -kills 200   # make crash: kill -9, five to ten minutes; -kills 8 takes one
//	go run ./scripts/crash -cuts 20     # make powercut: the disk as it was at some moment (root, Linux)
//	go run ./scripts/crash -full 3      # full disks, so many rounds on tmpfs and on ext4 (root, Linux)
//
// The kills are shared among five stories, each in a file of its own: two nodes under load (append), packing, receiving
// a long document (receipt), backup and restore. After each kill the directory is read without a node, and looked
// through with 'peer doctor'.
//
// A line is printed for each round, and the sum last; the exit code tells. The same seed gives the same moments, as far
// as the machine is as fast. A failure leaves the directories behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	var opts options
	flag.IntVar(&opts.kills, "kills", 0, "how many times to kill -9")
	flag.IntVar(&opts.cuts, "cuts", 0, "how many times to cut the power")
	flag.IntVar(&opts.full, "full", 0, "how many times to fill each disk")
	flag.Uint64Var(&opts.seed, "seed", uint64(time.Now().UnixNano()), "decides the moments; printed, to repeat a run")
	flag.StringVar(&opts.only, "only", "", "the stories to run, with commas between them (default: all)")
	flag.StringVar(&opts.program, "peer", "", "the peer program to test (default: built from ./cmd/peer)")
	flag.Parse()
	if flag.NArg() > 0 || opts.kills <= 0 && opts.cuts <= 0 && opts.full <= 0 {
		fmt.Fprintln(os.Stderr, "crash: say how often, with -kills, -cuts or -full; for example: go run ./scripts/crash -kills 200")
		os.Exit(2)
	}
	os.Exit(run(opts))
}

// options is the command line.
type options struct {
	kills, cuts, full int
	seed              uint64
	only, program     string
}

// run does what opts asks for in a directory of its own, and gives the exit code.
func run(opts options) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Printf("seed %d (repeat with -seed %d)\n", opts.seed, opts.seed)
	dir, err := os.MkdirTemp("", "tombolo-crash")
	if err == nil {
		err = runIn(ctx, dir, opts)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "crash: %v (seed %d, directories in %s)\n", err, opts.seed, dir)
		return 1
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintf(os.Stderr, "crash: remove %s: %v\n", dir, err)
		return 1
	}
	return 0
}

func runIn(ctx context.Context, dir string, opts options) error {
	l := &lab{dir: dir, program: opts.program}
	if err := l.build(ctx); err != nil {
		return err
	}
	var err error
	if opts.kills > 0 {
		err = errors.Join(err, l.kills(ctx, opts))
	}
	if opts.cuts > 0 {
		err = errors.Join(err, l.cuts(ctx, opts))
	}
	if opts.full > 0 {
		err = errors.Join(err, l.fill(ctx, opts))
	}
	return err
}

// lab is where stories play: a directory, and the program to test.
type lab struct {
	dir, program string
}

// build makes the program where none is given.
func (l *lab) build(ctx context.Context) error {
	if l.program == "" {
		l.program = filepath.Join(l.dir, "peer")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", l.program, "./cmd/peer").CombinedOutput(); err != nil {
			return fmt.Errorf("build ./cmd/peer (run this in the module's root): %w\n%s", err, out)
		}
	}
	return nil
}

// node is a device below the directory of a story, which does not exist yet.
func (l *lab) node(story, name string) *node {
	return &node{
		name: name, program: l.program, dir: filepath.Join(l.dir, story, name), keyFile: filepath.Join(l.dir, story, name+".key"),
		listen: "/ip4/127.0.0.1/tcp/0",
	}
}
