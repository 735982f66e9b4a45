package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/doc"
)

func (p *peer) historyCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "history URL",
		Short: "List the changes of a document, the newest first",
		Long: "List the changes of a document, the newest first. Time, author and message are what the writer's program claims.\n" +
			"A hash, or its first digits, names the version with that change and all it builds on, for get --at, diff and revert.",
		Args: usage(cobra.ExactArgs(1)),
		PreRunE: func(*cobra.Command, []string) error {
			if limit < 0 {
				return usageError{errors.New("--limit is not below 0")}
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "how many changes; 0 for all")
	cmd.RunE = p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
		return withDocument(ctx, eng, args[0], func(h *tombolo.Handle) error { return p.history(h, limit) })
	})
	return cmd
}

func (p *peer) history(h *tombolo.Handle, limit int) error {
	type change struct {
		Hash    string    `json:"hash"`
		Deps    []string  `json:"deps"`
		Time    time.Time `json:"time,omitzero"`
		Author  string    `json:"author"`
		Message string    `json:"message"`
	}
	changes := []change{}
	rows := [][]string{{"TIME", "AUTHOR", "MESSAGE", "HASH"}}
	for e, err := range h.History() {
		if err != nil {
			return err
		}
		if e.Structural {
			continue // follows from the document itself: nobody made it
		}
		at := "-"
		if !e.Time.IsZero() {
			at = e.Time.Local().Format(time.DateTime)
		}
		changes = append(changes, change{e.Hash.String(), hexes(e.Deps), e.Time, e.Author, e.Message})
		rows = append(rows, []string{at, orDash(e.Author), orDash(e.Message), brief([]doc.Hash{e.Hash})})
		if len(changes) == limit {
			break
		}
	}
	return p.print(changes, func(w io.Writer) { table(w, rows) })
}

// minPrefix is how many digits name a change.
const minPrefix = 8

// headsOf reads the heads of a version: hashes of changes or their first digits, with commas between them.
func headsOf(h *tombolo.Handle, text string) ([]doc.Hash, error) {
	var heads []doc.Hash
	for prefix := range strings.SplitSeq(text, ",") {
		if len(prefix) < minPrefix {
			return nil, fmt.Errorf("%q names no version; give at least %d digits of each hash, as 'peer doc history' shows them", prefix, minPrefix)
		}
		var found []doc.Hash
		for e, err := range h.History() {
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(e.Hash.String(), strings.ToLower(prefix)) {
				found = append(found, e.Hash)
			}
		}
		switch len(found) {
		case 0:
			return nil, fmt.Errorf("this device has no change %s of the document; 'peer doc history' shows those it has", prefix)
		case 1:
			heads = append(heads, found[0])
		default:
			return nil, fmt.Errorf("%s begins the hashes of %d changes; give more digits", prefix, len(found))
		}
	}
	return heads, nil
}

func (p *peer) diffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff URL FROM [TO]",
		Short: "Show what differs between two versions, or between one and now",
		Args:  usage(cobra.RangeArgs(2, 3)),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			return withDocument(ctx, eng, args[0], func(h *tombolo.Handle) error {
				from, err := headsOf(h, args[1])
				if err != nil {
					return err
				}
				to := h.Heads()
				if len(args) > 2 {
					if to, err = headsOf(h, args[2]); err != nil {
						return err
					}
				}
				patches, err := h.Diff(from, to)
				if err != nil {
					return err
				}
				return p.printPatches(patches)
			})
		}),
	}
}

func (p *peer) printPatches(patches []doc.Patch) error {
	if patches == nil {
		patches = []doc.Patch{} // in JSON an empty list, not null
	}
	return p.print(patches, func(w io.Writer) { writePatches(w, "", patches) })
}

// writePatches prints a line for each patch.
func writePatches(w io.Writer, indent string, patches []doc.Patch) {
	value := func(v any) string {
		b, err := doc.EncodeJSON(v)
		if err != nil {
			return "?" // not from a document
		}
		return printable(string(b))
	}
	for _, patch := range patches {
		words := []string{indent + patch.Kind.String(), printable(patch.Path.String())}
		if patch.Kind == doc.PatchSplice {
			words = append(words, fmt.Sprint(patch.At))
		}
		switch patch.Kind {
		case doc.PatchAdd:
			words = append(words, value(patch.New))
		case doc.PatchRemove:
			words = append(words, value(patch.Old))
		default:
			words = append(words, value(patch.Old), "->", value(patch.New))
		}
		fmt.Fprintln(w, strings.Join(words, " "))
	}
}

func (p *peer) revertCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revert URL HEADS",
		Short: "Make a document what it was in an earlier version, by a change like others",
		Args:  usage(cobra.ExactArgs(2)),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			return withDocument(ctx, eng, args[0], func(h *tombolo.Handle) error {
				heads, err := headsOf(h, args[1])
				if err != nil {
					return err
				}
				if err := h.Revert(ctx, heads); err != nil {
					return err
				}
				return p.print(versionOf(h), func(io.Writer) {})
			})
		}),
	}
}
