package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/doc"
	"tombolo/schema"
)

func (p *peer) schemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "See which versions of a program wrote a document",
		Args:  usage(noCommand),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.schemaInspectCommand())
	return cmd
}

// schemaWriter is one definition of a version that wrote a document.
type schemaWriter struct {
	Version int      `json:"version"`
	Print   string   `json:"print"`             // its fingerprint
	Lineage []string `json:"lineage,omitempty"` // the fingerprints of versions 1 to this one, as its program has them
	Forked  bool     `json:"forked,omitempty"`
}

// inspected is what a document's marks say about schemas.
type inspected struct {
	version
	App       string         `json:"app"`
	Layout    uint64         `json:"layout"`
	Versions  []schemaWriter `json:"versions"`
	MinWriter int            `json:"minWriter"` // 0 for any
	Forks     []int          `json:"forks"`     // versions that exist in two definitions
}

func (p *peer) schemaInspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect URL",
		Short: "Print which versions of a schema wrote a document, and which may write to it",
		Long: "Print which versions of a schema wrote a document, and which may write to it, as the document's own marks say. No program and no schema is\n" +
			"needed for it, and nothing is written. A fork is a version that two programs define in two ways: each then only reads what the other writes.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			return withDocument(ctx, eng, args[0], func(h *tombolo.Handle) error {
				var marks doc.Marks
				if err := h.Content(func(c doc.Content) error {
					marks = c.Marks()
					return nil
				}); err != nil {
					return err
				}
				shape := inspectedOf(h, marks)
				return p.print(shape, func(w io.Writer) { shape.print(w) })
			})
		}),
	}
}

func inspectedOf(h *tombolo.Handle, marks doc.Marks) inspected {
	out := inspected{
		version: versionOf(h), App: marks.App, Layout: marks.Layout, MinWriter: marks.MinWriter, Versions: []schemaWriter{}, Forks: []int{},
	}
	for i, w := range schema.Written(marks) {
		s := schemaWriter{Version: w.Version, Print: hex.EncodeToString(w.Print[:]), Forked: w.Forked}
		for _, print := range marks.Versions[i].Lineage {
			s.Lineage = append(s.Lineage, hex.EncodeToString(print[:]))
		}
		if w.Forked && !slices.Contains(out.Forks, w.Version) {
			out.Forks = append(out.Forks, w.Version)
		}
		out.Versions = append(out.Versions, s)
	}
	return out
}

func (i inspected) print(w io.Writer) {
	if len(i.Versions) == 0 && i.MinWriter == 0 {
		fmt.Fprintln(w, "versions seen: none; no program with a schema wrote to it, and all may")
		return
	}
	seen := []int{}
	for _, v := range i.Versions {
		seen = append(seen, v.Version)
	}
	needs := "all may write"
	if i.MinWriter > 0 {
		needs = fmt.Sprintf("writing needs version %d", i.MinWriter)
	}
	fmt.Fprintf(w, "versions seen: %s; %s; forks: %s\n", numbers(slices.Compact(seen)), needs, numbers(i.Forks))
	if len(i.Versions) == 0 {
		return
	}
	rows := [][]string{{"VERSION", "FINGERPRINT", "GREW OUT OF"}}
	for _, v := range i.Versions {
		before := "-"
		if n := len(v.Lineage); n > 1 {
			before = strings.Join(v.Lineage[:n-1], " ")
		}
		rows = append(rows, []string{strconv.Itoa(v.Version), v.Print, before})
	}
	table(w, rows)
}

// numbers are versions for people.
func numbers(in []int) string {
	if len(in) == 0 {
		return "none"
	}
	out := make([]string, len(in))
	for i, n := range in {
		out[i] = strconv.Itoa(n)
	}
	return strings.Join(out, ", ")
}
