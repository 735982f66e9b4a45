package main

import (
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progressEvery is how often a busy command says how far it is.
const progressEvery = 200 * time.Millisecond

// told is what tell showed last. It is safe for use from several goroutines.
type told struct {
	mu   sync.Mutex
	at   time.Time // zero: nothing yet
	last step
	held *step // newer, and not shown because last was just before
}

// step is how far a command is.
type step struct {
	Doing string `json:"doing"`
	Done  uint64 `json:"done"`
	Total uint64 `json:"total"` // zero where nobody knows
}

// tell says how far the command is: a few times a second at most, and always when something else begins to be done and when
// all of it is done. It may be called as often as one likes, from any goroutine. total is zero where nobody knows.
//
// People see a bar on their terminal, also when a node does the work; with --json each is a line on standard error,
// {"progress":{"doing":"backup","done":5,"total":10}}.
func (p *peer) tell(doing string, done, total uint64) {
	t := &p.told
	t.mu.Lock()
	defer t.mu.Unlock()
	s, now := step{doing, done, total}, p.now()
	other := doing != t.last.Doing
	if other {
		p.showHeld()
	}
	if other || total > 0 && done >= total || now.Sub(t.at) >= progressEvery {
		t.at = now
		p.show(s)
	} else {
		t.held = &s
	}
}

// toldAll shows the last that was told, if it was held back.
func (p *peer) toldAll() {
	p.told.mu.Lock()
	defer p.told.mu.Unlock()
	if p.json { // a bar vanishes anyway
		p.showHeld()
	}
}

// showHeld shows what was held back. Called with the lock held, as show is.
func (p *peer) showHeld() {
	if held := p.told.held; held != nil {
		p.show(*held)
	}
}

func (p *peer) show(s step) {
	t := &p.told
	t.held = nil
	if s == t.last {
		return
	}
	t.last = s
	if !p.json {
		p.progress(s.Doing, s.Done, s.Total)
		return
	}
	// Standard error that is gone is no reason to end the command.
	writeJSON(p.err, struct {
		Progress step `json:"progress"`
	}{s})
}

// progressBar shows a person how far a command is, on a terminal: from a Set until there is something else to show. It is safe
// for use from several goroutines.
type progressBar struct {
	out   io.Writer
	shown bool

	mu    sync.Mutex
	all   *mpb.Progress
	bar   *mpb.Bar
	doing string
	total uint64
}

// Set shows how much is done: a bar with percentage and speed where the total is known, otherwise a number that grows.
func (p *progressBar) Set(doing string, done, total uint64) {
	if !p.shown {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil || doing != p.doing || (total == 0) != (p.total == 0) {
		p.close()
		p.begin(doing, total)
	}
	if total != p.total {
		p.total = total
		p.bar.SetTotal(int64(total), false)
	}
	if p.bar.SetCurrent(int64(done)); total > 0 && done >= total {
		p.close()
	}
}

func (p *progressBar) begin(doing string, total uint64) {
	p.all = mpb.New(mpb.WithOutput(p.out))
	p.doing, p.total = doing, total
	name, speed := decor.Name(printable(doing)+" "), decor.AverageSpeed(0, " (%.0f/s)")
	if total == 0 {
		p.bar = p.all.AddSpinner(0, mpb.AppendDecorators(name, decor.CurrentNoUnit("%d"), speed))
		return
	}
	p.bar = p.all.AddBar(int64(total), mpb.PrependDecorators(name), mpb.AppendDecorators(
		decor.NewPercentage("%d"), decor.CountersNoUnit("  %d of %d"), speed))
}

// Close takes the bar away, and waits until it is.
func (p *progressBar) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.close()
}

func (p *progressBar) close() {
	if p.all == nil {
		return
	}
	p.bar.Abort(true)
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
