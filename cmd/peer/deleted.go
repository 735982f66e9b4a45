package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/doc"
)

func (p *peer) deleteCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "delete URL",
		Short: "Mark a document as deleted, on all devices",
		Long: "Mark a document as deleted, on all devices of its space. 'peer doc ls' leaves it out, its history stays, and 'peer doc undelete'\n" +
			"brings it back. What other devices wrote meanwhile is in it, too.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			return p.mark(ctx, eng, args[0], (*tombolo.Handle).Delete)
		}),
	}
}

func (p *peer) undeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "undelete URL",
		Short: "Bring back a deleted document, on all devices",
		Long: "Bring back a deleted document, on all devices of its space. Of one that was purged here, this device forgets that it was: another\n" +
			"device that has it brings it, still deleted, and a name can be used again.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			err := p.mark(ctx, eng, args[0], (*tombolo.Handle).Undelete)
			if errors.Is(err, tombolo.ErrNotFound) {
				if again := p.unpurge(ctx, eng, args[0]); !errors.Is(again, tombolo.ErrNotFound) {
					return again
				}
			}
			return err
		}),
	}
}

// mark changes whether a document is deleted.
func (p *peer) mark(ctx context.Context, eng *tombolo.Engine, text string, how func(*tombolo.Handle, context.Context) error) error {
	return withDocument(ctx, eng, text, func(h *tombolo.Handle) error {
		if err := how(h, ctx); err != nil {
			return err
		}
		return p.print(versionOf(h), func(io.Writer) {})
	})
}

func (p *peer) unpurge(ctx context.Context, eng *tombolo.Engine, text string) error {
	u, err := doc.ParseURL(text)
	if err != nil {
		return err
	}
	if err := eng.Unpurge(ctx, u); err != nil {
		return err
	}
	return p.print(version{URL: u.String(), Heads: []string{}}, func(w io.Writer) {
		fmt.Fprintln(w, "It was purged here, and this device forgets that; one that still has it brings it back, and is to undelete it.")
	})
}

func (p *peer) purgeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "purge URL",
		Short: "Drop what this device has of a deleted document",
		Long: "Drop what this device has of a deleted document. What no other device has of it is lost. It comes back, deleted, from a\n" +
			"device that had not heard of the deletion. Wait for the others first with: peer doc wait URL",
		Args: usage(cobra.ExactArgs(1)),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			u, err := doc.ParseURL(args[0])
			if err != nil {
				return err
			}
			err = eng.Purge(ctx, u)
			switch {
			case errors.Is(err, tombolo.ErrNotFound):
				return fmt.Errorf("%w; 'peer doc ls --deleted' shows those that can be purged", err)
			case errors.Is(err, tombolo.ErrNotDeleted):
				return fmt.Errorf("%w: peer doc delete %s", err, u)
			case err != nil:
				return err
			}
			return p.print(version{URL: u.String(), Heads: []string{}}, func(io.Writer) {})
		}),
	}
}

// undeletes says how to get at a document whose name is refused because it was deleted.
func undeletes(err error) error {
	if del, ok := errors.AsType[*tombolo.DeletedError](err); ok {
		return fmt.Errorf("%w: peer doc undelete %s", err, del.URL)
	}
	return err
}
