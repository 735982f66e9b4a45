package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/cmd/peer/internal/control"
	"tombolo/doc"
)

func (p *peer) doctorCommand() *cobra.Command {
	var repair bool
	var accept []string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check everything in this device's directory, and say what to do",
		Long: "Check everything in this device's directory: identity, memberships, the store, and every document, which is read whole. Says in a sentence\n" +
			"each what is not as it should be, and what to do. Nothing is changed without --repair, which never deletes what does not read: it is moved\n" +
			"aside. Where a node runs, it checks its documents; repairing needs it stopped. Exit code 0: sound. 1: something is wrong.",
		Args: usage(cobra.NoArgs),
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "mend what can be mended here; other devices bring the rest with 'peer run'")
	cmd.Flags().StringArrayVar(&accept, "accept", nil, "go on with a quarantined document as it is; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		urls, err := parseURLs(accept)
		if err != nil {
			return err
		}
		if p.engine != nil {
			return p.examineRunning(cmd.Context(), repair, urls)
		}
		return p.examine(cmd.Context(), repair, urls)
	}
	return cmd
}

func parseURLs(in []string) ([]doc.URL, error) {
	out := make([]doc.URL, 0, len(in))
	for _, s := range in {
		u, err := doc.ParseURL(s)
		if err != nil {
			return nil, usageError{err}
		}
		out = append(out, u)
	}
	return out, nil
}

// attending shows how far an examination is.
func (p *peer) attending() tombolo.Attending {
	return tombolo.Attending{Progress: func(done, total uint64) { p.tell("checking documents", done, total) }}
}

// examineRunning is the doctor in a node.
func (p *peer) examineRunning(ctx context.Context, repair bool, accept []doc.URL) error {
	if repair && len(accept) == 0 {
		return errors.New("a node runs on this directory: stop it, then run 'peer doctor --repair' again (documents heal by themselves while it runs)")
	}
	for _, u := range accept {
		if err := p.engine.Accept(ctx, u); err != nil {
			return err
		}
	}
	d, err := p.engine.Examine(ctx, p.attending())
	if err != nil {
		return err
	}
	return p.printDiagnosis(d)
}

// examine has a running node do it, or looks into the directory itself.
func (p *peer) examine(ctx context.Context, repair bool, accept []doc.URL) error {
	if err := p.hasDir(); err != nil {
		return err
	}
	if !tombolo.Exists(p.dir) {
		return p.noDevice()
	}
	opts := &tombolo.Options{Unlock: p.unlock()}
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		conn, err := control.Dial(ctx, p.dir)
		if err == nil {
			return p.remote(ctx, conn)
		}
		if !errors.Is(err, control.ErrNoNode) {
			return err
		}
		var d tombolo.Diagnosis
		if repair || len(accept) > 0 {
			d, err = tombolo.Repair(ctx, p.dir, opts, tombolo.RepairOptions{Accept: accept, Attending: p.attending()})
		} else {
			d, err = tombolo.Examine(ctx, p.dir, opts, p.attending())
		}
		if _, busy := errors.AsType[*tombolo.InUseError](err); !busy {
			if err != nil {
				if !p.json {
					printRepaired(p.err, d) // what was done before it failed
				}
				return p.refused(err)
			}
			return p.printDiagnosis(d)
		}
		select {
		case <-time.After(retry):
		case <-patient.Done():
			return err
		}
	}
}

// printDiagnosis says what was found; its error is the exit code.
func (p *peer) printDiagnosis(d tombolo.Diagnosis) error {
	err := p.print(d, func(w io.Writer) {
		printRepaired(w, d)
		for _, f := range d.Findings {
			fmt.Fprintf(w, "%-8s %s: %s\n", f.Severity, printable(f.Where), printable(withoutPackages(f.What)))
			if f.Do != "" {
				fmt.Fprintf(w, "         what to do: %s\n", printable(f.Do))
			}
		}
		problems := 0
		for _, f := range d.Findings {
			if f.Severity == tombolo.SeverityProblem {
				problems++
			}
		}
		verdict := count(problems, "problem")
		switch {
		case len(d.Findings) == 0:
			verdict = "everything is sound"
		case d.Sound:
			verdict = "nothing is wrong"
		}
		fmt.Fprintf(w, "%s read; %s\n", count(d.Documents, "document"), verdict)
	})
	if err == nil && !d.Sound {
		err = exitStatus(exitFailure)
	}
	return err
}

func printRepaired(w io.Writer, d tombolo.Diagnosis) {
	for _, what := range d.Repaired {
		fmt.Fprintf(w, "repair   %s\n", printable(withoutPackages(what)))
	}
}
