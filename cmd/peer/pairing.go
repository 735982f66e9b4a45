package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/mdp/qrterminal/v3"
	"github.com/spf13/cobra"

	"tombolo"
)

func (p *peer) inviteCommand() *cobra.Command {
	var inv tombolo.Invite
	cmd := &cobra.Command{
		Use:   "invite",
		Short: "Invite another device: print a link that works once",
		Args:  usage(cobra.NoArgs),
		PreRunE: func(*cobra.Command, []string) error {
			if inv.Role != "writer" && inv.Role != "reader" {
				return usageError{fmt.Errorf("--role is %q; choose writer or reader", inv.Role)}
			}
			if inv.Expires <= 0 {
				return usageError{fmt.Errorf("--expires is %s; give a time from now, such as 10m", inv.Expires)}
			}
			return nil
		},
		RunE: p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, _ []string) error {
			made, err := eng.Invite(ctx, inv)
			if err != nil {
				return err
			}
			return p.printInvitation(made)
		}),
	}
	cmd.Flags().StringVar(&inv.Role, "role", "writer", "what the other device may do: writer or reader")
	cmd.Flags().DurationVar(&inv.Expires, "expires", 10*time.Minute, "for how long the link works")
	return cmd
}

// printInvitation shows the link, on a terminal with a QR code above it. The link is the last line, for scripts and eyes.
func (p *peer) printInvitation(made tombolo.Invitation) error {
	shape := struct {
		Link    string    `json:"link"`
		Expires time.Time `json:"expires"`
	}{made.Link, made.Expires}
	if p.engine == nil && !p.json {
		fmt.Fprintf(p.err, "No node runs here: start 'peer%s run' before the other device joins.\n", p.dirFlag())
	}
	return p.print(shape, func(w io.Writer) {
		if p.terminal {
			qrterminal.GenerateHalfBlock(made.Link, qrterminal.L, w)
		}
		fmt.Fprintf(w, "Whoever has this link can join, once, until %s. On the other device: peer join LINK\n%s\n",
			made.Expires.Local().Format(time.DateTime), made.Link)
	})
}

func (p *peer) joinCommand() *cobra.Command {
	var opts tombolo.JoinOptions
	cmd := &cobra.Command{
		Use:   "join LINK",
		Short: "Join the device that made an invitation",
		Args:  usage(cobra.ExactArgs(1)),
	}
	cmd.Flags().BoolVar(&opts.Adopt, "adopt", false, "make the joined space this device's home and move its documents there")
	here := p.onEngine(creating, func(ctx context.Context, eng *tombolo.Engine, args []string) error {
		j, err := join(ctx, eng, args[0], opts)
		if err != nil {
			return err
		}
		return p.printJoined(j)
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if p.engine == nil && unused(p.dir) {
			return p.joinAnew(cmd.Context(), args[0], opts)
		}
		return here(cmd, args)
	}
	return cmd
}

// joined is what a device that joined knows.
type joined struct {
	Space   string         `json:"space"`
	Name    string         `json:"name"`
	Role    string         `json:"role"`
	Device  tombolo.Device `json:"device"` // that invited
	Adopted int            `json:"adopted"`
	home    bool
}

func join(ctx context.Context, eng *tombolo.Engine, link string, opts tombolo.JoinOptions) (joined, error) {
	j, err := eng.Join(ctx, link, opts)
	if err != nil {
		return joined{}, err
	}
	return joined{j.Space.ID().String(), j.Space.Name(), j.Space.Role(), j.Device, j.Adopted, opts.Adopt}, nil
}

// unused reports whether dir is not there, or empty.
func unused(dir string) bool {
	entries, err := os.ReadDir(dir)
	return dir != "" && (errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0)
}

// joinAnew makes the device that joins. It is made beside p.dir and takes its place when it has joined, so that an invitation
// that does not work leaves nothing behind.
func (p *peer) joinAnew(ctx context.Context, link string, opts tombolo.JoinOptions) (err error) {
	parent := filepath.Dir(filepath.Clean(p.dir))
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(parent, ".tombolo-join-")
	if err != nil {
		return err
	}
	eng, err := tombolo.Open(ctx, temp, &tombolo.Options{Unlock: p.unlock()})
	if err != nil {
		return errors.Join(err, os.RemoveAll(temp))
	}
	j, err := join(ctx, eng, link, opts)
	if err = errors.Join(err, eng.Close()); err == nil {
		err = os.Rename(temp, p.dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(temp))
	}
	return p.printJoined(j)
}

func (p *peer) printJoined(j joined) error {
	return p.print(j, func(w io.Writer) {
		fmt.Fprintf(w, "Joined %s as a %s of %q.\n", named(j.Device), printable(j.Role), printable(j.Name))
		if j.home {
			fmt.Fprintf(w, "It is this device's home now; %s moved there.\n", count(j.Adopted, "document"))
		}
		if p.engine == nil {
			fmt.Fprintf(w, "To share documents: peer%s run\n", p.dirFlag())
		}
	})
}
