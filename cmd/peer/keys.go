package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/persist/sealed"
)

// secretFiles are where the secret that opens a sealed device stands: at most one of them.
type secretFiles struct{ passphrase, key string }

func (s secretFiles) given() bool { return s != secretFiles{} }

// secretFlags are the flags of all commands that open a sealed device.
func (p *peer) secretFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.StringVar(&p.secrets.passphrase, "passphrase-file", "", "a sealed device's passphrase or recovery key: the file whose first line it is (default: $PEER_PASSPHRASE_FILE, else asked for)")
	flags.StringVar(&p.secrets.key, "key-file", "", "a sealed device's key file (default: $PEER_KEY_FILE)")
}

// secretFiles are those of the flags, or else those of the environment.
func (p *peer) secretFiles() (secretFiles, error) {
	s := p.secrets
	if !s.given() {
		s = p.environment
	}
	if s.passphrase != "" && s.key != "" {
		return s, usageError{errors.New("a passphrase file and a key file are given; choose one (--passphrase-file, --key-file, PEER_PASSPHRASE_FILE, PEER_KEY_FILE)")}
	}
	return s, nil
}

// unlock is what the engine opens p.dir with; nil for a device that is not sealed and where no secret is given.
func (p *peer) unlock() tombolo.Unlock {
	if !tombolo.Sealed(p.dir) && !p.secrets.given() && !p.environment.given() {
		return nil
	}
	return func(context.Context) (sealed.Secret, error) {
		if !tombolo.Sealed(p.dir) {
			return sealed.Secret{}, fmt.Errorf("there is no sealed device in %s; make one with 'peer%s init --seal', or leave the secret out", p.dir, p.dirFlag())
		}
		return p.openingSecret()
	}
}

// openingSecret gives a secret of the sealed device in p.dir.
func (p *peer) openingSecret() (none sealed.Secret, err error) {
	from, err := p.secretFiles()
	if err != nil {
		return none, err
	}
	if from.key != "" {
		return sealed.KeyFile(from.key)
	}
	slots, err := sealed.Slots(p.dir)
	if err != nil {
		return none, err
	}
	if !slices.ContainsFunc(slots, func(s sealed.Slot) bool { return s.Kind != sealed.KindKeyFile }) {
		return none, fmt.Errorf("the device in %s opens with a key file only; name it with --key-file", p.dir)
	}
	text, err := p.secret(from.passphrase, "Passphrase or recovery key of this device", deviceSecret, false)
	if err != nil {
		return none, err
	}
	// A recovery key has a check sum, so no passphrase is taken for one.
	if recovery, err := sealed.RecoveryKey(string(text)); err == nil {
		return recovery, nil
	}
	return passphrase(text), nil
}

// deviceSecret is where the secret of a device may stand. --passphrase-file of some commands is for a backup's.
const deviceSecret = "--passphrase-file (beside a backup: PEER_PASSPHRASE_FILE), or use --key-file"

func passphrase(text []byte) sealed.Secret { return sealed.Passphrase(string(text), sealed.Cost{}) }

// newSecret gives a secret that is set: a key file, which is made where there is none, or a passphrase. flags is as for secret.
func (p *peer) newSecret(from secretFiles, flags string) (sealed.Secret, error) {
	if from.key == "" {
		text, err := p.secret(from.passphrase, "New passphrase of this device", flags, true)
		return passphrase(text), err
	}
	s, err := sealed.KeyFile(from.key)
	if errors.Is(err, fs.ErrNotExist) {
		return sealed.CreateKeyFile(from.key)
	}
	return s, err
}

// sealNew makes p.dir a sealed directory, and returns what opens it.
func (p *peer) sealNew() (open tombolo.Unlock, recovery sealed.Secret, err error) {
	from, err := p.secretFiles()
	if err != nil {
		return nil, recovery, err
	}
	secret, err := p.newSecret(from, deviceSecret)
	if err != nil {
		return nil, recovery, err
	}
	recovery, err = tombolo.Seal(p.dir, secret)
	return func(context.Context) (sealed.Secret, error) { return secret, nil }, recovery, err
}

// warnOfLoss shows a recovery key, and says what a person has to know of it.
func warnOfLoss(w io.Writer, recovery sealed.Secret) {
	fmt.Fprintf(w, "Recovery key, shown this once: %s\n", recovery.Text())
	fmt.Fprintln(w, "Write it down and keep it away from this computer: whoever has it can read everything here. "+
		"Who loses it and every other secret loses the data: no one can help. Keep a copy of the file 'keys' with your backups, too.")
}

func (p *peer) keyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "The secrets that open this device, if it is sealed: list, add, change, remove",
		Long: "The secrets that open this device, if it is sealed: list, add, change, remove.\n\n" +
			"No document is written anew. The commands work on the file 'keys' in the device's directory, while a node runs as well, which goes on as it is. " +
			"Whoever has a copy of that file from before still opens it with the secrets it had then.",
		Args: usage(noCommand),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.keyListCommand(), p.keyAddCommand(), p.keyChangeCommand(), p.keyRemoveCommand())
	return cmd
}

// hasKeys checks that p.dir is sealed.
func (p *peer) hasKeys() error {
	if err := p.hasDir(); err != nil {
		return err
	}
	if !tombolo.Sealed(p.dir) {
		return fmt.Errorf("there is no sealed device in %s, so there are no secrets; 'peer init --seal' makes one in another directory", p.dir)
	}
	return nil
}

