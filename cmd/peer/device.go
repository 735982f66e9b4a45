package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/persist/sealed"
)

func (p *peer) initCommand() *cobra.Command {
	var name string
	var seal bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a device: an identity and a home for documents",
		Args:  usage(cobra.NoArgs),
	}
	cmd.Flags().StringVar(&name, "name", "", "what people call this device (default: the host's name)")
	cmd.Flags().BoolVar(&seal, "seal", false, "seal all data under a passphrase, or the key file of --key-file, which is made if it is not there")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := p.hasDir(); err != nil {
			return err
		}
		if tombolo.Exists(p.dir) {
			return fmt.Errorf("there is a device in %s already; use it as it is, or choose another directory with --dir", p.dir)
		}
		opts := &tombolo.Options{Name: name, Offline: true, Unlock: p.unlock()}
		var recovery sealed.Secret
		if seal {
			var err error
			if opts.Unlock, recovery, err = p.sealNew(); err != nil {
				return err
			}
		}
		eng, err := tombolo.Open(cmd.Context(), p.dir, opts)
		if err != nil && seal {
			err = fmt.Errorf("%w; the recovery key was not shown: remove %s before you try again", err, p.dir)
		}
		if err != nil {
			return err
		}
		self := eng.Self()
		if err := eng.Close(); err != nil {
			return err
		}
		made := struct {
			tombolo.Device
			Dir      string `json:"dir"`
			Recovery string `json:"recovery,omitempty"` // of a sealed device, this once
		}{self, p.dir, recovery.Text()}
		return p.print(made, func(w io.Writer) {
			fmt.Fprintf(w, "%s (%s) keeps its data in %s\n", named(self), self.Peer, p.dir)
			if seal {
				warnOfLoss(w, recovery)
			}
			fmt.Fprintf(w, "Start it with: peer%s run\n", p.dirFlag())
		})
	}
	return cmd
}

func (p *peer) idCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "id",
		Short: "Print this device's peer ID and name",
		Args:  usage(cobra.NoArgs),
		RunE: p.onEngine(existing, func(_ context.Context, eng *tombolo.Engine, _ []string) error {
			self := eng.Self()
			return p.print(self, func(w io.Writer) { fmt.Fprintf(w, "%s  %s\n", self.Peer, printable(self.Name)) })
		}),
	}
}

func (p *peer) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return errors.New("this program was built without its version; build it with the go command")
			}
			version := struct {
				Version  string `json:"version"`
				Revision string `json:"revision,omitempty"`
				Go       string `json:"go"`
			}{Version: info.Main.Version, Go: info.GoVersion}
			if version.Version == "" {
				version.Version = "(devel)"
			}
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" {
					version.Revision = s.Value
				}
			}
			return p.print(version, func(w io.Writer) { fmt.Fprintf(w, "tombolo peer %s, %s\n", version.Version, version.Go) })
		},
	}
}
