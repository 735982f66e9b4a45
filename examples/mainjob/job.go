package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"tombolo/internal/trace"
)

// job is the main job, and what it found.
type job struct {
	ctx          context.Context
	laptop, desk *node
	trace        *trace.Trace
	url          string

	wire    uint64        // bytes that laptop sent while replaying
	disk    int64         // bytes of desk's directory after closing
	took    time.Duration // replaying until the last edit was on both disks
	lags    []time.Duration
	offline int // edits made on each side while apart
	hashes  map[string]string
	merged  string
	durable []string
}

const patience = "10m" // how long a step may take before it counts as failed; a long trace on a slow machine needs minutes

// pair makes desk a member of laptop's space.
func (j *job) pair() error {
	var invite struct{ Link string }
	if err := j.laptop.value(j.ctx, &invite, "invite"); err != nil {
		return err
	}
	var joined struct{ Role string }
	if err := j.desk.value(j.ctx, &joined, "join", invite.Link); err != nil {
		return err
	}
	say("paired by an invitation: desk is a %s in laptop's space", joined.Role)
	var created struct{ URL string }
	if err := j.laptop.value(j.ctx, &created, "doc", "create", `{"text":{"$text":""},"items":[]}`); err != nil {
		return err
	}
	j.url = created.URL
	return j.settle()
}

// settle waits until both have the document's version on disk.
func (j *job) settle() error {
	_, err := j.laptop.peer(j.ctx, nil, "doc", "wait", j.url, "--devices", "2", "--timeout", patience)
	return err
}

// replay types the trace into laptop, every edit durable, and waits until desk has it too.
func (j *job) replay() error {
	say("replaying %d edits into laptop; desk follows", len(j.trace.Txns))
	begun := time.Now()
	s, err := j.laptop.stream(j.ctx, "doc", "splice", j.url, "/text", "-")
	if err != nil {
		return err
	}
	fed := make(chan error, 1)
	go func() { fed <- j.feed(s.in) }()

	progress := mpb.New(mpb.WithOutput(os.Stdout))
	bar := progress.AddBar(int64(len(j.trace.Txns)),
		mpb.PrependDecorators(decor.CountersNoUnit("  %d / %d edits on disk")),
		mpb.AppendDecorators(decor.Percentage(), decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace), "")))
	var line struct {
		Event       string
		Done, Edits int
	}
	for line.Event != "done" && err == nil {
		if err = s.next(&line); err == nil {
			bar.SetCurrent(int64(max(line.Done, line.Edits)))
		}
	}
	if err != nil {
		bar.Abort(false)
	}
	progress.Wait()
	if err := errors.Join(err, <-fed, s.end()); err != nil {
		return err
	}
	if line.Edits != len(j.trace.Txns) {
		return fmt.Errorf("%d edits are on disk, not %d", line.Edits, len(j.trace.Txns))
	}
	if err := j.settle(); err != nil {
		return err
	}
	j.took = time.Since(begun)
	var status struct{ Peers []struct{ Sent uint64 } }
	if err := j.laptop.value(j.ctx, &status, "status"); err != nil {
		return err
	}
	for _, p := range status.Peers {
		j.wire += p.Sent
	}
	for _, n := range []*node{j.laptop, j.desk} {
		text, err := j.text(n)
		if err != nil {
			return err
		}
		if text != j.trace.End {
			return fmt.Errorf("the text on %s is not the text the history ends with", n.name)
		}
	}
	return nil
}

