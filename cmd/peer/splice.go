package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/doc"
)

// splice is one edit of a text: remove so many characters at a position, insert others. It counts in code points.
type splice struct {
	at, remove int
	insert     string
}

// apply makes the splices, in their order, part of one change.
func apply(tx *doc.Tx, pointer string, splices []splice) error {
	text := tx.Text(pointer)
	for _, s := range splices {
		if err := text.Splice(s.at, s.remove, s.insert); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) spliceCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "splice URL POINTER (AT DELETE TEXT | -)",
		Short: "Edit a text: at a position, delete so many characters and insert others",
		Long: `Edit a text: at position AT, delete DELETE characters and insert TEXT. Positions count Unicode code points from 0.

With - the edits come from standard input, one change a line, as [AT, DELETE, "TEXT"] or several for one change as
[[AT, DELETE, "TEXT"], …]. Each is applied when its line arrives; standard input may stay open for as long as you like.
With --json a line {"event":"progress","done":N} says every so often that the first N edits are on disk, and the last line
is {"event":"done","edits":N,"heads":[…]}.`,
		Args: usage(func(cmd *cobra.Command, args []string) error {
			if len(args) == 3 && args[2] == "-" {
				return nil
			}
			return cobra.ExactArgs(5)(cmd, args)
		}),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			if len(args) == 3 {
				return withDocument(ctx, eng, args[0], func(h *tombolo.Handle) error { return p.spliceStream(ctx, h, args[1]) })
			}
			s := splice{insert: args[4]}
			for i, into := range []*int{&s.at, &s.remove} {
				n, err := strconv.ParseUint(args[2+i], 10, 31)
				if err != nil {
					return usageError{fmt.Errorf("AT and DELETE are numbers of characters, and %q is not", args[2+i])}
				}
				*into = int(n)
			}
			return p.edit(ctx, eng, args[0], "splice "+args[1], func(tx *doc.Tx) error { return apply(tx, args[1], []splice{s}) })
		}),
	}
}

const (
	// window is how many edits of a stream may be on their way to the disk: enough to share each fsync among many, few
	// enough to bound memory and what a crash takes along.
	window = 1024
	// maxLine bounds a line of edits, in bytes.
	maxLine = 16 << 20
)

// spliceStream applies edits from standard input as they come, each a change of its own, and ends when all are on disk. At
// the first that fails it stops, and says how many are on disk.
func (p *peer) spliceStream(ctx context.Context, h *tombolo.Handle, pointer string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	under := make(chan *tombolo.Pending, window-1) // one more is being waited for
	type outcome struct {
		saved uint64
		err   error
	}
	settled := make(chan outcome, 1)
	go func() {
		saved, err := p.awaitEdits(under)
		cancel(err) // a disk that fails ends the reading as well
		settled <- outcome{saved, err}
	}()

	lines := bufio.NewScanner(&interruptible{ctx: ctx, in: p.in})
	lines.Buffer(nil, maxLine)
	var failed error
	number := 0
	for failed == nil && lines.Scan() {
		number++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var pending *tombolo.Pending
		splices, err := parseSplices(lines.Bytes())
		if err == nil {
			pending, err = h.ChangeAsync(ctx, "", func(tx *doc.Tx) error { return apply(tx, pointer, splices) })
		}
		if err != nil {
			failed = fmt.Errorf("line %d: %w", number, err)
			break
		}
		select {
		case under <- pending:
		case <-ctx.Done():
			failed = context.Cause(ctx)
		}
	}
	if failed == nil && lines.Err() != nil {
		failed = fmt.Errorf("after line %d: %w", number, lines.Err())
	}
	close(under)
	got := <-settled
	if got.err != nil {
		failed = got.err
	}
	if failed != nil {
		return fmt.Errorf("%w (on disk: %s)", failed, count(int(got.saved), "edit"))
	}
	done := struct {
		Event string   `json:"event"`
		Edits uint64   `json:"edits"`
		Heads []string `json:"heads"`
	}{"done", got.saved, hexes(h.Heads())}
	return p.print(done, func(w io.Writer) { fmt.Fprintf(w, "%s on disk\n", count(int(got.saved), "edit")) })
}

// awaitEdits waits for each edit in turn, tells how far it is, and gives how many are on disk. After a failure it takes the
// rest without waiting.
func (p *peer) awaitEdits(under <-chan *tombolo.Pending) (saved uint64, failed error) {
	var told time.Time
	for pending := range under {
		if failed != nil {
			continue
		}
		// Not under the command's context: an interrupted stream still says truly what is on disk.
		if failed = pending.Wait(context.Background()); failed != nil {
			continue
		}
		saved++
		if now := p.now(); len(under) == 0 || now.Sub(told) >= progressEvery {
			told = now
			if failed = p.onDisk(saved); failed != nil {
				continue
			}
		}
	}
	return saved, failed
}

// onDisk says how many edits of a stream are on disk: with --json in its output, because programs that feed the stream act on it.
func (p *peer) onDisk(saved uint64) error {
	if !p.json {
		p.progress("edits on disk", saved, 0)
		return nil
	}
	return writeJSON(p.out, struct {
		Event string `json:"event"`
		Done  uint64 `json:"done"`
	}{"progress", saved})
}

var errSplices = errors.New(`not an edit; write [at, delete, "insert"], or several for one change: [[at, delete, "insert"], …]`)

// parseSplices reads a line of edits.
func parseSplices(line []byte) ([]splice, error) {
	v, err := doc.DecodeJSON(line)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errSplices, err)
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, errSplices
	}
	if _, several := list[0].([]any); !several {
		list = []any{list}
	}
	out := make([]splice, len(list))
	for i, e := range list {
		if out[i], ok = toSplice(e); !ok {
			return nil, errSplices
		}
	}
	return out, nil
}

func toSplice(v any) (splice, bool) {
	parts, ok := v.([]any)
	if !ok || len(parts) != 3 {
		return splice{}, false
	}
	at, ok1 := parts[0].(int64)
	remove, ok2 := parts[1].(int64)
	insert, ok3 := parts[2].(string)
	whole := func(n int64) bool { return n >= 0 && n <= math.MaxInt32 }
	return splice{int(at), int(remove), insert}, ok1 && ok2 && ok3 && whole(at) && whole(remove)
}
