package tombolo_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// children are what a test runs in a process of its own, because it does not end well.
var children = map[string]func(args []string) error{}

// TestMain is a child when the environment says so. Otherwise, whatever the tests of this package open, nothing of it may run when they have ended.
func TestMain(m *testing.M) {
	if child, ok := children[os.Getenv("TOMBOLO_CHILD")]; ok {
		if err := child(os.Args[1:]); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}
