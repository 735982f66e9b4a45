package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"tombolo"
	"tombolo/persist/sealed"
)

// copiedFlags are the answers to what a copied directory is.
func copiedFlags(cmd *cobra.Command, copied *tombolo.Copied) {
	var moved, anew bool
	cmd.Flags().BoolVar(&moved, "moved", false, "this directory was copied here, and the original is gone: it is the same device")
	cmd.Flags().BoolVar(&anew, "as-new-device", false, "this directory was copied here, and the original lives on: make this a new device with the documents of the old one")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		switch {
		case moved && anew:
			return usageError{errors.New("--moved and --as-new-device are two answers to one question; choose one")}
		case moved:
			*copied = tombolo.CopiedMoved
		case anew:
			*copied = tombolo.CopiedNew
		}
		return nil
	}
}

// refused says in the words of this program why a directory was not opened, where it waits for an answer.
func (p *peer) refused(err error) error {
	c, ok := errors.AsType[*tombolo.CopiedError](err)
	switch {
	case errors.Is(err, sealed.ErrSecret):
		return fmt.Errorf("the secret does not fit the device in %s; check it, or use another one (passphrase, key file, recovery key)", p.dir)
	case !ok:
		return err
	}
	return fmt.Errorf("%s is a copy of a device's directory, and a device must not run twice. If the original is gone: 'peer%s run --moved'. "+
		"If it lives on: 'peer%s run --as-new-device' makes this a device of its own", c.Dir, p.dirFlag(), p.dirFlag())
}
