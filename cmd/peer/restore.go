package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist/sealed"
)

func (p *peer) restoreCommand() *cobra.Command {
	var from backupFile
	var opts tombolo.RestoreOptions
	var name, url string
	var seal bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a device of a backup, or one document what it was",
		Long: "Make a device of a backup, in a directory that has none yet (--dir).\n\n" +
			"It becomes a new device, with the documents of the old one in its home; documents of other spaces can be read, and take part again after\n" +
			"'peer join'. 'peer join --adopt' brings all of them back to where the other devices have them, and they merge. With --same-device it is the\n" +
			"device that made the backup, which must be gone for good. Interrupted, it leaves no device, and can be done again.\n\n" +
			"With --doc one document becomes what it was in the backup, by a change that other devices follow; what was written since stays in its history.",
		Args: usage(cobra.ExactArgs(1)),
	}
	from.flags(cmd)
	cmd.Flags().BoolVar(&opts.SameDevice, "same-device", false, "be the device that made the backup (with --with-identity)")
	cmd.Flags().StringVar(&name, "name", "", "what people call the new device (default: the host's name)")
	cmd.Flags().BoolVar(&seal, "seal", false, "seal all data under a new passphrase, or the key file of --key-file")
	cmd.Flags().StringVar(&url, "doc", "", "restore this document only, on this device")
	document := p.restoreDocument(&from, &url)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if url != "" {
			if opts.SameDevice || seal || name != "" {
				return usageError{errors.New("--doc restores one document on this device; leave out --same-device, --name and --seal")}
			}
			return document(cmd, args)
		}
		if p.engine != nil { // clients do it themselves
			return errors.New("a device is restored where none runs")
		}
		if opts.SameDevice && name != "" {
			return usageError{errors.New("--same-device keeps the name of the device; leave out --name")}
		}
		opts.Device = &tombolo.Options{Name: name}
		return p.restoreDevice(cmd.Context(), &from, args[0], opts, seal)
	}
	return cmd
}

func (p *peer) restoreDevice(ctx context.Context, from *backupFile, file string, opts tombolo.RestoreOptions, seal bool) error {
	if err := p.hasDir(); err != nil {
		return err
	}
	if tombolo.Exists(p.dir) { // before anyone is asked for a passphrase
		return fmt.Errorf("there is a device in %s already; choose another directory with --dir, or one document with --doc", p.dir)
	}
	plain, err := from.open(p, file, nil)
	if err != nil {
		return err
	}
	defer plain.Close()
	var recovery sealed.Secret
	if seal {
		if err := p.sealRestored(&opts, &recovery); err != nil {
			return err
		}
	}
	opts.Progress = func(done, total uint64) { p.tell("restore", done, total) }
	r, err := tombolo.Restore(ctx, plain, p.dir, opts)
	if err != nil {
		return err
	}
	shape := struct {
		tombolo.Restored
		Recovery string `json:"recovery,omitempty"`
	}{r, recovery.Text()}
	return p.print(shape, func(w io.Writer) {
		fmt.Fprintf(w, "%s (%s) keeps %s in %s, as of %s\n", named(r.Device), r.Device.Peer, count(int(r.Documents), "document"), printable(r.Dir),
			r.Created.Local().Format("2006-01-02 15:04:05"))
		warnUnread(w, r.Unread)
		if seal {
			warnOfLoss(w, recovery)
		}
		if opts.SameDevice {
			fmt.Fprintln(w, "It is the device that made the backup, which must not run any more.")
		} else {
			fmt.Fprintf(w, "It is a new device. To be among your others again: 'peer invite' on one of them, then here: peer%s join --adopt LINK\n", p.dirFlag())
		}
		fmt.Fprintf(w, "Start it with: peer%s run\n", p.dirFlag())
	})
}

// sealRestored has the device made in a sealed directory.
func (p *peer) sealRestored(opts *tombolo.RestoreOptions, recovery *sealed.Secret) error {
	from, err := p.secretFiles()
	if err != nil {
		return err
	}
	secret, err := p.newSecret(from, deviceSecret)
	if err != nil {
		return err
	}
	opts.Device.Unlock = func(context.Context) (sealed.Secret, error) { return secret, nil }
	opts.Prepare = func(dir string) (err error) {
		*recovery, err = tombolo.Seal(dir, secret)
		return err
	}
	return nil
}

// restoreDocument restores one document, in the node or here. The client reads the file; what is in it goes to the node as standard input.
func (p *peer) restoreDocument(from *backupFile, url *string) func(*cobra.Command, []string) error {
	do := func(ctx context.Context, eng *tombolo.Engine, in io.Reader) error {
		u, err := doc.ParseURL(*url)
		if err != nil {
			return err
		}
		r, err := eng.RestoreDocument(ctx, in, u)
		if err != nil {
			return err
		}
		shape := struct {
			tombolo.RestoredDocument
			Heads []string `json:"heads"`
		}{RestoredDocument: r, Heads: []string{}}
		for _, h := range r.Heads {
			shape.Heads = append(shape.Heads, h.String())
		}
		return p.print(shape, func(w io.Writer) {
			fmt.Fprintf(w, "%s is what it was at %s; %s came from the backup\n", r.URL, brief(r.Heads), count(r.Changes, "change"))
		})
	}
	return func(cmd *cobra.Command, args []string) (err error) {
		ctx := cmd.Context()
		if p.engine != nil {
			return do(ctx, p.engine, &interruptible{ctx: ctx, in: p.in})
		}
		plain, err := from.open(p, args[0], func(done, total uint64) { p.tell("read", done, total) })
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, plain.Close()) }()
		conn, eng, err := p.reach(ctx, existing, &tombolo.Options{Offline: true})
		switch {
		case err != nil:
			return err
		case conn != nil:
			p.in = plain
			return p.remote(ctx, conn)
		}
		return errors.Join(do(ctx, eng, plain), eng.Close())
	}
}
