package tombolo_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"tombolo"
	"tombolo/doc"
	"tombolo/persist/sealed"
)

func ExampleSeal() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "tombolo-example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	data := filepath.Join(dir, "data")

	// At set-up a person chooses a passphrase, and is shown a recovery key, once.
	typed := "correct horse battery"
	recovery, err := tombolo.Seal(data, sealed.Passphrase(typed, sealed.Cost{}))
	if err != nil {
		log.Fatal(err)
	}
	written := recovery.Text()

	// From then on Open asks, where it needs to.
	open := func(secret sealed.Secret) (*tombolo.Engine, error) {
		unlock := func(context.Context) (sealed.Secret, error) { return secret, nil }
		return tombolo.Open(ctx, data, &tombolo.Options{Unlock: unlock, Offline: true})
	}
	eng, err := open(sealed.Passphrase(typed, sealed.Cost{}))
	if err != nil {
		log.Fatal(err)
	}
	h, err := eng.Home().Open(ctx, "diary")
	if err != nil {
		log.Fatal(err)
	}
	if err := h.Change(ctx, "", func(tx *doc.Tx) error { return tx.Set("monday", "rain") }); err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(h.Close(), eng.Close()); err != nil {
		log.Fatal(err)
	}

	// The passphrase is forgotten; the paper is found.
	_, err = open(sealed.Passphrase("horse, or cart?", sealed.Cost{}))
	fmt.Println(errors.Is(err, sealed.ErrSecret))
	secret, err := sealed.RecoveryKey(written)
	if err != nil {
		log.Fatal(err)
	}
	if eng, err = open(secret); err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	if h, err = eng.Home().Open(ctx, "diary"); err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	monday, err := h.Get("/monday")
	fmt.Println(monday, err)
	// Output:
	// true
	// rain <nil>
}
