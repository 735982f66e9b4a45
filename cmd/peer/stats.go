package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"tombolo"
)

func (p *peer) statsCommand() *cobra.Command {
	var largest int
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Show how much this device keeps, what that takes on disk, and which documents take most",
		Long: "Show how much this device keeps, what that takes on disk, and which documents take most. Bytes of documents are those before\n" +
			"the store compresses them; 'on disk' is what its files take.",
		Args: usage(cobra.NoArgs),
		PreRunE: func(*cobra.Command, []string) error {
			if largest < 0 {
				return usageError{errors.New("--largest is a number of documents, 0 or more")}
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&largest, "largest", 10, "how many of the largest documents to show")
	cmd.RunE = p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, _ []string) error {
		s, err := eng.Stats(ctx, largest, p.tell)
		if err != nil {
			return err
		}
		return p.print(s, func(w io.Writer) { p.printStats(w, s) })
	})
	return cmd
}

func (p *peer) printStats(w io.Writer, s tombolo.Stats) {
	fmt.Fprintf(w, "%s, %s\n", count(s.Documents, "document"), count(int(s.Changes), "change"))
	if s.Quarantined > 0 {
		fmt.Fprintf(w, "%d of them quarantined; 'peer%s status' names them\n", s.Quarantined, p.dirFlag())
	}
	b := s.Bytes
	rows := [][]string{{"BYTES", "OF"}}
	for _, row := range []struct {
		n    uint64
		what string
	}{
		{b.Packed, "packed changes"},
		{b.Loose, "loose changes"},
		{b.Caches, "caches"},
		{b.Headers, "headers"},
		{b.Aside, "damaged documents, kept aside"},
		{b.Orphans, "documents without header"},
		{b.Rest, "members and settings"},
		{s.Disk, "the store's files on disk"},
	} {
		if row.n > 0 {
			rows = append(rows, []string{inBytes(row.n), row.what})
		}
	}
	section(w, rows)
	rows = [][]string{{"LARGEST", "CHANGES", "BYTES", "LOOSE", "PACKED", "CACHES", "URL"}}
	for _, d := range s.Largest {
		rows = append(rows, []string{
			orDash(d.Name), strconv.FormatUint(d.Changes, 10), inBytes(d.Bytes), inBytes(d.Loose), inBytes(d.Packed), inBytes(d.Caches), d.URL,
		})
	}
	section(w, rows)
}

// inBytes is a number of bytes for people.
func inBytes(n uint64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n)/1000, []string{"kB", "MB", "GB", "TB"}
	for len(units) > 1 && v >= 999.95 {
		v, units = v/1000, units[1:]
	}
	return fmt.Sprintf("%.1f %s", v, units[0])
}
