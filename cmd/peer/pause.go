package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tombolo"
)

func (p *peer) pauseCommand() *cobra.Command {
	return p.switchCommand("pause", "End this node's connections and make none until resume", (*tombolo.Engine).Pause,
		"paused: no connections until 'peer resume', or the next start")
}

func (p *peer) resumeCommand() *cobra.Command {
	return p.switchCommand("resume", "Go on talking to other devices after pause", (*tombolo.Engine).Resume, "connecting again")
}

// switchCommand is a command that turns a running node's connections off or on.
func (p *peer) switchCommand(use, short string, turn func(*tombolo.Engine, context.Context) error, done string) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  usage(cobra.NoArgs),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, _ []string) error {
			err := turn(eng, ctx)
			if errors.Is(err, tombolo.ErrOffline) {
				return fmt.Errorf("no node runs on this device; start one with: peer%s run", p.dirFlag())
			}
			if err != nil {
				return err
			}
			return p.print(struct {
				Paused bool `json:"paused"`
			}{use == "pause"}, func(w io.Writer) { fmt.Fprintln(w, done) })
		}),
	}
}
