package main

import (
	"io"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progressBar shows a person how many edits are done, on a terminal: from the first Set until there is something else to
// show.
type progressBar struct {
	out   io.Writer
	shown bool
	all   *mpb.Progress
	bar   *mpb.Bar
}

// Set shows that done edits are on disk. Calls of Set and Close come one at a time.
func (p *progressBar) Set(done uint64) {
	if !p.shown {
		return
	}
	if p.all == nil {
		p.all = mpb.New(mpb.WithOutput(p.out))
		p.bar = p.all.AddSpinner(0, mpb.BarRemoveOnComplete(), mpb.AppendDecorators(
			decor.CurrentNoUnit("%d edits on disk"),
			decor.AverageSpeed(0, " (%.0f/s)"),
		))
	}
	p.bar.SetCurrent(int64(done))
}

// Close takes the bar away, and waits until it is.
func (p *progressBar) Close() {
	if p.all == nil {
		return
	}
	p.bar.SetTotal(-1, true)
	p.all.Wait()
	p.all, p.bar = nil, nil
}

// under is a writer that takes the bar away first: drawing it again would wipe out the line that was written.
func (p *progressBar) under(w io.Writer) io.Writer { return underBar{p, w} }

type underBar struct {
	bar *progressBar
	w   io.Writer
}

func (u underBar) Write(b []byte) (int, error) {
	u.bar.Close()
	return u.w.Write(b)
}