func (j *job) feed(in io.Writer) error {
	w := bufio.NewWriter(in)
	e := json.NewEncoder(w)
	for _, t := range j.trace.Txns {
		if err := e.Encode(t.Patches); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return in.(io.Closer).Close()
}

func (j *job) text(n *node) (string, error) {
	var v struct {
		Text string `json:"$text"`
	}
	err := n.value(j.ctx, &v, "doc", "get", j.url, "/text")
	return v.Text, err
}

// latency measures the time from writing an edit on laptop until desk tells that it has it on disk.
func (j *job) latency() error {
	const edits = 50
	say("measuring %d single edits", edits)
	watch, err := j.desk.stream(j.ctx, "doc", "watch", j.url)
	if err != nil {
		return err
	}
	defer watch.interrupt()
	var ev struct{ Event string }
	if err := watch.next(&ev); err != nil || ev.Event != "watching" {
		return fmt.Errorf("watch on desk began with %q: %w", ev.Event, err)
	}
	typing, err := j.laptop.stream(j.ctx, "doc", "splice", j.url, "/text", "-")
	if err != nil {
		return err
	}
	for i := range edits {
		begun := time.Now()
		line := `[0,0,"~"]`
		if i%2 == 1 {
			line = `[0,1,""]`
		}
		if _, err := fmt.Fprintln(typing.in, line); err != nil {
			return err
		}
		if err := watch.next(&ev); err != nil {
			return err
		}
		j.lags = append(j.lags, time.Since(begun))
	}
	slices.Sort(j.lags)
	return typing.end()
}

// apart cuts the connection, edits on both sides, and reconnects.
func (j *job) apart() error {
	say("cutting the connection")
	if _, err := j.desk.peer(j.ctx, nil, "pause"); err != nil {
		return err
	}
	for _, n := range []*node{j.laptop, j.desk} {
		for i := range 3 {
			item := fmt.Sprintf("%q", fmt.Sprintf("%s %d", n.name, i+1))
			if _, err := n.peer(j.ctx, nil, "doc", "set", j.url, "/items/-", item); err != nil {
				return err
			}
		}
		if _, err := n.peer(j.ctx, nil, "doc", "splice", j.url, "/text", "0", "0", "("+n.name+" was here) "); err != nil {
			return err
		}
		j.offline = 4
	}
	_, err := j.laptop.peer(j.ctx, nil, "doc", "wait", j.url, "--devices", "2", "--timeout", "200ms")
	if err == nil {
		return errors.New("the edits reached the other device although the connection was cut")
	}
	say("edited on both sides, %d edits each; reconnecting", j.offline)
	if _, err := j.desk.peer(j.ctx, nil, "resume"); err != nil {
		return err
	}
	for _, n := range []*node{j.laptop, j.desk} {
		if _, err := n.peer(j.ctx, nil, "doc", "wait", j.url, "--devices", "2", "--timeout", patience); err != nil {
			return err
		}
	}
	return nil
}

// verify compares what both have, and asks who has it on disk.
func (j *job) verify() error {
	// Each side may have been settled before the other's edits came: wait until both name the same version.
	if err := j.same(); err != nil {
		return err
	}
	j.hashes = map[string]string{}
	for _, n := range []*node{j.laptop, j.desk} {
		var h struct{ Hash string }
		if err := n.value(j.ctx, &h, "doc", "hash", j.url); err != nil {
			return err
		}
		j.hashes[n.name] = h.Hash
		var items []string
		if err := n.value(j.ctx, &items, "doc", "get", j.url, "/items"); err != nil {
			return err
		}
		text, err := j.text(n)
		if err != nil {
			return err
		}
		for _, who := range []string{"laptop", "desk"} {
			for i := range 3 {
				if !slices.Contains(items, fmt.Sprintf("%s %d", who, i+1)) {
					return fmt.Errorf("%s lost the item %q", n.name, fmt.Sprintf("%s %d", who, i+1))
				}
			}
			if !strings.Contains(text, "("+who+" was here) ") {
				return fmt.Errorf("%s lost what %s wrote into the text", n.name, who)
			}
		}
		j.merged = fmt.Sprintf("%d items; the text begins %.48q", len(items), text)
	}
	if j.hashes["laptop"] != j.hashes["desk"] {
		return errors.New("the two devices show different documents")
	}
	return nil
}

func (j *job) same() error {
	var versions [2][]string
	for range 100 {
		for i, n := range []*node{j.laptop, j.desk} {
			var w struct {
				Heads   []string
				Devices []struct{ Name string }
			}
			if err := n.value(j.ctx, &w, "doc", "wait", j.url, "--devices", "2", "--timeout", patience); err != nil {
				return err
			}
			versions[i] = w.Heads
			j.durable = nil
			for _, d := range w.Devices {
				j.durable = append(j.durable, d.Name)
			}
		}
		if slices.Equal(versions[0], versions[1]) {
			return nil
		}
	}
	return errors.New("the two devices do not come to the same version")
}

// weigh looks at what the document takes on disk when all is packed and closed.
func (j *job) weigh() (err error) {
	j.disk, err = j.desk.size()
	return err
}

func (j *job) report(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	rate := float64(len(j.trace.Txns)) / j.took.Seconds()
	slices.Sort(j.durable)
	slices.Reverse(j.durable)
	fmt.Fprintf(w, "\nlaptop\t%s\n", j.hashes["laptop"])
	fmt.Fprintf(w, "desk\t%s\n", j.hashes["desk"])
	fmt.Fprintf(w, "merged\t%s\n", j.merged)
	fmt.Fprintf(w, "replayed\t%d edits, each durable, on both disks after %s (%.0f a second)\n", len(j.trace.Txns), j.took.Round(time.Millisecond), rate)
	fmt.Fprintf(w, "bytes\t%d KB sent to desk, %d KB on desk's disk\n", j.wire/1000, j.disk/1000)
	fmt.Fprintf(w, "latency\t%s in the middle, %s at the worst, from an edit on laptop to desk's disk (%d edits, pipes included)\n",
		j.lags[len(j.lags)/2].Round(10*time.Microsecond), j.lags[len(j.lags)-1].Round(10*time.Microsecond), len(j.lags))
	fmt.Fprintf(w, "durable on\t%s\n", strings.Join(j.durable, ", "))
	w.Flush()
	fmt.Fprint(out, `
A real node:      go run ./cmd/peer run
Let another in:   go run ./cmd/peer invite        and on the other machine: go run ./cmd/peer join LINK
`)
}
