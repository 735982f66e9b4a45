package sealed_test

import (
	"context"
	"errors"
	"testing"

	"tombolo/persist"
	"tombolo/persist/memstore"
	"tombolo/persist/sealed"
)

// complaining is a store that finds something wrong with itself.
type complaining struct {
	persist.Store
	found error
}

func (c complaining) Check(context.Context) error { return c.found }

// TestCheckAsksBelow has what the inner store finds reach whoever asks.
func TestCheckAsksBelow(t *testing.T) {
	found := errors.New("a log was shortened")
	for _, want := range []error{nil, found} {
		s := sealed.New(complaining{memstore.New(), want}, newKeys(t))
		if err := s.Check(t.Context()); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("Check gave %v, the inner store's %v", err, want)
		}
	}
}
