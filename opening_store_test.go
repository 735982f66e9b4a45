package tombolo_test

import (
	"strings"
	"testing"

	"tombolo"
	"tombolo/persist"
	"tombolo/persist/memstore"
)

// lent is a store that outlives the engine it is lent to.
type lent struct{ persist.Store }

func (lent) Close() error { return nil }

// A store is not opened under another device's identity: the members of its space do not know that one.
func TestStoreOfAnotherDevice(t *testing.T) {
	store := lent{memstore.New()}
	dir := t.TempDir()
	e := open(t, dir, tombolo.Options{Store: store})
	must(t, e.Close())
	_, err := tombolo.Open(t.Context(), t.TempDir(), &tombolo.Options{Store: store, Offline: true})
	if err == nil || !strings.Contains(err.Error(), "belongs to another device") {
		t.Errorf("opened under another identity: %v", err)
	}
	open(t, dir, tombolo.Options{Store: store})
}
