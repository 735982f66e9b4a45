package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// findings keeps what was found, like things together.
type findings struct {
	groups  map[string]*group
	refused map[string]int // why the gate refused
}

// group is findings that look alike.
type group struct {
	first finding // of the lowest case
	count int
}

// particular is what differs between findings of one cause.
var particular = regexp.MustCompile(`0x[0-9a-f]+|[0-9a-f]{8,}|[0-9]+|…[^…]*…`)

func (l *findings) add(f finding) {
	if l.groups == nil {
		l.groups = map[string]*group{}
	}
	detail := f.Detail
	if at := strings.Index(detail, "panicked at"); at >= 0 { // the rest is a stack
		detail, _, _ = strings.Cut(detail[at:], "\n")
	} else {
		detail, _, _ = strings.Cut(detail, "\n")
	}
	key := f.Kind + particular.ReplaceAllString(detail, "#")
	g, ok := l.groups[key]
	if !ok {
		g = &group{first: f}
		l.groups[key] = g
	}
	g.count++
	if f.Case < g.first.Case {
		g.first = f
	}
}

func (l *findings) reasons(m map[string]int) {
	if l.refused == nil {
		l.refused = map[string]int{}
	}
	for r, n := range m {
		l.refused[r] += n
	}
}

// totals sums up what the children counted.
type totals struct {
	inputs, controls, admitted, bombs uint64
	peak, slowest                     uint64
	found                             [len(kinds)]uint64
}

func (c *campaign) totals() totals {
	var t totals
	for _, p := range c.pages {
		t.inputs += p.inputs.Load()
		t.controls += p.controls.Load()
		t.admitted += p.admitted.Load()
		t.bombs += p.bombs.Load()
		t.peak, t.slowest = max(t.peak, p.peak.Load()), max(t.slowest, p.slowest.Load())
		for i := range kinds {
			t.found[i] += p.found[i].Load()
		}
	}
	return t
}

// failed says whether something was found that must not be.
func (t totals) failed() bool { return t.found != [len(kinds)]uint64{} }

func (c *campaign) progress(took time.Duration) string {
	t := c.totals()
	s := fmt.Sprintf("%8s: %d inputs (%.0f/s), %d admitted", took.Round(time.Second), t.inputs, float64(t.inputs)/took.Seconds(), t.admitted)
	for i, k := range kinds {
		if t.found[i] > 0 {
			s += fmt.Sprintf(", %s %d", k, t.found[i])
		}
	}
	return s
}

// findings prints what was found, one example of each sort, and how to repeat it.
func (c *campaign) findings(w io.Writer) {
	groups := slices.SortedFunc(maps.Values(c.log.groups), func(a, b *group) int {
		return cmp.Or(cmp.Compare(kindNumber(a.first.Kind), kindNumber(b.first.Kind)), cmp.Compare(a.first.Case, b.first.Case))
	})
	for _, g := range groups[:min(len(groups), 40)] {
		f := g.first
		fmt.Fprintf(w, "%s (%d reported like it), -case %d -seed %d\n  %s\n  %s\n", f.Kind, g.count, f.Case, c.seed,
			strings.ReplaceAll(strings.TrimSpace(f.Detail[:min(len(f.Detail), 700)]), "\n", "\n  "), f.Story)
	}
	if more := len(groups) - 40; more > 0 {
		fmt.Fprintf(w, "and %d more sorts of findings\n", more)
	}
}

// reasons prints why the gate refused, the most frequent reason first.
func (c *campaign) reasons(w io.Writer) {
	why := slices.SortedFunc(maps.Keys(c.log.refused), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.log.refused[b], c.log.refused[a]), cmp.Compare(a, b))
	})
	for _, r := range why {
		fmt.Fprintf(w, "%8d  %s\n", c.log.refused[r], r)
	}
}

// summary is the one result of a run.
func (c *campaign) summary(w io.Writer, took time.Duration) {
	t := c.totals()
	fmt.Fprintf(w, "inputs                 %d in %s, seed %d (honest controls among them: %d)\n", t.inputs, took.Round(time.Second), c.seed, t.controls)
	fmt.Fprintf(w, "admitted by the gate   %d (honest controls not counted)\n", t.admitted)
	fmt.Fprintf(w, "aborts                 %d\n", t.found[kindNumber(aborted)])
	fmt.Fprintf(w, "hangs                  %d\n", t.found[kindNumber(hung)])
	fmt.Fprintf(w, "unloadable after save  %d\n", t.found[kindNumber(unloadable)])
	fmt.Fprintf(w, "honest changes refused %d\n", t.found[kindNumber(refused)])
	fmt.Fprintf(w, "admitted, not applied  %d\n", t.found[kindNumber(unapplied)])
	fmt.Fprintf(w, "value differences      %d\n", t.found[kindNumber(differs)])
	fmt.Fprintf(w, "bombs refused          %d\n", t.bombs)
	fmt.Fprintf(w, "slowest verdict        %s\n", time.Duration(t.slowest).Round(time.Millisecond))
	fmt.Fprintf(w, "peak memory of a child %d MiB\n", t.peak>>20)
}
