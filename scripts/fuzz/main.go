// Command fuzz puts a million hostile changes to the trust boundary (doc/gate and doc/opset) and feeds the Automerge core with what passes.
//
//	go run ./scripts/fuzz -inputs 1000000 -seed 1 -procs 2
//	go run ./scripts/fuzz -case 4711 -seed 1              # one case again, told step by step
//	go run ./scripts/fuzz -case 4711 -seed 1 -dump FILE   # its changes: those it builds on, then the inputs
//
// A case is a document, made by the core or read from a fixture, and one or a few changes on top: honest ones with operations, references,
// headers, columns or bytes altered, ones forged from nothing, chains and pairs of them, deflated ones and bombs. Most are well-formed
// and plausible, since what the gate admits is where the danger is. What it admits goes into the real core, which must then have
// exactly these changes, show the value that the operation set shows, save, load to the same, take them in another order, and
// be edited further by a change that is admitted in turn. About one case in twenty is honest as a control.
//
// Cases run in child processes, so that a death is counted and not suffered. What a case is depends on its number, the seed and the fixtures only.
// A line of progress is printed now and then, each sort of finding once, and a summary at the end. The exit code is 1 when anything
// was found: an abort, a case of more than 20 seconds, a document that does not load after saving, an honest change refused, an admitted
// change that the core does not apply, or a difference in what is read.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	if o, ok := childOrder(); ok {
		if err := child(o); err != nil {
			fmt.Fprintln(os.Stderr, "fuzz:", err)
			os.Exit(3)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	failed, err := command(ctx, os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

// command runs the program with arguments. It says whether anything was found.
func command(ctx context.Context, args []string, w io.Writer) (failed bool, err error) {
	flags := flag.NewFlagSet("fuzz", flag.ContinueOnError)
	inputs := flags.Uint64("inputs", 1_000_000, "how many cases to run")
	seed := flags.Uint64("seed", 1, "decides what the cases are")
	procs := flags.Uint64("procs", 2, "how many child processes run at a time")
	one := flags.Int64("case", -1, "run this one case only, and tell what it does")
	dump := flags.String("dump", "", "with -case: write the changes of the case to this file, do not run it")
	reasons := flags.Bool("reasons", false, "print why the gate refused, and how often")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	if *procs == 0 {
		return false, errors.New("-procs 0: give at least one process")
	}
	root, err := moduleDir()
	if err != nil {
		return false, err
	}
	corpus, err := makeCorpus(root)
	if err != nil {
		return false, err
	}
	c := &campaign{seed: *seed, to: *inputs, procs: *procs, patience: 20 * time.Second}
	if *dump != "" {
		if *one < 0 {
			return false, errors.New("-dump needs the number of a case: give -case N")
		}
		return false, corpus.dump(*seed, uint64(*one), *dump)
	}
	var fixtures []string
	if *one >= 0 {
		c.from, c.to, c.procs, c.tell, c.stderr = uint64(*one), uint64(*one)+1, 1, true, w
	} else {
		for _, note := range corpus.notes {
			fmt.Fprintln(w, note)
		}
		fixtures = corpus.refused
	}
	start := time.Now()
	err = c.run(ctx, w, 10*time.Second)
	if ctx.Err() != nil {
		err = errors.New("stopped before the end; the summary is of what was run")
	} else if err != nil {
		return false, err
	}
	c.explain(corpus)
	c.addRefused(fixtures)
	c.findings(w)
	if *reasons {
		c.reasons(w)
	}
	c.summary(w, time.Since(start))
	return c.totals().failed(), err
}

// explain adds what the cases were that took their children along.
func (c *campaign) explain(corpus *corpus) {
	for _, g := range c.log.groups {
		if g.first.Story == "" {
			g.first.Story = corpus.trial(c.seed, g.first.Case).story()
		}
	}
}

// addRefused counts the changes of fixtures that no case could use.
func (c *campaign) addRefused(list []string) {
	for _, detail := range list {
		c.pages[0].found[kindNumber(refused)].Add(1)
		c.add(finding{Kind: refused, Detail: detail, Story: "a fixture, in no case"})
	}
}

// dump writes the changes of a case, one after the other.
func (c *corpus) dump(seed, n uint64, file string) error {
	t := c.trial(seed, n)
	out := t.past.raws
	for _, in := range t.inputs {
		out = append(out[:len(out):len(out)], in.raw...)
	}
	if err := os.WriteFile(file, out, 0o644); err != nil {
		return fmt.Errorf("write the changes of case %d: %w; give another file with -dump", n, err)
	}
	return nil
}
