package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"tombolo"
)

const againHelp = "let Automerge read what once ended this program"

func (p *peer) exportCommand() *cobra.Command {
	var again bool
	cmd := &cobra.Command{
		Use:   "export URL [FILE]",
		Short: "Write a document with its history as an .automerge file, or to standard output",
		Args:  usage(cobra.RangeArgs(1, 2)),
		PreRunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && (p.json || p.terminal) {
				return usageError{errors.New("a document is no text; give a FILE, or send standard output to one without --json")}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&again, "again", false, againHelp)
	run := p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
		return withDocument(ctx, eng, args[0], func(h *tombolo.Handle) error {
			saved, err := pardoned(ctx, eng, again, func() ([]byte, error) { return h.Export(ctx) })
			if err != nil {
				return err
			}
			_, err = p.out.Write(saved)
			return err
		})
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if p.engine != nil || len(args) == 1 {
			return run(cmd, args) // the client has the file
		}
		return p.intoFile(args[1], func() error { return run(cmd, args) })
	}
	return cmd
}

// intoFile sends standard output to a new file while run runs.
func (p *peer) intoFile(name string, run func() error) (err error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already; choose another name, or remove it first", name)
	}
	if err != nil {
		return err
	}
	out := p.out
	p.out = file
	err = run()
	p.out = out
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return p.print(struct {
		File string `json:"file"`
	}{name}, func(io.Writer) {})
}

func (p *peer) importCommand() *cobra.Command {
	var name string
	var again bool
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Make a document of an .automerge file, with its history, and print its URL",
		Long:  "Make a document of an .automerge file, with its history, and print its URL. Only files of your own: a malformed one can end this program.",
		Args:  usage(cobra.ExactArgs(1)),
	}
	cmd.Flags().StringVar(&name, "name", "", "the document's name, which leads every device to the same document")
	cmd.Flags().BoolVar(&again, "again", false, againHelp)
	run := p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, _ []string) error {
		saved, err := p.argument(ctx, "-")
		if err != nil {
			return err
		}
		h, err := pardoned(ctx, eng, again, func() (*tombolo.Handle, error) { return eng.Home().Import(ctx, name, saved) })
		if err != nil {
			return err
		}
		return p.printMade(h)
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if p.engine != nil || args[0] == "-" {
			return run(cmd, args)
		}
		file, err := os.Open(args[0])
		if err != nil {
			return err
		}
		p.in = file // also where a node does the work: it reads standard input of its client
		return errors.Join(run(cmd, args), file.Close())
	}
	return cmd
}

// pardoned does what is kept from Automerge's core only if again says so.
func pardoned[T any](ctx context.Context, eng *tombolo.Engine, again bool, do func() (T, error)) (T, error) {
	v, err := do()
	kept, ok := errors.AsType[*tombolo.QuarantinedError](err)
	switch {
	case !ok:
		return v, err
	case !again:
		return v, fmt.Errorf("%w (here: --again)", err)
	}
	if err := eng.Pardon(ctx, kept.Hash); err != nil {
		return v, err
	}
	return do()
}
