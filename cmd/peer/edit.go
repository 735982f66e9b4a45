package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/doc"
)

// edit makes one change to a document and prints the version it leads to; nothing for people, whom the exit code tells.
func (p *peer) edit(ctx context.Context, eng *tombolo.Engine, url, message string, fn func(tx *doc.Tx) error) error {
	return withDocument(ctx, eng, url, func(h *tombolo.Handle) error {
		if err := h.Change(ctx, message, fn); err != nil {
			return err
		}
		return p.print(versionOf(h), func(io.Writer) {})
	})
}

func (p *peer) setCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "set URL POINTER JSON|-",
		Short: "Set the value at a JSON Pointer; - as its last part appends to a list",
		Args:  usage(cobra.ExactArgs(3)),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			v, err := p.value(ctx, args[2])
			if err != nil {
				return err
			}
			return p.edit(ctx, eng, args[0], "set "+args[1], func(tx *doc.Tx) error { return tx.Set(args[1], v) })
		}),
	}
}

func (p *peer) patchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "patch URL PATCH|-",
		Short: "Apply a JSON Patch: add, remove, replace, move, copy and test, all of it or nothing",
		Args:  usage(cobra.ExactArgs(2)),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			patch, err := p.argument(ctx, args[1])
			if err != nil {
				return err
			}
			return p.edit(ctx, eng, args[0], "patch", func(tx *doc.Tx) error { return tx.Patch(patch) })
		}),
	}
}

func (p *peer) putCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "put URL JSON|-",
		Short: "Make a JSON object the whole document, by the least difference",
		Args:  usage(cobra.ExactArgs(2)),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			v, err := p.object(ctx, args[1])
			if err != nil {
				return err
			}
			return p.edit(ctx, eng, args[0], "put", func(tx *doc.Tx) error { return tx.Put(v) })
		}),
	}
}

func (p *peer) removeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rm URL POINTER",
		Short: "Remove the value at a JSON Pointer",
		Args:  usage(cobra.ExactArgs(2)),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			return p.edit(ctx, eng, args[0], "remove "+args[1], func(tx *doc.Tx) error { return tx.Remove(args[1]) })
		}),
	}
}
