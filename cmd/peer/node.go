package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/cmd/peer/internal/control"
)

func (p *peer) runCommand() *cobra.Command {
	var opts tombolo.Options
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run this device's node: share documents with other devices until interrupted",
		Args:  usage(cobra.NoArgs),
	}
	cmd.Flags().StringArrayVar(&opts.Listen, "listen", nil, "a multiaddr to listen on, may be repeated (default: TCP on all interfaces, any port)")
	cmd.Flags().BoolVar(&opts.NoDiscovery, "no-discovery", false, "do not look for devices, nor show this one, on the local network")
	cmd.Flags().StringSliceVar(&opts.Debug, "debug", nil, "parts that tell on standard error what they do, without contents: persist, sync, schema")
	copiedFlags(cmd, &opts.Copied)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		opts.Log, opts.Node = p.logger(), true
		conn, eng, err := p.reach(cmd.Context(), creating, &opts)
		if conn != nil { // a node runs there: let the engine say whose process it is
			conn.Close()
			eng, err = tombolo.Open(cmd.Context(), p.dir, &opts)
		}
		if err != nil {
			return err
		}
		return errors.Join(p.runNode(cmd.Context(), eng), eng.Close())
	}
	return cmd
}

// logger speaks to the operator on standard error.
func (p *peer) logger() *slog.Logger {
	if p.json {
		return slog.New(slog.NewJSONHandler(p.err, nil))
	}
	return slog.New(slog.NewTextHandler(p.err, nil))
}

// runNode serves commands until ctx ends. The engine shares documents meanwhile, and is the caller's to close.
func (p *peer) runNode(ctx context.Context, eng *tombolo.Engine) error {
	l, err := control.Listen(p.dir)
	if err != nil {
		return err
	}
	srv := control.Serve(l, p.handler(eng))
	err = p.ready(eng)
	if err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, srv.Close())
}

// handler carries out the command lines of clients on the node's engine.
func (p *peer) handler(eng *tombolo.Engine) control.Handler {
	return func(ctx context.Context, req control.Request, s control.Streams) int {
		client := &peer{
			in: s.In, out: s.Out, err: s.Err,
			terminal: req.Terminal,
			progress: s.Progress,
			args:     req.Args,
			now:      p.now,
			dir:      p.dir,
			engine:   eng,
		}
		return client.execute(ctx)
	}
}

// ready says that the node runs, and how to reach it.
func (p *peer) ready(eng *tombolo.Engine) error {
	self, addrs := eng.Self(), eng.Addrs()
	if addrs == nil {
		addrs = []string{}
	}
	line := struct {
		Event string   `json:"event"`
		Peer  string   `json:"peer"`
		Name  string   `json:"name"`
		Addrs []string `json:"addrs"`
	}{"ready", self.Peer, self.Name, addrs}
	return p.print(line, func(w io.Writer) {
		fmt.Fprintf(w, "%s is running.\n", named(self))
		rows := [][]string{{"  peer", self.Peer}, {"  data", p.dir}}
		for i, addr := range addrs {
			label := "  at"
			if i > 0 {
				label = ""
			}
			rows = append(rows, []string{label, addr})
		}
		table(w, append(rows, []string{"  invite", "'peer" + p.dirFlag() + " invite' connects another device"}))
		fmt.Fprintln(w, "Ctrl-C stops it.")
	})
}
