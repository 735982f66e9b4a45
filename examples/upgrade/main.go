// Upgrade shows what package schema is for. One app, an issue tracker, has had three releases, which keep different things of an issue: v2 renames
// a field and turns a tick into a status, v3 splits two fields and makes one a set. Three people use it, each with another release, and all three
// work on the same issue: apart and together, while their programs are started, stopped, killed and updated. In the end it prints what each of
// them saw, and whether that is what they should have seen:
//
//	go run ./examples/upgrade                       exits with 0 only when every line is true
//	go run ./examples/upgrade -kill 4:Cem:early     kills a program at a step, starts it again, and prints the same
//	go run ./examples/upgrade -kill all             all three at every step, one run for each: some minutes
//
// Each release is a program of its own, with its struct in v1.go, v2.go or v3.go; schema.go has their common history. The three talk over
// encrypted connections on this machine alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
)

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "upgrade:", err)
		os.Exit(1)
	}
}

// start is one of the three programs, or the script that runs them.
func start(args []string) error {
	if len(args) > 0 {
		if _, ok := releases[args[0]]; ok {
			return runProgram(context.Background(), args[0], args[1:], os.Stdin, os.Stdout, os.Stderr)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	flags := flag.NewFlagSet("upgrade", flag.ContinueOnError)
	kill := flags.String("kill", "", "`whom` to kill and when, such as 4:Cem:early or 4:Cem:late; or all of it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not known; see -help", flags.Arg(0))
	}
	switch *kill {
	case "":
		return show(ctx, strike{}, os.Stdout)
	case "all":
		return killAll(ctx, os.Stdout)
	}
	k, err := parseStrike(*kill)
	if err != nil {
		return err
	}
	return show(ctx, k, os.Stdout)
}

const legend = `An issue tracker, in three versions:

  v1  title, done, fullName (of who reported it), assignee, tags, votes, todos, settings.theme
  v2  title is called name; done becomes a status; the theme moves up; there is a priority
  v3  status becomes state and archived; fullName becomes first and last; several assignees; todos have notes

`

// show runs the script once and prints what happens, and then the table.
func show(ctx context.Context, k strike, out io.Writer) error {
	fmt.Fprint(out, legend)
	rows, err := inTemporary(ctx, k, func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) })
	if err != nil {
		return err
	}
	text, holds := table(rows)
	fmt.Fprintf(out, "\nWhat each version sees:\n\n%s", text)
	if !holds {
		return errors.New("not every line is true")
	}
	return nil
}

// killAll runs the script once undisturbed and once for every strike, and compares the tables.
func killAll(ctx context.Context, out io.Writer) error {
	silent := func(string, ...any) {}
	rows, err := inTemporary(ctx, strike{}, silent)
	if err != nil {
		return err
	}
	want, holds := table(rows)
	fmt.Fprint(out, want)
	if !holds {
		return errors.New("not every line is true")
	}
	for _, k := range strikes() {
		rows, err := inTemporary(ctx, k, silent)
		if err != nil {
			return fmt.Errorf("-kill %s: %w", k, err)
		}
		if got, _ := table(rows); got != want {
			return fmt.Errorf("-kill %s changes the table:\n%s", k, got)
		}
		fmt.Fprintln(out, "the same with -kill", k)
	}
	return nil
}

func inTemporary(ctx context.Context, k strike, say func(format string, args ...any)) ([]row, error) {
	dir, err := os.MkdirTemp("", "tombolo-upgrade-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return run(ctx, dir, k, say)
}

// table prints the rows, and says whether all of them are true.
func table(rows []row) (string, bool) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	all := true
	fmt.Fprintln(w, "\tAda: v1\tBen: v2\tCem: v3\tas it should be")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%t\n", r.says, r.cells[0], r.cells[1], r.cells[2], r.holds)
		all = all && r.holds
	}
	w.Flush()
	return b.String(), all
}
