package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"tombolo"
	"tombolo/cmd/peer/internal/control"
)

func TestDataDir(t *testing.T) {
	for _, c := range []struct{ xdg, home, goos, want string }{
		{"/data", "/home/ada", "linux", "/data/tombolo"},
		{"", "/home/ada", "linux", "/home/ada/.local/share/tombolo"},
		{"relative", "/home/ada", "linux", "/home/ada/.local/share/tombolo"},
		{"", "/Users/ada", "darwin", "/Users/ada/Library/Application Support/tombolo"},
		{"", "", "linux", ""},
	} {
		env := map[string]string{"XDG_DATA_HOME": c.xdg, "HOME": c.home}
		if got := dataDir(func(name string) string { return env[name] }, c.goos); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

func TestDirFlag(t *testing.T) {
	for _, c := range []struct {
		dir  string
		args []string
		want string
	}{
		{"/data", []string{"run"}, ""},
		{"/data", []string{"--dir", "/data", "run"}, " --dir /data"},
		{"my notes", []string{"run", "--dir=my notes"}, " --dir 'my notes'"},
		{"it's", []string{"run", "--dir=it's"}, ` --dir 'it'\''s'`},
	} {
		p := &peer{dir: c.dir, args: c.args}
		if got := p.dirFlag(); got != c.want {
			t.Errorf("%v: got %q, want %q", c.args, got, c.want)
		}
	}
}

func TestErrorsNameNoPackages(t *testing.T) {
	for in, want := range map[string]string{
		"p2p: the link is broken":            "the link is broken",
		"open /data: persist: too new":       "open /data: too new",
		"one; tombolo: p2p: two":             "one; two",
		"the document doc: is not a package": "the document doc: is not a package",
		"not a package: here":                "not a package: here",
	} {
		if got := withoutPackages(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// Another process that has the directory and does not answer is waited for, and then named.
func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	owner, err := tombolo.Open(t.Context(), dir, &tombolo.Options{Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		begun := time.Now()
		p := &peer{args: []string{"status", "--dir", dir}, out: io.Discard, err: &stderr}
		if code := p.execute(t.Context()); code != exitFailure || !strings.Contains(stderr.String(), "in use by process") {
			t.Errorf("exit code %d, %q", code, stderr.String())
		}
		if took := time.Since(begun); took < patience || took > patience+time.Second {
			t.Errorf("gave up after %s", took)
		}
	})
}

func TestInterruptible(t *testing.T) {
	in := &interruptible{ctx: t.Context(), in: iotest.DataErrReader(strings.NewReader(strings.Repeat("all of it ", 20000)))}
	if got, err := io.ReadAll(in); err != nil || len(got) != 200000 {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	in = &interruptible{ctx: t.Context(), in: iotest.ErrReader(errors.New("bad disk"))}
	if _, err := io.ReadAll(in); err == nil || err.Error() != "bad disk" {
		t.Errorf("got %v", err)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	never, feed := io.Pipe()
	defer feed.Close()
	cancel(control.ErrInterrupted)
	if _, err := io.ReadAll(&interruptible{ctx: ctx, in: never}); !errors.Is(err, control.ErrInterrupted) {
		t.Errorf("got %v", err)
	}
}

func TestParseSplices(t *testing.T) {
	for line, want := range map[string][]splice{
		`[1,2,"x"]`:               {{1, 2, "x"}},
		` [ 0 , 0 , "ö\n" ] `:     {{0, 0, "ö\n"}},
		`[[1,2,"x"],[3,0,""]]`:    {{1, 2, "x"}, {3, 0, ""}},
		`[[2147483647,0,"[1]"]]`:  {{2147483647, 0, "[1]"}},
		`[]`:                      nil,
		`[[]]`:                    nil,
		`{}`:                      nil,
		`[1,2]`:                   nil,
		`[1,2,"x",4]`:             nil,
		`[-1,0,"x"]`:              nil,
		`[0,-1,"x"]`:              nil,
		`[2147483648,0,"x"]`:      nil,
		`[0.5,0,"x"]`:             nil,
		`["0",0,"x"]`:             nil,
		`[0,0,1]`:                 nil,
		`[[0,0,"x"],0]`:           nil,
		`[0,0,"x"] [0,0,"x"]`:     nil,
		"[0,0,\"\xff\"]":          nil,
		`[0,0,{"$text":"x"}]`:     nil,
		`[0,0,"cut`:               nil,
		`18446744073709551616`:    nil,
		`[0,0,"x"],[1,0,"y"]`:     nil,
		`[[0,0,"x"],[1,0,"y",2]]`: nil,
	} {
		got, err := parseSplices([]byte(line))
		if !slices.Equal(got, want) || (err == nil) != (want != nil) || err != nil && !errors.Is(err, errSplices) {
			t.Errorf("%s: got %v, %v", line, got, err)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		-time.Minute:                   "just now", // another device's clock
		999 * time.Millisecond:         "just now",
		3 * time.Second:                "3 s ago",
		5*time.Minute + 1:              "5 min ago",
		47 * time.Hour:                 "47 h ago",
		73*time.Hour + time.Nanosecond: "3 days ago",
	} {
		if got := ago(now, now.Add(-d)); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
	if got := ago(now, time.Time{}); got != "-" {
		t.Errorf("never: got %q", got)
	}
}

// What others chose must not steer a terminal.
func TestPrintable(t *testing.T) {
	if got := named(tombolo.Device{Name: "lap\x1b[2Jtop ✓\u009b"}); got != "lap�[2Jtop ✓�" {
		t.Errorf("got %q", got)
	}
	if got := named(tombolo.Device{Peer: "12D3KooWabcdefghijklmnop"}); got != "…ijklmnop" {
		t.Errorf("got %q", got)
	}
}

// The commands and flags that the README and docs/operations.md name are there.
func TestDocumentedCommands(t *testing.T) {
	named := regexp.MustCompile("(?m)(?:^    \\./|`)peer ([a-z][^`#\n]*)")
	p := &peer{}
	found := 0
	for _, file := range []string{"README.md", "docs/operations.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range named.FindAllStringSubmatch(string(text), -1) {
			root := p.commands()
			root.InitDefaultHelpCmd()
			words := strings.Fields(line[1])
			for i := range words {
				words[i], _, _ = strings.Cut(words[i], "|") // one of several
			}
			cmd, rest, err := root.Find(words)
			if err != nil || cmd.HasSubCommands() && len(rest) > 0 {
				t.Errorf("%s: peer %s: there is no such command: %v", file, line[1], err)
				continue
			}
			found++
			for _, word := range words {
				if flag, ok := strings.CutPrefix(word, "--"); ok && cmd.Flag(flag) == nil {
					t.Errorf("%s: peer %s: there is no flag --%s", file, line[1], flag)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d commands were found: does the pattern still fit?", found)
	}
}
