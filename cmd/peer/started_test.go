package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// started is a program that a script started and goes on beside.
type started struct {
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	stderr bytes.Buffer
	ended  bool
}

type startedKey struct{}

func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME program ARG...")
	}
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	s := &started{name: args[0], cmd: exec.Command(path, args[2:]...)}
	s.cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"HOME", "PATH", "TMPDIR", "XDG_DATA_HOME", "GORACE"} {
		s.cmd.Env = append(s.cmd.Env, name+"="+ts.Getenv(name))
	}
	s.cmd.Stderr = &s.stderr
	s.in, err = s.cmd.StdinPipe()
	ts.Check(err)
	out, err := s.cmd.StdoutPipe()
	ts.Check(err)
	s.out = bufio.NewScanner(out)
	ts.Check(s.cmd.Start())
	ts.Value(startedKey{}).(map[string]*started)[s.name] = s
	ts.Defer(func() {
		if !s.ended {
			s.cmd.Process.Kill() // fails where it has just ended
			s.cmd.Wait()
			ts.Logf("[%s, standard error]\n%s", s.name, s.stderr.String())
		}
	})
}

// onStarted is a script command about a started program, with so many arguments after its name.
func onStarted(n int, do func(*testscript.TestScript, *started, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != n+1 {
			ts.Fatalf("want the name of a started program and %d arguments", n)
		}
		s := ts.Value(startedKey{}).(map[string]*started)[args[0]]
		if s == nil || s.ended {
			ts.Fatalf("%s does not run", args[0])
		}
		do(ts, s, args[1:])
	}
}

func (s *started) expect(ts *testscript.TestScript, pattern string) {
	wanted, err := regexp.Compile(pattern)
	ts.Check(err)
	for s.out.Scan() {
		ts.Logf("[%s] %s", s.name, s.out.Text())
		if wanted.Match(s.out.Bytes()) {
			return
		}
	}
	s.ended = true
	s.cmd.Wait() // its exit code is in what follows
	ts.Fatalf("%s ended (%s) and printed nothing like %s\n%s", s.name, s.cmd.ProcessState, pattern, s.stderr.String())
}

func (s *started) feed(line string) error {
	_, err := io.WriteString(s.in, line+"\n")
	return err
}

func (s *started) interrupt() error { return s.cmd.Process.Signal(os.Interrupt) }

func (s *started) ends(ts *testscript.TestScript, code string) {
	for s.out.Scan() {
		ts.Logf("[%s] %s", s.name, s.out.Text())
	}
	s.ended = true
	s.cmd.Wait() // the exit code says it
	ts.Logf("[%s, standard error]\n%s", s.name, s.stderr.String())
	if got := s.cmd.ProcessState.ExitCode(); strconv.Itoa(got) != code {
		ts.Fatalf("%s ended with exit code %d, want %s", s.name, got, code)
	}
}