// onKeys is the RunE of a command that needs the keys, unlocked.
func (p *peer) onKeys(do func(keys *sealed.Keys, args []string) error) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		if err := p.hasKeys(); err != nil {
			return err
		}
		secret, err := p.openingSecret()
		if err != nil {
			return err
		}
		keys, err := sealed.Open(p.dir, secret)
		if err != nil {
			return p.refused(err)
		}
		return do(keys, args)
	}
}

// slot is one secret, for JSON.
type slot struct {
	Num      uint64 `json:"num"`
	Kind     string `json:"kind"`
	Recovery string `json:"recovery,omitempty"` // the text of a new recovery key
}

func (p *peer) keyListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the secrets that open this device: number and kind",
		Args:  usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if err := p.hasKeys(); err != nil {
				return err
			}
			found, err := sealed.Slots(p.dir)
			if err != nil {
				return err
			}
			slots := make([]slot, len(found))
			for i, s := range found {
				slots[i] = slot{Num: s.Num, Kind: s.Kind.String()}
			}
			return p.print(slots, func(w io.Writer) {
				rows := [][]string{{"SECRET", "KIND"}}
				for _, s := range slots {
					rows = append(rows, []string{strconv.FormatUint(s.Num, 10), s.Kind})
				}
				table(w, rows)
			})
		},
	}
}

// newSecretFlags are where a secret that is set stands.
func newSecretFlags(cmd *cobra.Command, from *secretFiles) {
	cmd.Flags().StringVar(&from.passphrase, "new-passphrase-file", "", "the new passphrase: the file whose first line it is (default: asked for)")
}

func (p *peer) keyAddCommand() *cobra.Command {
	var from secretFiles
	var recovery bool
	cmd := &cobra.Command{
		Use:   "add",
		Short: "Add a secret that opens this device: a passphrase, a key file or a recovery key",
		Args:  usage(cobra.NoArgs),
	}
	newSecretFlags(cmd, &from)
	cmd.Flags().StringVar(&from.key, "new-key-file", "", "a key file, which is made if it is not there; keep it on another disk")
	cmd.Flags().BoolVar(&recovery, "recovery", false, "make a recovery key and print it")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if from.passphrase != "" && from.key != "" || recovery && from.given() {
			return usageError{errors.New("more than one secret to add; give one of --new-passphrase-file, --new-key-file, --recovery")}
		}
		return nil
	}
	cmd.RunE = p.onKeys(func(keys *sealed.Keys, _ []string) error {
		secret := sealed.NewRecoveryKey()
		if !recovery {
			var err error
			if secret, err = p.newSecret(from, "--new-passphrase-file, or use --new-key-file or --recovery"); err != nil {
				return err
			}
		}
		num, err := keys.AddSlot(secret)
		if err != nil {
			return err
		}
		return p.print(slot{num, secret.Kind().String(), secret.Text()}, func(w io.Writer) {
			fmt.Fprintf(w, "Secret %d, a %s, opens this device now.\n", num, secret.Kind())
			if recovery {
				warnOfLoss(w, secret)
			}
		})
	})
	return cmd
}

func (p *peer) keyChangeCommand() *cobra.Command {
	var from secretFiles
	cmd := &cobra.Command{
		Use:   "change",
		Short: "Change the passphrase of this device",
		Args:  usage(cobra.NoArgs),
	}
	newSecretFlags(cmd, &from)
	cmd.RunE = func(*cobra.Command, []string) error {
		if err := p.hasKeys(); err != nil {
			return err
		}
		old, err := p.openingSecret()
		if err != nil {
			return err
		}
		if old.Kind() != sealed.KindPassphrase {
			return errors.New("the secret given is no passphrase, and changing needs the old one; if that is forgotten, " +
				"add a new one with 'peer key add' and take the old one away with 'peer key remove'")
		}
		keys, err := sealed.Open(p.dir, old)
		if err != nil {
			return p.refused(err)
		}
		now, err := p.newSecret(from, "--new-passphrase-file")
		if err != nil {
			return err
		}
		if err := keys.ChangePassphrase(old, now); err != nil {
			return err
		}
		slots := keys.Slots()
		num := slots[len(slots)-1].Num
		return p.print(slot{Num: num, Kind: now.Kind().String()}, func(w io.Writer) {
			fmt.Fprintf(w, "The passphrase is changed; it is secret %d now. Copies of %s from before still open with the old one.\n", num, filepath.Join(p.dir, sealed.FileName))
		})
	}
	return cmd
}

func (p *peer) keyRemoveCommand() *cobra.Command {
	var num uint64
	return &cobra.Command{
		Use:   "remove NUMBER",
		Short: "Take a secret away, by the number that 'peer key ls' shows; the last one stays",
		Args:  usage(cobra.ExactArgs(1)),
		PreRunE: func(_ *cobra.Command, args []string) (err error) {
			if num, err = strconv.ParseUint(args[0], 10, 64); err != nil {
				return usageError{fmt.Errorf("%q is no number of a secret; 'peer key ls' lists them", args[0])}
			}
			return nil
		},
		RunE: p.onKeys(func(keys *sealed.Keys, _ []string) error {
			i := slices.IndexFunc(keys.Slots(), func(s sealed.Slot) bool { return s.Num == num })
			if i < 0 {
				return fmt.Errorf("no secret has the number %d; 'peer key ls' lists them", num)
			}
			kind := keys.Slots()[i].Kind
			if err := keys.RemoveSlot(num); err != nil {
				return err
			}
			return p.print(slot{Num: num, Kind: kind.String()}, func(w io.Writer) {
				fmt.Fprintf(w, "Secret %d, a %s, opens this device no more. Copies of %s from before still open with it.\n", num, kind, filepath.Join(p.dir, sealed.FileName))
			})
		}),
	}
}
