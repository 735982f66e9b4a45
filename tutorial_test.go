package tombolo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What docs/schema.md says works as it stands there: this writes its files and runs its commands, in order, in an empty directory beside this
// repository, and compares what they print.
func TestTutorial(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program four times")
	}
	text, err := os.ReadFile("docs/schema.md")
	must(t, err)
	repository, err := os.Getwd()
	must(t, err)
	dir := t.TempDir()
	must(t, os.Symlink(repository, filepath.Join(dir, "tombolo")))
	r := &reader{t: t, at: dir, place: filepath.Join(dir, "place")}
	for i, part := range strings.Split(string(text), "\n```") {
		language, block, _ := strings.Cut(part, "\n")
		switch {
		case i%2 == 0: // what follows a block is no block
		case language == "go":
			r.write(block)
		case language == "console":
			r.run(block)
		default:
			t.Errorf("a block of %q", language)
		}
	}
	if r.files == 0 || r.commands == 0 {
		t.Errorf("the tutorial has %d files and %d commands", r.files, r.commands)
	}
}

// reader does what the tutorial tells its reader to do.
type reader struct {
	t               *testing.T
	at, place       string // the directory the commands are in, and the file that it is kept in between two
	files, commands int
}

// write makes a file of a block that begins with its name.
func (r *reader) write(block string) {
	r.t.Helper()
	first, _, _ := strings.Cut(block, "\n")
	name, ok := strings.CutPrefix(first, "// ")
	if !ok || !strings.HasSuffix(name, ".go") {
		r.t.Fatalf("a block of Go begins with %q and not with the name of its file", first)
	}
	must(r.t, os.WriteFile(filepath.Join(r.at, name), []byte(block+"\n"), 0o600))
	r.files++
}

// run runs the commands of a block. What stands below one is what it must print; below a go command it may be left out.
func (r *reader) run(block string) {
	r.t.Helper()
	for _, part := range strings.Split("\n"+block, "\n$ ")[1:] {
		command, want, _ := strings.Cut(part, "\n")
		shell := exec.CommandContext(r.t.Context(), "sh", "-c", command+"\ncode=$?; pwd >'"+r.place+"'; exit $code")
		shell.Dir = r.at
		shell.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -ldflags=-s")) // links in half the time
		out, err := shell.CombinedOutput()
		got := strings.TrimSuffix(string(out), "\n")
		if failed := strings.HasPrefix(want, "contacts: "); failed != (err != nil) {
			r.t.Fatalf("$ %s\n%s\n%v", command, got, err)
		}
		if got != want && (want != "" || !strings.HasPrefix(command, "go ")) && !strings.HasPrefix(command, "mkdir ") {
			r.t.Errorf("$ %s\n%s\nnot\n%s", command, got, want)
		}
		at, err := os.ReadFile(r.place)
		must(r.t, err)
		r.at = strings.TrimSpace(string(at))
		r.commands++
	}
}
