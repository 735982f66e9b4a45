package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tombolo"
)

func (p *peer) compactCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "compact",
		Short: "Make this device's store as small as it gets",
		Long: "Make this device's store as small as it gets: pack changes that lie one by one, drop caches that are out of date, and give the space of\n" +
			"what was deleted back to the disk. Nothing is lost, and a node goes on working meanwhile. It may be interrupted at any time: what is\n" +
			"done stays done, and the next 'peer compact' goes on.",
		Args: usage(cobra.NoArgs),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, _ []string) error {
			r, err := eng.Compact(ctx, p.tell)
			if err != nil {
				return err
			}
			return p.print(r, func(w io.Writer) {
				if r.After < r.Before {
					fmt.Fprintf(w, "%s before, %s after\n", inBytes(r.Before), inBytes(r.After))
				} else { // of a small store it is mostly room that Badger keeps for what comes
					fmt.Fprintf(w, "as small as it gets: %s\n", inBytes(r.After))
				}
				fmt.Fprintf(w, "%s packed, %s of old caches dropped\n", count(r.Packed, "document"), inBytes(r.Caches))
				if r.Skipped > 0 {
					fmt.Fprintf(w, "%s left as they are, because they do not read; 'peer%s doctor' says more\n", count(r.Skipped, "document"), p.dirFlag())
				}
			})
		}),
	}
}
