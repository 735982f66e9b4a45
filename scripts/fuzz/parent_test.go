package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCounting shows that a child's death and a child that stays are counted once each, and that the other cases still run.
func TestCounting(t *testing.T) {
	c := &campaign{seed: 5, to: 40, procs: 2, patience: 2 * time.Second, abortAt: 7, hangAt: 12}
	if err := c.run(t.Context(), io.Discard, time.Minute); err != nil {
		t.Fatal(err)
	}
	got := c.totals()
	if got.inputs != 40 || got.found[kindNumber(aborted)] != 1 || got.found[kindNumber(hung)] != 1 || !got.failed() {
		t.Errorf("%d inputs, %d aborts, %d hangs; want 40, 1, 1", got.inputs, got.found[kindNumber(aborted)], got.found[kindNumber(hung)])
	}
	if got.peak == 0 {
		t.Error("no memory measured")
	}
	c.explain(testCorpus(t))
	var out strings.Builder
	c.findings(&out)
	c.summary(&out, time.Second)
	for _, want := range []string{"-case 6 -seed 5", "-case 11 -seed 5", "SIGABRT", "inputs                 40 ", "aborts                 1\n", "hangs                  1\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
	if line := c.progress(time.Second); !strings.Contains(line, "40 inputs") || !strings.Contains(line, "hang 1") {
		t.Errorf("progress: %s", line)
	}
}

// TestShortRun is the run of a continuous build: nothing may be found.
func TestShortRun(t *testing.T) {
	var out strings.Builder
	failed, err := command(t.Context(), []string{"-inputs", "2000", "-seed", "1", "-reasons"}, &out)
	if err != nil || failed {
		t.Errorf("failed: %v, %v\n%s", failed, err, out.String())
	}
	if !strings.Contains(out.String(), "inputs                 2000 ") {
		t.Errorf("not all inputs are counted:\n%s", out.String())
	}
}

// TestOneCase shows how a case is repeated and written down.
func TestOneCase(t *testing.T) {
	var out strings.Builder
	if _, err := command(t.Context(), []string{"-case", "3", "-seed", "9"}, &out); err != nil {
		t.Fatal(err)
	}
	trial := testCorpus(t).trial(9, 3)
	if !strings.Contains(out.String(), trial.story()) || !strings.Contains(out.String(), "input 0") {
		t.Errorf("the case is not told:\n%s", out.String())
	}
	file := filepath.Join(t.TempDir(), "case")
	if _, err := command(t.Context(), []string{"-case", "3", "-seed", "9", "-dump", file}, &out); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if want := string(trial.past.raws) + string(trial.inputs[0].raw); err != nil || !strings.HasPrefix(string(content), want) {
		t.Errorf("%d bytes written, want at least %d (%v)", len(content), len(want), err)
	}
}

func TestCommandErrors(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-procs", "0"}, "at least one process"},
		{[]string{"-dump", "x"}, "-case N"},
		{[]string{"-dump", "/no/such/place", "-case", "1"}, "give another file"},
		{[]string{"-unknown"}, "not defined"},
	} {
		if _, err := command(t.Context(), c.args, io.Discard); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
	t.Chdir(t.TempDir())
	if _, err := command(t.Context(), nil, io.Discard); err == nil || !strings.Contains(err.Error(), "no go.mod") {
		t.Errorf("outside the module: %v", err)
	}
}

// TestStopped shows that a run ends when it is told to, and that a child that cannot begin is an error, not a finding.
func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := &campaign{to: 10, procs: 1, patience: time.Second}
	if err := c.run(ctx, io.Discard, time.Minute); err == nil {
		t.Error("a run that was stopped says nothing")
	}
	t.Chdir(t.TempDir())
	c = &campaign{to: 10, procs: 1, patience: time.Second}
	if err := c.run(t.Context(), io.Discard, time.Minute); err == nil || !strings.Contains(err.Error(), "before its first case") {
		t.Errorf("children that cannot begin: %v", err)
	}
}

// TestAlike shows that findings of one cause are told once, by the lowest case.
func TestAlike(t *testing.T) {
	var l findings
	for i, detail := range []string{
		"in the core: thread panicked at 'index 7'\nstack 1", "in the core: thread panicked at 'index 9'\nstack 2", "in the core: thread panicked at 'other'",
	} {
		l.add(finding{Kind: aborted, Detail: detail, Case: uint64(10 - i)})
	}
	if len(l.groups) != 2 {
		t.Fatalf("%d groups, want 2", len(l.groups))
	}
	for _, g := range l.groups {
		if g.count == 2 && g.first.Case != 9 {
			t.Errorf("told by case %d, want 9", g.first.Case)
		}
	}
}
