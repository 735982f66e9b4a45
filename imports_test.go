package tombolo_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "tombolo"

// arrows says which packages of ours a package may import; "doc/..." means doc and what is below it. The first rule that
// matches a package counts. A package that exists and is not here fails the test: decide where it stands, then add it.
var arrows = []struct{ from, to string }{
	{"doc/gate", ""},
	{"doc/pack", "doc/gate"},
	{"doc/value", ""},
	{"doc/opset", "doc/gate doc/value"},
	{"doc/core", "doc/gate doc/value"},
	{"doc/interop", "doc/..."},
	{"doc", "doc/gate doc/value doc/opset doc/core"},
	{"persist/badgerstore", "persist"},
	{"persist/sealed", "persist"},
	{"persist/memstore", "persist"},
	{"persist/backup", "persist"},
	{"persist/storetest", "persist"},
	{"persist", ""},
	{"p2p", ""},
	{"space", ""},
	{"sync/lab", "sync doc/..."},
	{"sync", "doc/..."},
	{"schema/...", "schema/... doc/..."},
	{"cmd/peer/internal/...", ""},
	{"cmd/peer", ". doc/... schema persist/sealed mirror cmd/peer/internal/..."},
	{"examples/...", ". doc/... schema persist/sealed internal/trace"},
	{"internal/trace", ""},
	{"mirror", ". doc/..."},
	{"bench", ". doc/... persist/... schema internal/trace"},
	{"scripts/fuzz", "doc/..."},
	{"scripts/...", ""},
	{".", "doc/... persist/... p2p space sync schema"},
}

// fences says who may import a module of others, and nobody else.
var fences = []struct{ module, to string }{
	{"github.com/automerge/automerge-go", "doc/core scripts/fuzz bench"},
	{"github.com/libp2p/", "p2p"},
	{"github.com/dgraph-io/badger/", "persist/badgerstore"},
}

// TestImports keeps the arrows between packages pointing down (see docs/ARCHITECTURE.md), as far as packages exist.
func TestImports(t *testing.T) {
	packages := listPackages(t)
	if len(packages) < 3 {
		t.Fatalf("go list found %d packages; run this test in the module's root", len(packages))
	}
	for _, p := range packages {
		for _, complaint := range complaints(p.ImportPath, p.Imports) {
			t.Error(complaint)
		}
	}
}

// TestImportsNotices shows that an arrow turned round is found.
func TestImportsNotices(t *testing.T) {
	for _, c := range []struct{ from, imports, want string }{
		{"tombolo/persist", "tombolo/doc", "persist imports doc"},
		{"tombolo/doc/gate", "tombolo/doc", "doc/gate imports doc"},
		{"tombolo/examples/web", "tombolo/p2p", "examples/web imports p2p"},
		{"tombolo", "tombolo/cmd/peer", "the root imports cmd/peer"},
		{"tombolo/sync", "github.com/automerge/automerge-go", "sync imports github.com/automerge/automerge-go"},
		{"tombolo", "github.com/libp2p/go-libp2p/core/peer", "the root imports github.com/libp2p/go-libp2p/core/peer"},
		{"tombolo/util", "fmt", "util has no row in the table of imports_test.go"},
		{"tombolo/cmd/peer", "tombolo", ""},
		{"tombolo/sync/lab", "tombolo/doc/pack", ""},
	} {
		if got := strings.Join(complaints(c.from, []string{c.imports}), "; "); got != c.want {
			t.Errorf("%s importing %s: got %q, want %q", c.from, c.imports, got, c.want)
		}
	}
}

// complaints names each import of a package that its row does not allow.
func complaints(path string, imports []string) []string {
	from, _ := ours(path)
	allowed, found := "", false
	for _, row := range arrows {
		if matches(row.from, from) {
			allowed, found = row.to, true
			break
		}
	}
	if !found {
		return []string{named(from) + " has no row in the table of imports_test.go"}
	}
	var out []string
	for _, imported := range imports {
		if to, ok := ours(imported); ok {
			if !anyMatches(allowed, to) {
				out = append(out, named(from)+" imports "+named(to))
			}
			continue
		}
		for _, fence := range fences {
			if strings.HasPrefix(imported, fence.module) && !anyMatches(fence.to, from) {
				out = append(out, named(from)+" imports "+imported)
			}
		}
	}
	return out
}

// ours gives the path below the module, "." for its root, and whether the package is one of ours.
func ours(path string) (string, bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// named is a package as a sentence names it.
func named(p string) string {
	if p == "." {
		return "the root"
	}
	return p
}

func anyMatches(patterns, p string) bool {
	for pattern := range strings.FieldsSeq(patterns) {
		if matches(pattern, p) {
			return true
		}
	}
	return false
}

func matches(pattern, p string) bool {
	if above, ok := strings.CutSuffix(pattern, "/..."); ok {
		return p == above || strings.HasPrefix(p, above+"/")
	}
	return p == pattern
}

type listed struct {
	ImportPath string
	Imports    []string // of the files that are not tests
}

// listPackages asks the go command. -e: a package that does not build is for the compiler to report, not for this test.
func listPackages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var packages []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list -json: %v", err)
		}
		packages = append(packages, p)
	}
}
