package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// owed is what a device has acknowledged.
type owed struct {
	streamed int             // of its text, the first so many edits
	single   map[string]bool // single edits, and whether they were reported on both disks
	docs     []string        // documents it made, beside the one that is edited
}

// debt is what a device owes. It may be asked while the load goes on.
type debt struct {
	mu sync.Mutex
	owed
}

// now is what the device owes at this moment.
func (d *debt) now() owed {
	d.mu.Lock()
	defer d.mu.Unlock()
	return owed{d.streamed, maps.Clone(d.single), slices.Clone(d.docs)}
}

// owe adds to it, or takes away what never came to the disk that is looked at.
func (d *debt) owe(change func(o *owed)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.single == nil {
		d.single = map[string]bool{}
	}
	change(&d.owed)
}

// stream appends letters to the node's text, at most limit of them, until ctx ends.
func (n *node) stream(ctx context.Context, url string, limit int) {
	cmd := exec.CommandContext(ctx, n.program, n.line("doc", "splice", url, "/"+n.name, "-")...)
	from := n.written
	lines := &lineReader{to: from + limit, next: from}
	var log bytes.Buffer
	cmd.Stdin, cmd.Stderr = lines, &log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		n.loadErr = err
		return
	}
	for acks := bufio.NewScanner(out); acks.Scan(); {
		var ack struct{ Done, Edits int }
		if err := json.Unmarshal(acks.Bytes(), &ack); err != nil {
			n.loadErr = fmt.Errorf("the stream of node %s printed %q: %w", n.name, acks.Text(), err)
		}
		n.owe(func(o *owed) { o.streamed = max(o.streamed, from+ack.Done, from+ack.Edits) })
	}
	// Killed with the node, or told that it went away: that is the plan. A refused edit is not, except on a full disk.
	err = cmd.Wait()
	if err != nil && ctx.Err() == nil && !strings.Contains(log.String(), "went away") && !(n.mayFill && outOfSpace(log.String())) {
		n.loadErr = fmt.Errorf("the stream of node %s: %w: %s", n.name, err, log.String())
	}
}

// lineReader gives the lines of a stream, in pieces of one line.
type lineReader struct{ next, to int }

func (r *lineReader) Read(p []byte) (int, error) {
	if r.next == r.to {
		return 0, io.EOF
	}
	line := fmt.Sprintf("[%d,0,%q]\n", r.next, string(letter(r.next)))
	if len(p) < len(line) {
		return 0, io.ErrShortBuffer
	}
	r.next++
	return copy(p, line), nil
}

// singles makes edits one by one until ctx ends. With two devices each edit waits for both disks.
func (n *node) singles(ctx context.Context, url string, devices int) {
	for ctx.Err() == nil {
		n.tried++
		key := n.name + strconv.Itoa(n.tried)
		if n.command(ctx, nil, "doc", "set", url, "/single/"+key, strconv.Itoa(n.tried)) != nil {
			continue // not acknowledged, so not owed
		}
		n.owe(func(o *owed) { o.single[key] = false })
		if devices > 1 && n.command(ctx, nil, "doc", "wait", url, "--devices", "2", "--timeout", "10s") == nil {
			n.owe(func(o *owed) { o.single[key] = true })
		}
	}
}

// creates makes a document now and then, until ctx ends.
func (n *node) creates(ctx context.Context) {
	for ctx.Err() == nil {
		if url, err := n.create(ctx, `{"single":{}}`); err == nil {
			n.owe(func(o *owed) { o.docs = append(o.docs, url) })
		}
		sleep(ctx, pause)
	}
}

// compacts has the node compact until it is gone, or ctx ends.
func (n *node) compacts(ctx context.Context) {
	for ctx.Err() == nil && n.command(ctx, nil, "compact") == nil {
		sleep(ctx, pause) // others want to work, too
	}
}
