package main

import (
	"io"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progressBar shows a person how many edits are done, on a terminal. It appears with the first Set.
type progressBar struct {
	out   io.Writer
	shown bool
	all   *mpb.Progress
	bar   *mpb.Bar
}

// Set shows that done edits are on disk. It is called from one goroutine.
func (p *progressBar) Set(done uint64) {
	if !p.shown {
		return
	}
	if p.all == nil {
		p.all = mpb.New(mpb.WithOutput(p.out))
		p.bar = p.all.AddSpinner(0, mpb.AppendDecorators(
			decor.CurrentNoUnit("%d edits on disk"),
			decor.AverageSpeed(0, " (%.0f/s)"),
		))
	}
	p.bar.SetCurrent(int64(done))
}

// Close leaves the last state on the screen and waits until it is drawn.
func (p *progressBar) Close() {
	if p.all == nil {
		return
	}
	p.bar.SetTotal(-1, true)
	p.all.Wait()
}
