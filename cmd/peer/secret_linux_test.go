package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"tombolo/cmd/peer/internal/control"
)

// left keeps terminals open that a read is left behind on: their descriptors must not become those of other files.
var left []*os.File

// terminal makes a pair of a terminal for a program and the end at which a person sits.
func terminal(t *testing.T) (program, person *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(person.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return program, person
}

// echoes reports whether a terminal shows what is typed.
func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	st, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return st.Lflag&unix.ECHO != 0
}

// answering is the standard error of a program, and a person who types a line, or does something else, at each prompt.
type answering struct {
	bytes.Buffer
	t      *testing.T
	person *os.File
	term   *os.File
	lines  []string
	do     func()
	wg     sync.WaitGroup
}

func (a *answering) Write(p []byte) (int, error) {
	if strings.HasSuffix(string(p), ": ") {
		line := a.next()
		a.wg.Go(func() {
			for echoes(a.t, a.term) { // what is typed before would be shown
				runtime.Gosched()
			}
			if a.do != nil {
				a.do()
				return
			}
			if _, err := io.WriteString(a.person, line); err != nil {
				a.t.Error(err)
			}
		})
	}
	return a.Buffer.Write(p)
}

func (a *answering) next() string {
	if len(a.lines) == 0 {
		return ""
	}
	line := a.lines[0]
	a.lines = a.lines[1:]
	return line
}

func TestSecretOnATerminal(t *testing.T) {
	for _, c := range []struct {
		lines     []string
		twice     bool
		want, err string
	}{
		{lines: []string{"correct horse\n"}, want: "correct horse"},
		{lines: []string{"caf" + "e\u0301 au lait\n"}, want: "caf\u00e9 au lait"},
		{lines: []string{"correct horse\n", "correct horse\n"}, twice: true, want: "correct horse"},
		{lines: []string{"correct horse\n", "correct house\n"}, twice: true, err: "the two entries differ; try again"},
		{lines: []string{"correct horse\n", "\n"}, twice: true, err: "it is empty"},
		{lines: []string{"\n"}, err: "Secret of the test: it is empty"},
	} {
		program, person := terminal(t)
		out := &answering{t: t, person: person, term: program, lines: c.lines}
		p := &peer{in: program, err: out}
		got, err := p.secret("", "Secret of the test", "--secret-file", c.twice)
		if string(got) != c.want || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: got %q, %v", c.lines, got, err)
		}
		out.wg.Wait()
		if prompts := strings.Count(out.String(), ": \n"); prompts != len(c.lines) || strings.Contains(out.String(), "correct") || !echoes(t, program) {
			t.Errorf("%q: the terminal shows %q", c.lines, out.String())
		}
		if err := errors.Join(program.Close(), person.Close()); err != nil {
			t.Error(err)
		}
	}
}

// Ctrl-C leaves a terminal that shows what is typed.
func TestSecretInterrupted(t *testing.T) {
	program, person := terminal(t)
	left = append(left, program, person)
	out := &answering{t: t, person: person, term: program, do: func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}}
	p := &peer{in: program, err: out}
	if _, err := p.secret("", "Secret of the test", "--secret-file", false); !errors.Is(err, control.ErrInterrupted) {
		t.Errorf("got %v", err)
	}
	out.wg.Wait()
	if !echoes(t, program) {
		t.Error("the terminal shows nothing any more")
	}
}
