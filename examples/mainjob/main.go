// Mainjob shows what Tombolo is for, with two real nodes: two processes, two stores on disk, an encrypted connection between them. It
// pairs them by an invitation, replays a real editing history, cuts the connection, edits on both sides, reconnects, and checks every
// claim it prints. It asks nothing and exits 0 only when all of it held.
//
//	go run ./examples/mainjob                      the history of this project's README
//	TOMBOLO_TRACE=trace.json.gz go run ./examples/mainjob   another history, in the layout of internal/trace
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"tombolo/internal/trace"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "mainjob:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	tr, err := trace.Load(os.Getenv("TOMBOLO_TRACE"))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tombolo-mainjob-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	say("building the node")
	binary := filepath.Join(dir, "peer")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "tombolo/cmd/peer")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build cmd/peer: %w\n%s", err, out)
	}
	say("starting two nodes: laptop and desk")
	laptop, err := startNode(ctx, binary, dir, "laptop")
	if err != nil {
		return err
	}
	defer laptop.kill()
	desk, err := startNode(ctx, binary, dir, "desk")
	if err != nil {
		return err
	}
	defer desk.kill()

	j := &job{ctx: ctx, laptop: laptop, desk: desk, trace: tr}
	for _, step := range []func() error{j.pair, j.replay, j.latency, j.apart, j.verify, laptop.stop, desk.stop, j.weigh} {
		if err := step(); err != nil {
			laptop.kill() // its log is complete only then
			desk.kill()
			return fmt.Errorf("%w\nlaptop logged:\n%s\ndesk logged:\n%s", err, &laptop.log, &desk.log)
		}
	}
	j.report(os.Stdout)
	return nil
}

func say(format string, args ...any) { fmt.Printf("· "+format+"\n", args...) }
