package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"tombolo"
)

func (p *peer) forkCommand() *cobra.Command {
	var from, to, name string
	var opts tombolo.ForkOptions
	cmd := &cobra.Command{
		Use:   "fork --to DIR",
		Short: "Copy this device to try a new version of a program on real data",
		Long: "Make a new device of a copy of this one, to try a new version of a program on real data. The fork has all documents with their history, in a\n" +
			"home of its own, and can never sync with the original or its devices: it has another identity and no memberships. No byte of the original\n" +
			"changes; it must not be running meanwhile. With --dry-run every document is read and reported, and the fork is removed again.",
		Args: usage(cobra.NoArgs),
	}
	cmd.Flags().StringVar(&from, "from", "", "the directory of the device to fork (default: that of --dir)")
	cmd.Flags().StringVar(&to, "to", "", "the directory of the fork, which is not there yet or empty")
	cmd.Flags().StringVar(&name, "name", "", "what people call the fork (default: the host's name)")
	cmd.Flags().BoolVar(&opts.DryRun, "dry-run", false, "report what a fork would have, and keep nothing")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if to == "" {
			return usageError{errors.New("say where the fork goes with --to; see 'peer fork --help'")}
		}
		if from != "" {
			p.dir = from // its secrets are meant, too
		}
		if err := p.hasDir(); err != nil {
			return err
		}
		opts.Device = &tombolo.Options{Name: name, Unlock: p.unlock()}
		opts.Progress = func(doing string, done, total uint64) { p.tell(doing, done, total) }
		return p.fork(cmd.Context(), to, opts)
	}
	return cmd
}

func (p *peer) fork(ctx context.Context, to string, opts tombolo.ForkOptions) error {
	f, err := tombolo.Fork(ctx, p.dir, to, opts)
	if _, busy := errors.AsType[*tombolo.InUseError](err); busy {
		return fmt.Errorf("%w; a device is forked while it does not run", err)
	}
	if err != nil {
		return p.refused(err)
	}
	return p.print(f, func(w io.Writer) {
		documents, dir := count(len(f.Documents), "document"), shellWord(f.Dir)
		if f.DryRun {
			fmt.Fprintf(w, "A fork would have %s in %s; nothing was kept\n", documents, printable(f.Dir))
		} else {
			fmt.Fprintf(w, "%s (%s) keeps %s in %s, as a fork of %s\n", named(f.Device), f.Device.Peer, documents, printable(f.Dir), printable(p.dir))
		}
		printForked(w, f.Documents)
		for _, url := range f.LeftOut {
			fmt.Fprintf(w, "left out, since the home has a document of the same ID: %s\n", url)
		}
		if !f.DryRun {
			fmt.Fprintln(w, "It is a device of its own, and nothing gets from it to the original or back.")
			fmt.Fprintf(w, "Give its directory to the new version of your program, or start it with: peer --dir %s run\n", dir)
		}
	})
}

// printForked lists the documents of a fork, and then what is wrong with them.
func printForked(w io.Writer, documents []tombolo.ForkedDocument) {
	if len(documents) == 0 {
		return
	}
	rows := [][]string{{"NAME", "APP", "VERSIONS", "NEEDS", "FORKS", "STATE", "URL"}}
	for _, d := range documents {
		seen := []int{}
		for _, v := range d.Schema {
			seen = append(seen, v.Version)
		}
		needs := "-"
		if d.MinWriter > 0 {
			needs = numbers([]int{d.MinWriter})
		}
		rows = append(rows, []string{
			orDash(d.Name), orDash(d.App), numbers(slices.Compact(seen)), needs, numbers(d.Forks), d.State, d.URL,
		})
	}
	table(w, rows)
	for _, d := range documents {
		if d.Error != "" {
			fmt.Fprintf(w, "%s: %s\n", d.URL, printable(d.Error))
		}
	}
}
