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
	"tombolo/cmd/peer/internal/control"
	"tombolo/doc"
)

func (p *peer) watchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "watch URL",
		Short: "Print each change of a document and what it did to the value, until interrupted",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
			return withDocument(ctx, eng, args[0], func(h *tombolo.Handle) error { return p.watch(ctx, h) })
		}),
	}
}

// watched is one line about a watched document: that watching begins, with the heads at that moment, or a change.
type watched struct {
	Event   string   `json:"event"` // "watching" or "change"
	Changes int      `json:"changes,omitzero"`
	Remote  bool     `json:"remote,omitzero"` // made on another device
	Heads   []string `json:"heads"`

	Patches []doc.Patch `json:"patches,omitempty"` // what a change did to the value
}

func (p *peer) watch(ctx context.Context, h *tombolo.Handle) error {
	events := h.Watch(ctx)
	if err := p.print(watched{Event: "watching", Heads: hexes(h.Heads())}, func(io.Writer) {}); err != nil {
		return err
	}
	for ev := range events {
		line := watched{"change", ev.Changes, ev.Remote, hexes(ev.Heads), ev.Patches}
		err := p.print(line, func(w io.Writer) {
			from := "here"
			if ev.Remote {
				from = "on another device"
			}
			fmt.Fprintf(w, "%s  %s made %s, heads %s\n", p.now().Format(time.TimeOnly), count(ev.Changes, "change"), from, brief(ev.Heads))
			if ev.Err != nil {
				fmt.Fprintf(w, "    what they did cannot be read now: %v\n", ev.Err)
			}
			writePatches(w, "    ", ev.Patches)
		})
		if err != nil {
			return err
		}
	}
	if cause := context.Cause(ctx); !errors.Is(cause, control.ErrInterrupted) {
		return cause // the node stops; being interrupted is how watching ends well
	}
	return nil
}

func (p *peer) waitCommand() *cobra.Command {
	var devices int
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "wait URL",
		Short: "Wait until a document, as it is now, is on the disks of so many devices",
		Args:  usage(cobra.ExactArgs(1)),
		PreRunE: func(*cobra.Command, []string) error {
			if devices < 1 || timeout < 0 {
				return usageError{errors.New("--devices is at least 1 and --timeout not below 0")}
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&devices, "devices", 2, "how many devices, this one included")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "give up after this time (default: never)")
	cmd.RunE = p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
		return withDocument(ctx, eng, args[0], func(h *tombolo.Handle) error { return p.wait(ctx, h, devices, timeout) })
	})
	return cmd
}

func (p *peer) wait(ctx context.Context, h *tombolo.Handle, devices int, timeout time.Duration) error {
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if timeout > 0 {
		waiting, cancel = context.WithTimeout(ctx, timeout)
	}
	defer cancel()
	err := h.Wait(waiting, tombolo.OnDevices(devices))
	if err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
		return err
	}
	st, stErr := h.Status(ctx)
	if stErr != nil {
		return stErr
	}
	durable := []tombolo.Device{}
	names := []string{}
	for _, d := range st.Devices {
		if d.Durable {
			durable, names = append(durable, d.Device), append(names, named(d.Device))
		}
	}
	on := strings.Join(names, ", ")
	if err != nil {
		return fmt.Errorf("after %s it is on %s (%s) and not on %d; 'peer%s status' shows who is connected",
			timeout, count(len(names), "device"), on, devices, p.dirFlag())
	}
	shape := struct {
		version
		Devices []tombolo.Device `json:"devices"`
	}{versionOf(h), durable}
	return p.print(shape, func(w io.Writer) { fmt.Fprintf(w, "durable on: %s\n", on) })
}
