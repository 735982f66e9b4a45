package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// campaign runs cases in child processes and counts what becomes of them.
type campaign struct {
	seed     uint64
	from, to uint64
	procs    uint64
	tell     bool
	patience time.Duration // for one case
	abortAt  uint64        // as in order
	hangAt   uint64
	stderr   io.Writer // what children say about their cases, if they are to tell

	pages []*page
	mu    sync.Mutex
	log   findings
}

// preparing is how long a child may take until its first case.
const preparing = 2 * time.Minute

// run carries out the campaign. An error means that it could not be carried out; what was found is in the log.
func (c *campaign) run(ctx context.Context, progress io.Writer, every time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	files := make([]*os.File, c.procs)
	for i := range c.procs {
		p, f, err := newPage()
		if err != nil {
			return err
		}
		c.pages, files[i] = append(c.pages, p), f
	}
	errs := make([]error, c.procs)
	var wg sync.WaitGroup
	for i := range c.procs {
		wg.Go(func() {
			if errs[i] = c.worker(ctx, i, files[i]); errs[i] != nil {
				cancel()
			}
			errs[i] = errors.Join(errs[i], files[i].Close())
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for start := time.Now(); ; {
		select {
		case <-done:
			return errors.Join(errs...)
		case <-tick.C:
			fmt.Fprintln(progress, c.progress(time.Since(start)))
		}
	}
}

// worker runs every procs-th case, with a new child after each death.
func (c *campaign) worker(ctx context.Context, i uint64, shared *os.File) error {
	p := c.pages[i]
	for next := c.from + i; next < c.to; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.announced.Store(0)
		stderr := &tail{}
		killed, err := c.oneChild(ctx, p, shared, next, stderr)
		at := p.announced.Load()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			return nil
		case at == 0:
			return fmt.Errorf("a child ended before its first case: %w\n%s", err, stderr)
		}
		kind := aborted
		if killed {
			kind = hung
		}
		where := "in the gate"
		if p.atCore.Load() == 1 {
			where = "in the core"
		}
		p.inputs.Add(1)
		p.found[kindNumber(kind)].Add(1)
		c.add(finding{Kind: kind, Case: at - 1, Detail: fmt.Sprintf("%s (%v) %s", where, err, stderr)})
		next = at - 1 + c.procs
	}
	return nil
}

// oneChild starts a child and sees it out. It kills one that stays at a case for too long, and says so.
func (c *campaign) oneChild(ctx context.Context, p *page, shared *os.File, from uint64, stderr *tail) (killed bool, err error) {
	o, err := json.Marshal(order{
		Seed: c.seed, From: from, To: c.to, Step: c.procs, Tell: c.tell, AbortAt: c.abortAt, HangAt: c.hangAt,
	})
	if err != nil {
		return false, fmt.Errorf("write a child's order: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return false, fmt.Errorf("find this program to start it again: %w", err)
	}
	cmd := exec.CommandContext(ctx, self)
	// One arena: glibc keeps what each thread's own has freed, which says little about the core and takes twice the memory.
	cmd.Env = append(os.Environ(), childEnv+"="+string(o), "GOMAXPROCS=2", "MALLOC_ARENA_MAX=1")
	cmd.ExtraFiles = []*os.File{shared}
	cmd.Stderr = stderr
	if c.tell {
		cmd.Stderr = io.MultiWriter(stderr, c.stderr)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return false, fmt.Errorf("listen to a child: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return false, fmt.Errorf("start a child: %w", err)
	}
	stop, watching := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watching)
		killed = c.watch(p, cmd.Process, stop)
	}()
	heard := c.listen(stdout)
	err = cmd.Wait()
	close(stop)
	<-watching
	return killed, errors.Join(err, heard)
}

// watch kills a child that does not get on, and looks at its memory.
func (c *campaign) watch(p *page, child *os.Process, stop <-chan struct{}) (killed bool) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	last, since := p.announced.Load(), time.Now()
	for {
		select {
		case <-stop:
			return killed
		case <-tick.C:
		}
		p.peak.Store(max(p.peak.Load(), peakMemory(strconv.Itoa(child.Pid))))
		now := p.announced.Load()
		if now != last {
			last, since = now, time.Now()
		}
		patience := c.patience
		if now == 0 {
			patience = preparing
		}
		if !killed && time.Since(since) > patience {
			killed = child.Kill() == nil
		}
	}
}

// listen reads a child's reports until it ends. A line cut short by its death is no error.
func (c *campaign) listen(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var rep report
		if json.Unmarshal(lines.Bytes(), &rep) != nil {
			continue
		}
		if rep.Finding != nil {
			c.add(*rep.Finding)
		}
		c.mu.Lock()
		c.log.reasons(rep.Reasons)
		c.mu.Unlock()
	}
	return lines.Err()
}

func (c *campaign) add(f finding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log.add(f)
}

// tail keeps what was written last, where a process says what it died of: the first lines of a Go crash, all of a Rust panic.
type tail struct{ buf bytes.Buffer }

func (t *tail) Write(b []byte) (int, error) {
	if room := 4000 - t.buf.Len(); room > 0 {
		t.buf.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}

func (t *tail) String() string { return t.buf.String() }
