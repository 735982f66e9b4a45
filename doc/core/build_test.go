package core_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestBuildsWithoutCore shows that programs can be built where the core does not exist.
func TestBuildsWithoutCore(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: compiles for other systems; run without -short")
	}
	for _, c := range []struct{ env, args string }{
		{"CGO_ENABLED=0", "vet ."},
		{"CGO_ENABLED=0 GOOS=windows", "build ."},
		{"CGO_ENABLED=0 GOOS=linux GOARCH=arm", "build ."},
		{"CGO_ENABLED=0", "test -run=^TestNoCore$ ."},
	} {
		cmd := exec.Command("go", strings.Fields(c.args)...)
		cmd.Env = append(os.Environ(), strings.Fields(c.env)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s go %s: %v\n%s", c.env, c.args, err, out)
		}
	}
}
