package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"tombolo"
)

func (p *peer) backupCommand() *cobra.Command {
	var opts tombolo.BackupOptions
	var recipients []string
	var passphrase string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write everything this device keeps into one encrypted file",
		Long: "Write everything this device keeps into one encrypted file: documents with their history, memberships, settings.\n\n" +
			"It is encrypted as the age program does, under a passphrase or for recipients. A node goes on working meanwhile; the backup is of one\n" +
			"moment. Interrupted, it leaves no file of that name. 'peer verify' checks a backup, 'peer restore' makes a device of it.\n" +
			"What opens a sealed device is taken from --key-file, PEER_PASSPHRASE_FILE or the terminal here: --passphrase-file is for the backup.",
		Args: usage(cobra.ExactArgs(1)),
	}
	cmd.Flags().BoolVar(&opts.Identity, "with-identity", false, "put this device's secret key in, to restore it as the same device: whoever opens the backup can be this device")
	cmd.Flags().StringArrayVar(&recipients, "recipient", nil, "encrypt for this public key of age (age1…) and not under a passphrase; may be repeated")
	backupPassphraseFlag(cmd, &passphrase)
	opts.Progress = func(done, total uint64) { p.tell("backup", done, total) }
	run := p.onEngine(existing, func(ctx context.Context, eng *tombolo.Engine, _ []string) error {
		_, err := eng.Backup(ctx, p.out, opts)
		return err
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if p.engine != nil {
			return run(cmd, args) // the client has the file and the passphrase
		}
		// What will not work is said before anyone is asked for a passphrase.
		if err := p.hasDir(); err != nil {
			return err
		}
		if !tombolo.Exists(p.dir) {
			return p.noDevice()
		}
		if _, err := os.Lstat(args[0]); err == nil {
			return fmt.Errorf("%s is there already; choose another name, or remove it first", args[0])
		}
		if err := hasParent(args[0]); err != nil {
			return err
		}
		key, err := p.closingKey(recipients, passphrase)
		if err != nil {
			return err
		}
		sum, err := tombolo.WriteBackup(cmd.Context(), args[0], key, func(w io.Writer) error {
			defer func(out io.Writer) { p.out = out }(p.out)
			p.out = w
			return run(cmd, args)
		})
		if err != nil {
			return err
		}
		return p.printBackup(args[0], sum)
	}
	return cmd
}

// backupPassphraseFlag takes the place of the flag of that name for the device's own passphrase.
func backupPassphraseFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "passphrase-file", "", "the backup's passphrase: the file whose first line it is (default: asked for)")
}

// closingKey is what a backup is encrypted with.
func (p *peer) closingKey(recipients []string, file string) (tombolo.BackupKey, error) {
	if len(recipients) > 0 {
		if file != "" {
			return tombolo.BackupKey{}, usageError{errors.New("--recipient and --passphrase-file are given; choose one")}
		}
		return tombolo.BackupKey{Recipients: recipients}, nil
	}
	s, err := p.secret(file, "Passphrase of the backup", "--passphrase-file, or use --recipient", true)
	return tombolo.BackupKey{Passphrase: s}, err
}

func (p *peer) printBackup(file string, sum tombolo.BackupSummary) error {
	shape := struct {
		File string `json:"file"`
		tombolo.BackupSummary
	}{file, sum}
	return p.print(shape, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s, %s before compression\n", printable(file), count(int(sum.Documents), "document"), inBytes(sum.Bytes))
		warnUnread(w, sum.Unread)
		if sum.Identity {
			fmt.Fprintln(w, "It has this device's secret key: whoever opens it can be this device.")
		}
		fmt.Fprintf(w, "Check it with: peer verify %s\n", shellWord(file))
	})
}

// warnUnread says that something was damaged before the backup was made.
func warnUnread(w io.Writer, n uint64) {
	if n > 0 {
		fmt.Fprintf(w, "%s of the device's store did not read and could not be saved; 'peer doctor' says which on the device\n", entries(n))
	}
}

func entries(n uint64) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

func (p *peer) verifyCommand() *cobra.Command {
	var from backupFile
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a backup: that it opens, is whole, and every document in it can be restored",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			plain, err := from.open(p, args[0], nil)
			if err != nil {
				return err
			}
			report, err := tombolo.VerifyBackup(cmd.Context(), plain, func(done, total uint64) { p.tell("verify", done, total) })
			if err = errors.Join(err, plain.Close()); err != nil {
				return err
			}
			return p.printReport(args[0], report)
		},
	}
	from.flags(cmd)
	return cmd
}

// printReport ends with a failure where not everything can be restored.
func (p *peer) printReport(file string, r tombolo.BackupReport) error {
	shape := struct {
		File string `json:"file"`
		tombolo.BackupReport
	}{file, r}
	err := p.print(shape, func(w io.Writer) {
		fmt.Fprintf(w, "%s: made by %s, %s\n", printable(file), named(r.Device), r.Created.Local().Format("2006-01-02 15:04:05"))
		fmt.Fprintf(w, "%s with %s, %s\n", count(int(r.Documents), "document"), count(int(r.Changes), "change"), inBytes(r.Bytes))
		if r.Identity {
			fmt.Fprintln(w, "It can be restored as the same device.")
		}
		for _, d := range r.Damaged {
			fmt.Fprintf(w, "damaged: %s: %s\n", d.URL, printable(d.Why))
		}
		if warnUnread(w, r.Unread); r.Unread == 0 && len(r.Damaged) == 0 {
			fmt.Fprintln(w, "All of it is whole.")
		}
	})
	if err == nil && (len(r.Damaged) > 0 || r.Unread > 0) {
		err = exitStatus(exitFailure)
	}
	return err
}

// backupFile is how a backup is opened.
type backupFile struct{ passphrase, identities string }

func (f *backupFile) flags(cmd *cobra.Command) {
	backupPassphraseFlag(cmd, &f.passphrase)
	cmd.Flags().StringVar(&f.identities, "identity-file", "", "a file with secret keys of age, for a backup that was made with --recipient")
}

// maxIdentities bounds a file with secret keys, in bytes.
const maxIdentities = 1 << 20

// open gives what is in a backup. tell is told how much of the file is read, of how much; nil: nobody.
func (f *backupFile) open(p *peer, name string, tell func(done, total uint64)) (_ io.ReadCloser, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	key, err := f.key(p)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	plain, err := tombolo.UnsealBackup(&counted{in: file, total: uint64(info.Size()), tell: tell}, key)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, file}, nil
}

func (f *backupFile) key(p *peer) (tombolo.BackupKey, error) {
	if f.identities == "" {
		s, err := p.secret(f.passphrase, "Passphrase of the backup", "--passphrase-file, or use --identity-file", false)
		return tombolo.BackupKey{Passphrase: s}, err
	}
	if f.passphrase != "" {
		return tombolo.BackupKey{}, usageError{errors.New("--identity-file and --passphrase-file are given; choose one")}
	}
	file, err := os.Open(f.identities)
	if err != nil {
		return tombolo.BackupKey{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxIdentities))
	return tombolo.BackupKey{Identities: []string{string(text)}}, err
}

// counted says how much of a file is read.
type counted struct {
	in          io.Reader
	done, total uint64
	tell        func(done, total uint64)
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	if c.done += uint64(n); c.tell != nil {
		c.tell(c.done, c.total)
	}
	return n, err
}
