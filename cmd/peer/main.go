package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/vbauerster/mpb/v8/cwriter"

	"tombolo/cmd/peer/internal/control"
)

// Exit codes of every command.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() { os.Exit(run()) }

// run is the life of the process between signals and streams.
func run() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel(control.ErrInterrupted)
		<-signals // whoever asks twice does not want to wait
		os.Exit(exitFailure)
	}()

	progress := &progressBar{out: os.Stderr, shown: cwriter.IsTerminal(int(os.Stderr.Fd()))}
	defer progress.Close()
	p := &peer{
		in: os.Stdin, out: progress.under(os.Stdout), err: progress.under(os.Stderr),
		terminal: cwriter.IsTerminal(int(os.Stdout.Fd())),
		progress: progress.Set,
		args:     os.Args[1:],
		now:      time.Now,
		dir:      dataDir(os.Getenv, runtime.GOOS),

		environment: secretFiles{os.Getenv("PEER_PASSPHRASE_FILE"), os.Getenv("PEER_KEY_FILE")},
	}
	return p.execute(ctx)
}
