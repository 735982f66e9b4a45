package tombolo_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Whatever the tests of this package open, nothing of it may run when they have ended.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
