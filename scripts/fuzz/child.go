package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"syscall"

	"tombolo/doc/gate"
)

// childEnv names the variable that makes this program a child; it holds an order.
const childEnv = "TOMBOLO_FUZZ_CHILD"

// order is what a child is to do: the cases from, from+step … below to.
type order struct {
	Seed           uint64
	From, To, Step uint64
	Tell           bool // describe each case on standard error
	// For tests of the counting: cases at which the child dies or stays, plus one.
	AbortAt, HangAt uint64
}

// report is a line from child to parent.
type report struct {
	Finding *finding       `json:",omitempty"`
	Reasons map[string]int `json:",omitempty"` // why the gate refused, since the last report
}

// finding is something that must not happen.
type finding struct {
	Kind, Detail, Story string
	Case                uint64
}

// childOrder is the order that this process was started with; false in the parent.
func childOrder() (order, bool) {
	text, ok := os.LookupEnv(childEnv)
	var o order
	if !ok || json.Unmarshal([]byte(text), &o) != nil || o.Step == 0 {
		return order{}, false
	}
	return o, true
}

// collectAt is how many operations in documents of the core, whose memory the collector does not see, may wait for their finalizers.
const collectAt = 10_000

// tellAtMost is how many findings of a kind a child describes; it counts the others.
const tellAtMost = 20

// runner runs the cases of an order.
type runner struct {
	order
	page    *page
	corpus  *corpus
	pipe    *bufio.Writer
	out     *json.Encoder
	reasons map[string]int
	told    map[string]int
	waiting int // operations, towards collectAt
}

// child carries out an order; the page is file descriptor 3.
func child(o order) error {
	p, err := mapPage(os.NewFile(3, "page"))
	if err != nil {
		return err
	}
	root, err := moduleDir()
	if err != nil {
		return err
	}
	c, err := makeCorpus(root)
	if err != nil {
		return err
	}
	runtime.GC() // the documents that the corpus was made of
	pipe := bufio.NewWriter(os.Stdout)
	r := &runner{
		order: o, page: p, corpus: c, pipe: pipe, out: json.NewEncoder(pipe), reasons: map[string]int{}, told: map[string]int{},
	}
	for n := o.From; n < o.To; n += o.Step {
		if err := r.one(n); err != nil {
			return err
		}
		if (n/o.Step)%10_000 == 0 {
			if err := r.report(report{Reasons: r.reasons}); err != nil {
				return err
			}
			clear(r.reasons)
		}
	}
	p.peak.Store(max(p.peak.Load(), peakMemory("self")))
	return r.report(report{Reasons: r.reasons})
}

// one runs one case.
func (r *runner) one(n uint64) error {
	r.page.atCore.Store(0)
	r.page.announced.Store(n + 1)
	t := r.corpus.trial(r.Seed, n)
	r.misbehave(n)
	if r.Tell {
		fmt.Fprintf(os.Stderr, "%s\n%s", t.story(), t.tellAll())
	}
	result := t.run(func() {
		r.page.atCore.Store(1)
		r.waiting += 50 + t.seed.ops
	})
	r.page.count(t, result)
	for i, verdict := range result.verdicts {
		if verdict != nil {
			r.reasons[reason(verdict)]++
		}
		if r.Tell {
			fmt.Fprintf(os.Stderr, "input %d, %d bytes: %v\n", i, len(t.inputs[i].raw), verdictText(verdict))
		}
	}
	if r.waiting >= collectAt {
		runtime.GC()
		r.waiting = 0
	}
	for _, f := range result.faults {
		r.page.found[kindNumber(f.kind)].Add(1)
		if r.told[f.kind]++; r.told[f.kind] > tellAtMost {
			continue
		}
		if err := r.report(report{Finding: &finding{f.kind, f.detail, t.story(), n}}); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) report(rep report) error {
	if err := errors.Join(r.out.Encode(rep), r.pipe.Flush()); err != nil {
		return fmt.Errorf("tell the parent: %w", err)
	}
	return nil
}

func verdictText(err error) string {
	if err == nil {
		return "admitted"
	}
	return err.Error()
}

func (p *page) count(t *trial, o outcome) {
	p.inputs.Add(1)
	p.slowest.Store(max(p.slowest.Load(), uint64(o.slowest)))
	switch {
	case t.honest:
		p.controls.Add(1)
	case len(o.admitted) > 0:
		p.admitted.Add(1)
	}
	for i, in := range t.inputs {
		if in.refused && i < len(o.verdicts) && o.verdicts[i] != nil {
			p.bombs.Add(1)
		}
	}
}

// particulars are the parts of a refusal that say which number is not known and which operation is meant.
var particulars = regexp.MustCompile(`( \d+)?( \(operation \d+\))?$`)

// reason is a refusal without what belongs to one change only.
func reason(err error) string {
	if e, ok := errors.AsType[*gate.FormError](err); ok {
		return particulars.ReplaceAllString(e.Reason, "")
	}
	if e, ok := errors.AsType[*gate.SequenceError](err); ok {
		return e.Reason
	}
	if e, ok := errors.AsType[*gate.LimitError](err); ok {
		return "too many " + e.What
	}
	if _, ok := errors.AsType[*gate.MissingError](err); ok {
		return "builds on changes that are not there"
	}
	return err.Error()
}

// misbehave does what tests of the parent want to see counted.
func (o order) misbehave(n uint64) {
	if n+1 == o.AbortAt {
		_ = syscall.Kill(os.Getpid(), syscall.SIGABRT)
		select {}
	}
	if n+1 == o.HangAt {
		select {}
	}
}

// peakMemory is the most memory a process had in use, in bytes; 0 where the system does not tell.
func peakMemory(pid string) uint64 {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes uint64
	if _, err := fmt.Sscan(after, &kilobytes); err != nil {
		return 0
	}
	return kilobytes << 10
}
