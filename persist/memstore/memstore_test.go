package memstore_test

import (
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
	"tombolo/persist/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) persist.Store { return memstore.New() })
}
