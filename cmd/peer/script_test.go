package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"peer": main}) }

// TestScripts tells the stories in testdata/script, each with the real program. Beside testscript's own commands they have:
//
//	exits CODE peer ARG...     runs the program and checks its exit code
//	capture VAR [FIELD]        sets VAR to the last line of the last output, or to a field of the JSON value it is: keys and indexes with dots
//	start NAME peer ARG...     starts the program and goes on
//	expect NAME REGEXP         waits until a line of its output matches, skipping those before it
//	feed NAME LINE             writes a line to its standard input
//	eof NAME                   ends its standard input
//	ends NAME CODE             waits until it ends, and checks its exit code
//	interrupt NAME             as Ctrl-C does
//	stop NAME                  interrupts it and checks that it ends well
//	kill9 NAME                 kills it
//	pid NAME                   sets NAME_PID to its process ID
//	writes DIR VERSION         has a version of a program write to its document "note": 1, 2, 3, or 2x, another definition of 2
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, "XDG_DATA_HOME="+env.WorkDir+"/data", "LOCAL=--listen=/ip4/127.0.0.1/tcp/0",
				"LONG="+env.WorkDir+"/"+strings.Repeat("a-long-name/", 12))
			killer, err := filepath.Abs("../../doc/core/testdata/kills-load.bin")
			if err != nil {
				return err
			}
			env.Vars = append(env.Vars, "KILLER="+killer)
			env.Vars = append(env.Vars, "GORACE=atexit_sleep_ms=0") // a program with -race would wait a second as it ends
			env.Values[startedKey{}] = map[string]*started{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"capture":   capture,
			"writes":    writes,
			"start":     start,
			"expect":    onStarted(1, func(ts *testscript.TestScript, s *started, args []string) { s.expect(ts, args[0]) }),
			"feed":      onStarted(1, func(ts *testscript.TestScript, s *started, args []string) { ts.Check(s.feed(args[0])) }),
			"eof":       onStarted(0, func(ts *testscript.TestScript, s *started, _ []string) { ts.Check(s.in.Close()) }),
			"ends":      onStarted(1, func(ts *testscript.TestScript, s *started, args []string) { s.ends(ts, args[0]) }),
			"interrupt": onStarted(0, func(ts *testscript.TestScript, s *started, _ []string) { ts.Check(s.interrupt()) }),
			"stop":      onStarted(0, func(ts *testscript.TestScript, s *started, _ []string) { ts.Check(s.interrupt()); s.ends(ts, "0") }),
			"kill9": onStarted(0, func(ts *testscript.TestScript, s *started, _ []string) {
				ts.Check(s.cmd.Process.Kill())
				s.ends(ts, "-1")
			}),
			"pid": onStarted(0, func(ts *testscript.TestScript, s *started, _ []string) {
				ts.Setenv(s.name+"_PID", strconv.Itoa(s.cmd.Process.Pid))
			}),
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program ARG...")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: capture VAR [FIELD]")
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	value := lines[len(lines)-1]
	if len(args) == 2 {
		var v any
		ts.Check(json.Unmarshal([]byte(value), &v))
		for key := range strings.SplitSeq(args[1], ".") {
			switch in := v.(type) {
			case map[string]any:
				v = in[key]
			case []any:
				i, err := strconv.Atoi(key)
				ts.Check(err)
				v = in[i]
			}
		}
		if v == nil {
			ts.Fatalf("%s has no field %q", value, args[1])
		}
		value = fmt.Sprint(v)
	}
	ts.Setenv(args[0], value)
}
