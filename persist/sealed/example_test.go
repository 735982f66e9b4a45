package sealed_test

import (
	"context"
	"fmt"
	"os"

	"tombolo/persist"
	"tombolo/persist/memstore"
	"tombolo/persist/sealed"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	// At set-up: a passphrase, and a recovery key to be written down.
	recovery := sealed.NewRecoveryKey()
	written := recovery.Text()
	keys, err := sealed.Create(dir, sealed.Passphrase("correct horse battery", sealed.Cost{}), recovery)
	if err != nil {
		panic(err)
	}
	inner := memstore.New()
	store := sealed.New(inner, keys)
	b := &persist.Batch{}
	b.Put([]byte("xname"), []byte("laptop"))
	if err := store.Apply(ctx, b); err != nil {
		panic(err)
	}

	// The passphrase is forgotten, the paper is found.
	recovery, err = sealed.RecoveryKey(written)
	if err != nil {
		panic(err)
	}
	keys, err = sealed.Open(dir, recovery)
	if err != nil {
		panic(err)
	}
	v, err := sealed.New(inner, keys).Get(ctx, []byte("xname"))
	fmt.Println(string(v), err)
	_, err = inner.Get(ctx, []byte("xname"))
	fmt.Println(err)
	// Output:
	// laptop <nil>
	// persist: not found
}
