// Command schemafaults proves that the tests of schema versions can fail: it builds faults into the lens engine, one at a time, and runs the tests of
// schema and schematest, which must find each. The tree is not touched: the compiler is told to read other files (go build -overlay).
//
//	go run ./scripts/schemafaults           all faults, some minutes
//	go run ./scripts/schemafaults -run echo those whose name contains "echo"
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// suites are the packages whose tests have to find a fault, and what they take.
var suites = []struct {
	path string
	args []string
}{
	{"./schema", []string{"-rapid.nofailfile"}},
	{"./schema/schematest", nil},
}

// recorded are the tests that compare with recorded bytes: they would notice any difference, also one that does no harm.
const recorded = "Golden|Case31|Case06|Recorded|Fixtures"

func main() {
	only := flag.String("run", "", "only faults whose name contains this")
	verbose := flag.Bool("v", false, "print what failed")
	flag.Parse()
	missed, done := 0, 0
	for _, f := range faults {
		if !strings.Contains(f.name, *only) {
			continue
		}
		done++
		begun := time.Now()
		by, out, err := f.try()
		switch {
		case err != nil:
			fmt.Printf("%-28s cannot be tried: %v\n", f.name, err)
			missed++
		case by == "":
			fmt.Printf("%-28s NOT FOUND\n", f.name)
			missed++
		default:
			fmt.Printf("%-28s found by %s (%.0f s)\n", f.name, by, time.Since(begun).Seconds())
		}
		if *verbose {
			fmt.Println(out)
		}
	}
	fmt.Printf("faults %d: found %d, not found %d\n", done, done-missed, missed)
	if missed > 0 || done == 0 {
		os.Exit(1)
	}
}

// try runs the tests with a fault in place, and says which test found it; "" for none.
func (f fault) try() (by, output string, err error) {
	dir, err := os.MkdirTemp("", "schemafaults-")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(dir)
	overlay, err := f.overlay(dir)
	if err != nil {
		return "", "", err
	}
	// Compiled first, so that code that does not compile is not taken for the failure that is wanted.
	if out, err := exec.Command("go", "vet", "-overlay", overlay, "./schema/...").CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("it does not compile: %s", out)
	}
	for _, s := range suites {
		args := []string{"test", "-overlay", overlay, "-count=1", "-failfast", "-timeout=5m", "-skip", recorded, s.path}
		out, err := exec.Command("go", append(args, s.args...)...).CombinedOutput()
		if err == nil {
			continue
		}
		name := failure(out)
		if name == "" {
			return "", "", fmt.Errorf("the tests failed, but no test of them: %s", out)
		}
		return name, string(out), nil
	}
	return "", "", nil
}

// overlay writes the changed files and the list of them.
func (f fault) overlay(dir string) (string, error) {
	replace := map[string]string{}
	for i, e := range f.edits {
		path, err := filepath.Abs(e.file)
		if err != nil {
			return "", err
		}
		from := path
		if changed, ok := replace[path]; ok {
			from = changed
		}
		source, err := os.ReadFile(from)
		if err != nil {
			return "", err
		}
		if n := bytes.Count(source, []byte(e.old)); n != 1 {
			return "", fmt.Errorf("%s has %d places like %q; the fault needs one", e.file, n, e.old)
		}
		to := filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := os.WriteFile(to, bytes.Replace(source, []byte(e.old), []byte(e.new), 1), 0o600); err != nil {
			return "", err
		}
		replace[path] = to
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}

// failure is the first test that failed; a crash or a timeout counts as found by what it says.
func failure(out []byte) string {
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
			return strings.Fields(name)[0]
		}
		if strings.HasPrefix(line, "panic: ") {
			return line
		}
	}
	return ""
}
